use crate::kernel::{Refusal, RefusalKind};

/// Why something about a project is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ProjectError {
    /// Empty, too long or with control characters.
    #[error("the name must have 3 to 100 characters and no control characters, it has {0}")]
    NameLength(usize),
    /// Not one of the four roles.
    #[error("the role must be owner, maintainer, operator or viewer")]
    RoleUnknown,
    /// An id is used once.
    #[error("the project exists already")]
    AlreadyCreated,
    /// Nothing with this id.
    #[error("there is no such project")]
    NotCreated,
    /// Suspended projects can be looked at, left, handed over and resumed.
    #[error("the project is suspended, resume it first")]
    Suspended,
    /// Archived projects can be looked at, left, calmed down and handed over, for ever.
    #[error("the project is archived: it takes no new members, definitions, keys or runs")]
    Archived,
    /// A person is a member once.
    #[error("the person is already a member, change their role instead")]
    AlreadyMember,
    /// The person is not a member.
    #[error("the person is not a member of the project")]
    NotMember,
    /// A project without an owner could not be governed.
    #[error("the project needs at least one owner: transfer it, or make somebody else an owner first")]
    LastOwner,
    /// No account with that id or e-mail, or none that whoever asks may know of; deliberately not which.
    #[error("no person in your projects has this id or e-mail, invite them instead")]
    PersonUnknown,
}

impl Refusal for ProjectError {
    fn code(&self) -> &'static str {
        match self {
            Self::NameLength(_) => "project.name_length",
            Self::RoleUnknown => "project.role_unknown",
            Self::AlreadyCreated => "project.already_created",
            Self::NotCreated => "project.not_created",
            Self::Suspended => "project.suspended",
            Self::Archived => "project.archived",
            Self::AlreadyMember => "project.already_member",
            Self::NotMember => "project.not_member",
            Self::LastOwner => "project.last_owner",
            Self::PersonUnknown => "project.person_unknown",
        }
    }

    fn kind(&self) -> RefusalKind {
        match self {
            Self::NameLength(_) | Self::RoleUnknown | Self::PersonUnknown => RefusalKind::Invalid,
            Self::AlreadyCreated
            | Self::NotCreated
            | Self::Suspended
            | Self::Archived
            | Self::AlreadyMember
            | Self::NotMember
            | Self::LastOwner => RefusalKind::Conflict,
        }
    }

    fn pointer(&self) -> Option<String> {
        match self {
            Self::NameLength(_) => Some("/name".to_owned()),
            Self::RoleUnknown => Some("/role".to_owned()),
            _ => None,
        }
    }
}
