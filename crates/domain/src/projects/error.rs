use crate::kernel::{Refusal, RefusalKind};

/// Why a request about a project is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ProjectError {
    /// Empty, too long or with control characters.
    #[error("the name must have 3 to 100 characters and no control characters, it has {0}")]
    NameLength(usize),
    /// Not one of the four roles.
    #[error("the role must be owner, maintainer, operator or viewer")]
    RoleUnknown,
    /// The id is used already.
    #[error("the project exists already")]
    AlreadyCreated,
    /// No project has this id.
    #[error("there is no such project")]
    NotCreated,
    /// A suspended project can only be read, left, transferred and resumed.
    #[error("the project is suspended, resume it first")]
    Suspended,
    /// An archived project can be read and left, and its permissions reduced, but it takes nothing new.
    #[error("the project is archived: it takes no new members, definitions, keys or runs")]
    Archived,
    /// The person is already a member with another role.
    #[error("the person is already a member, change their role instead")]
    AlreadyMember,
    /// The person is not a member.
    #[error("the person is not a member of the project")]
    NotMember,
    /// The project must keep at least one owner.
    #[error("the project needs at least one owner: transfer it, or make somebody else an owner first")]
    LastOwner,
    /// No account with that id or e-mail, or none that the actor may know of; the error does not distinguish them.
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
