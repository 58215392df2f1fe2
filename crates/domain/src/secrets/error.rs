use crate::kernel::{Refusal, RefusalKind};

/// Why a request about a project's secret is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SecretError {
    /// Not a name that templates can use.
    #[error("the name must have 1 to 64 letters, digits and underscores, a letter first")]
    NameFormat,
    /// Another secret of the project has this name.
    #[error("the project has a secret of that name already")]
    NameTaken,
    /// Not valid in a header, or too short to be redacted reliably.
    #[error("the value must have 8 to 4,096 visible ASCII characters; spaces are allowed between them")]
    ValueFormat,
    /// Not a valid host.
    #[error("host {} must be a host name or address in lower case, with the port if it is not the default one", .0 + 1)]
    HostFormat(usize),
    /// No hosts, or too many.
    #[error("name 1 to 20 hosts the secret may be sent to")]
    HostCount,
    /// A removed secret stays removed.
    #[error("the secret is removed, add another one")]
    Removed,
    /// The id is used already.
    #[error("the secret is there already")]
    AlreadyAdded,
    /// No secret has this id.
    #[error("there is no such secret")]
    NotAdded,
}

impl Refusal for SecretError {
    fn code(&self) -> &'static str {
        match self {
            Self::NameFormat => "secret.name_format",
            Self::NameTaken => "secret.name_taken",
            Self::ValueFormat => "secret.value_format",
            Self::HostFormat(_) => "secret.host_format",
            Self::HostCount => "secret.host_count",
            Self::Removed => "secret.removed",
            Self::AlreadyAdded => "secret.already_added",
            Self::NotAdded => "secret.not_added",
        }
    }

    fn kind(&self) -> RefusalKind {
        match self {
            Self::NameFormat | Self::ValueFormat | Self::HostFormat(_) | Self::HostCount => RefusalKind::Invalid,
            Self::NameTaken | Self::Removed | Self::AlreadyAdded | Self::NotAdded => RefusalKind::Conflict,
        }
    }

    fn pointer(&self) -> Option<String> {
        match self {
            Self::NameFormat | Self::NameTaken => Some("/name".to_owned()),
            Self::ValueFormat => Some("/value".to_owned()),
            Self::HostFormat(index) => Some(format!("/hosts/{index}")),
            Self::HostCount => Some("/hosts".to_owned()),
            Self::Removed | Self::AlreadyAdded | Self::NotAdded => None,
        }
    }
}
