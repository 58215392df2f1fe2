use async_trait::async_trait;
use devskyy_domain::{
    kernel::ids::{ProjectId, UserId},
    projects::{ProjectRole, ProjectStatus},
};

use crate::error::PortError;

/// What a person is to a project that exists.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Standing {
    /// Where the project is in its life.
    pub status: ProjectStatus,
    /// The person's role in it, where they are a member.
    pub role: Option<ProjectRole>,
}

/// Knows who belongs to which project. Never stale: a removed member is out with the next request.
#[async_trait]
pub trait Memberships: Send + Sync {
    /// What a person is to a project; `None` where there is no such project.
    ///
    /// # Errors
    /// [`PortError`] when the answer cannot be had.
    async fn standing(&self, project: ProjectId, user: UserId) -> Result<Option<Standing>, PortError>;

    /// Whether two people belong to one project, whichever.
    ///
    /// # Errors
    /// [`PortError`] when the answer cannot be had.
    async fn acquainted(&self, one: UserId, other: UserId) -> Result<bool, PortError>;

    /// The project made for a person at registration.
    ///
    /// # Errors
    /// [`PortError`] when the answer cannot be had.
    async fn personal_project(&self, user: UserId) -> Result<Option<ProjectId>, PortError>;
}
