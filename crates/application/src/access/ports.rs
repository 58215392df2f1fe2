use async_trait::async_trait;
use devskyy_domain::{
    kernel::ids::{ProjectId, UserId},
    projects::{ProjectRole, ProjectStatus},
};

use crate::error::PortError;

/// A user's relation to a project that exists.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Standing {
    /// The project's status.
    pub status: ProjectStatus,
    /// The user's role in it, if they are a member.
    pub role: Option<ProjectRole>,
}

/// Looks up project memberships. Never stale: a removed member loses access with the next request.
#[async_trait]
pub trait Memberships: Send + Sync {
    /// A user's relation to a project; `None` if there is no such project.
    ///
    /// # Errors
    /// [`PortError`] when the lookup fails.
    async fn standing(&self, project: ProjectId, user: UserId) -> Result<Option<Standing>, PortError>;

    /// Whether two users are members of a common project.
    ///
    /// # Errors
    /// [`PortError`] when the lookup fails.
    async fn acquainted(&self, one: UserId, other: UserId) -> Result<bool, PortError>;

    /// The project created for a user at registration.
    ///
    /// # Errors
    /// [`PortError`] when the lookup fails.
    async fn personal_project(&self, user: UserId) -> Result<Option<ProjectId>, PortError>;
}
