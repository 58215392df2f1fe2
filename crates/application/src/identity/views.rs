use chrono::{DateTime, Utc};
use devskyy_domain::{
    identity::PlatformRole,
    kernel::{
        Version,
        ids::{ProjectId, SessionId, UserId},
    },
};

use super::ports::Profile;
use crate::paging::{Age, Sort};

/// Whether a person may sign in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum UserStatus {
    /// May sign in.
    Active,
    /// May not.
    Disabled,
    /// Forgotten, and never again.
    Erased,
}

impl UserStatus {
    /// Every status.
    pub const ALL: [Self; 3] = [Self::Active, Self::Disabled, Self::Erased];

    /// The name used on the wire and in the database.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Disabled => "disabled",
            Self::Erased => "erased",
        }
    }

    /// Reads the name used on the wire and in the database.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.as_str() == name)
    }
}

/// A user as the log tells, nothing personal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UserRecord {
    /// Who.
    pub id: UserId,
    /// Their role on the platform.
    pub role: PlatformRole,
    /// Whether they may sign in.
    pub status: UserStatus,
    /// The project made for them.
    pub personal_project: ProjectId,
    /// When they registered.
    pub created_at: DateTime<Utc>,
    /// Version of the account.
    pub version: Version,
}

/// A user as they see themselves.
#[derive(Clone, PartialEq, Eq)]
pub struct UserView {
    /// Who.
    pub id: UserId,
    /// Their e-mail.
    pub email: String,
    /// The name they go by.
    pub name: String,
    /// Their role on the platform.
    pub role: PlatformRole,
    /// Whether they may sign in.
    pub status: UserStatus,
    /// When they registered.
    pub created_at: DateTime<Utc>,
    /// The project made for them.
    pub personal_project_id: ProjectId,
    /// Version of the account.
    pub version: Version,
}

impl std::fmt::Debug for UserView {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("UserView").field("id", &self.id).field("role", &self.role).finish_non_exhaustive()
    }
}

/// Which users a list shows; what is left out does not matter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct UserFilter {
    /// Only those with this role on the platform.
    pub role: Option<PlatformRole>,
    /// Only those of whom this is true.
    pub status: Option<UserStatus>,
    /// Only this one.
    pub user: Option<UserId>,
    /// In which order.
    pub sort: Sort<Age>,
}

/// An account as administrators see it.
#[derive(Clone, PartialEq, Eq)]
pub struct AccountView {
    /// What the log tells.
    pub record: UserRecord,
    /// What is personal, unless the person was erased.
    pub profile: Option<Profile>,
}

impl std::fmt::Debug for AccountView {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("AccountView").field("record", &self.record).finish_non_exhaustive()
    }
}

/// A sign-in that counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SessionRecord {
    /// Which.
    pub id: SessionId,
    /// When it began.
    pub opened_at: DateTime<Utc>,
    /// When tokens were last handed out for it; it is used for at most an access token's life after that.
    pub last_used_at: DateTime<Utc>,
    /// When it ends, whatever is refreshed.
    pub ends_at: DateTime<Utc>,
}

/// A sign-in as its person sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SessionView {
    /// The sign-in.
    pub record: SessionRecord,
    /// Whether the request came with it.
    pub current: bool,
}
