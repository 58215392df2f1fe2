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
    /// May not sign in.
    Disabled,
    /// Erased for good.
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

/// A user, derived from the log, without personal data.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UserRecord {
    /// The user.
    pub id: UserId,
    /// Their role on the platform.
    pub role: PlatformRole,
    /// Whether they may sign in.
    pub status: UserStatus,
    /// Their personal project.
    pub personal_project: ProjectId,
    /// When they registered.
    pub created_at: DateTime<Utc>,
    /// Version of the account.
    pub version: Version,
}

/// A user's own account.
#[derive(Clone, PartialEq, Eq)]
pub struct UserView {
    /// The user.
    pub id: UserId,
    /// Their e-mail.
    pub email: String,
    /// The display name.
    pub name: String,
    /// Their role on the platform.
    pub role: PlatformRole,
    /// Whether they may sign in.
    pub status: UserStatus,
    /// When they registered.
    pub created_at: DateTime<Utc>,
    /// Their personal project.
    pub personal_project_id: ProjectId,
    /// Version of the account.
    pub version: Version,
}

impl std::fmt::Debug for UserView {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("UserView").field("id", &self.id).field("role", &self.role).finish_non_exhaustive()
    }
}

/// A filter of users; fields without a value match all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct UserFilter {
    /// Only those with this role on the platform.
    pub role: Option<PlatformRole>,
    /// Only those with this status.
    pub status: Option<UserStatus>,
    /// Only this user.
    pub user: Option<UserId>,
    /// The sort order.
    pub sort: Sort<Age>,
}

/// An account as shown to administrators.
#[derive(Clone, PartialEq, Eq)]
pub struct AccountView {
    /// The record from the log.
    pub record: UserRecord,
    /// The personal data, unless the user was erased.
    pub profile: Option<Profile>,
}

impl std::fmt::Debug for AccountView {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("AccountView").field("record", &self.record).finish_non_exhaustive()
    }
}

/// A valid session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SessionRecord {
    /// The session.
    pub id: SessionId,
    /// When it started.
    pub opened_at: DateTime<Utc>,
    /// When tokens were last issued for it; it may be used for an access token's lifetime after that.
    pub last_used_at: DateTime<Utc>,
    /// When it ends, regardless of refreshes.
    pub ends_at: DateTime<Utc>,
}

/// A session as shown to its user.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SessionView {
    /// The session.
    pub record: SessionRecord,
    /// Whether it is the session of the request.
    pub current: bool,
}
