use crate::kernel::{Refusal, RefusalKind};

/// Why a request about an agent is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AgentError {
    /// Too short, too long or with control characters.
    #[error("the name must have 3 to 100 characters and no control characters, it has {0}")]
    NameLength(usize),
    /// Another agent of the project has this name.
    #[error("another agent of the project has this name, choose another")]
    NameTaken,
    /// Not a type of agent.
    #[error("the type must be workflow or assistant")]
    TypeUnknown,
    /// A workflow for an assistant, or vice versa.
    #[error("the definition does not match the agent's type")]
    DefinitionType,
    /// Not a slug, or too long; the index identifies it.
    #[error("a capability is 1 to 50 lower-case letters and digits, its words joined by hyphens")]
    CapabilityFormat(usize),
    /// Too many capabilities.
    #[error("an agent has at most 50 capabilities")]
    TooManyCapabilities,
    /// Too long, or with control characters.
    #[error("the description must have at most 2000 characters and no control characters but line breaks")]
    DescriptionLength,
    /// The id is used already.
    #[error("the agent exists already")]
    AlreadyCreated,
    /// No agent has this id.
    #[error("there is no such agent")]
    NotCreated,
    /// There is no version to run yet.
    #[error("the agent has no version, publish one first")]
    NoVersion,
    /// A draft can only be activated, not paused or resumed.
    #[error("the agent is a draft, activate it first")]
    Draft,
    /// Archived agents are read-only.
    #[error("the agent is archived and can no longer change")]
    Archived,
}

impl Refusal for AgentError {
    fn code(&self) -> &'static str {
        match self {
            Self::NameLength(_) => "agent.name_length",
            Self::NameTaken => "agent.name_taken",
            Self::TypeUnknown => "agent.type_unknown",
            Self::DefinitionType => "agent.definition_type",
            Self::CapabilityFormat(_) => "agent.capability_format",
            Self::TooManyCapabilities => "agent.too_many_capabilities",
            Self::DescriptionLength => "agent.description_length",
            Self::AlreadyCreated => "agent.already_created",
            Self::NotCreated => "agent.not_created",
            Self::NoVersion => "agent.no_version",
            Self::Draft => "agent.draft",
            Self::Archived => "agent.archived",
        }
    }

    fn kind(&self) -> RefusalKind {
        match self {
            Self::NameLength(_)
            | Self::TypeUnknown
            | Self::DefinitionType
            | Self::CapabilityFormat(_)
            | Self::TooManyCapabilities
            | Self::DescriptionLength => RefusalKind::Invalid,
            Self::NameTaken
            | Self::AlreadyCreated
            | Self::NotCreated
            | Self::NoVersion
            | Self::Draft
            | Self::Archived => RefusalKind::Conflict,
        }
    }

    fn pointer(&self) -> Option<String> {
        match self {
            Self::NameLength(_) | Self::NameTaken => Some("/name".to_owned()),
            Self::TypeUnknown => Some("/type".to_owned()),
            Self::DefinitionType => Some("/definition".to_owned()),
            Self::CapabilityFormat(index) => Some(format!("/capabilities/{index}")),
            Self::TooManyCapabilities => Some("/capabilities".to_owned()),
            Self::DescriptionLength => Some("/description".to_owned()),
            Self::AlreadyCreated | Self::NotCreated | Self::NoVersion | Self::Draft | Self::Archived => None,
        }
    }
}
