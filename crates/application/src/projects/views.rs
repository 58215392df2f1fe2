use chrono::{DateTime, Utc};
use devskyy_domain::{
    kernel::{
        Version,
        ids::{ProjectId, UserId},
    },
    projects::{Project, ProjectRole, ProjectStatus},
};

use super::ports::Person;
use crate::es::Recalled;

/// A project as it is shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProjectView {
    /// Its id.
    pub id: ProjectId,
    /// Its name.
    pub name: String,
    /// The short form of its name.
    pub slug: String,
    /// Its status.
    pub status: ProjectStatus,
    /// Whether it was created for a user at registration.
    pub personal: bool,
    /// When it was created.
    pub created_at: DateTime<Utc>,
    /// Its version.
    pub version: Version,
}

impl ProjectView {
    /// A project as of a moment; `None` before its creation.
    #[must_use]
    pub fn recalled(id: ProjectId, was: &Recalled<Project>) -> Option<Self> {
        let (details, status) = was.state.details().zip(was.state.status())?;
        Some(Self {
            id,
            name: details.name.as_str().to_owned(),
            slug: details.slug.as_str().to_owned(),
            status,
            personal: details.personal,
            created_at: was.begun_at,
            version: was.version,
        })
    }
}

/// A member, derived from the log, without personal data.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MemberRecord {
    /// The user.
    pub user: UserId,
    /// Their role.
    pub role: ProjectRole,
    /// When they were added.
    pub added_at: DateTime<Utc>,
}

/// A member as shown to other members.
#[derive(Clone, PartialEq, Eq)]
pub struct MemberView {
    /// Their id.
    pub user_id: UserId,
    /// Their e-mail, unless the account was erased.
    pub email: Option<String>,
    /// The display name, unless the account was erased.
    pub name: Option<String>,
    /// Their role.
    pub role: ProjectRole,
    /// When they were added.
    pub added_at: DateTime<Utc>,
}

impl MemberView {
    pub(super) fn new(member: MemberRecord, person: Option<Person>) -> Self {
        let (email, name) = person.map(|person| (person.email, person.name)).unzip();
        Self { user_id: member.user, email, name, role: member.role, added_at: member.added_at }
    }
}

impl std::fmt::Debug for MemberView {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("MemberView").field("user_id", &self.user_id).field("role", &self.role).finish_non_exhaustive()
    }
}
