use async_trait::async_trait;
use chrono::{DateTime, Utc};
use devskyy_domain::{
    identity::Email,
    kernel::ids::{ProjectId, UserId},
    projects::ProjectStatus,
};

use super::views::{MemberRecord, ProjectView};
use crate::{
    access::ListScope,
    error::PortError,
    paging::{PageOf, Part, Sort},
};

/// Sort keys of projects.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ProjectSort {
    /// Creation time.
    #[default]
    CreatedAt,
    /// The name, ignoring case.
    Name,
}

/// A filter of projects.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProjectFilter {
    /// The visible projects.
    pub scope: ListScope,
    /// Only those with this status.
    pub status: Option<ProjectStatus>,
    /// Only those whose name contains this text, ignoring case.
    pub name: Option<String>,
    /// The sort order.
    pub sort: Sort<ProjectSort>,
}

/// Reads projects. A missing project is `None`, not an error.
#[async_trait]
pub trait ProjectViews: Send + Sync {
    /// Finds one project; the handler checks who may see it.
    ///
    /// # Errors
    /// [`PortError`] when the lookup fails.
    async fn find(&self, project: ProjectId) -> Result<Option<ProjectView>, PortError>;

    /// Lists projects.
    ///
    /// # Errors
    /// [`PortError`] when the lookup fails.
    async fn list(&self, filter: &ProjectFilter, part: &Part) -> Result<PageOf<ProjectView>, PortError>;

    /// Lists a project's members, in order of joining.
    ///
    /// # Errors
    /// [`PortError`] when the lookup fails.
    async fn members(&self, project: ProjectId, part: &Part) -> Result<PageOf<MemberRecord>, PortError>;

    /// Finds one member of a project.
    ///
    /// # Errors
    /// [`PortError`] when the lookup fails.
    async fn member(&self, project: ProjectId, user: UserId) -> Result<Option<MemberRecord>, PortError>;
}

/// A person as shown to others.
#[derive(Clone, PartialEq, Eq)]
pub struct Person {
    /// Their id.
    pub id: UserId,
    /// Their e-mail.
    pub email: String,
    /// The display name.
    pub name: String,
    /// When they registered.
    pub since: DateTime<Utc>,
}

impl std::fmt::Debug for Person {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Person").field("id", &self.id).finish_non_exhaustive()
    }
}

/// Looks up registered users.
#[async_trait]
pub trait Directory: Send + Sync {
    /// The user with this e-mail.
    ///
    /// # Errors
    /// [`PortError`] when the lookup fails.
    async fn find_by_email(&self, email: &Email) -> Result<Option<UserId>, PortError>;

    /// Users by id; those without an account are left out.
    ///
    /// # Errors
    /// [`PortError`] when the lookup fails.
    async fn people(&self, users: &[UserId]) -> Result<Vec<Person>, PortError>;
}
