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

/// What projects can be sorted by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ProjectSort {
    /// When they came into being.
    #[default]
    CreatedAt,
    /// Their names, letters' case aside.
    Name,
}

/// Which projects a list shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProjectFilter {
    /// Those of whom.
    pub scope: ListScope,
    /// Only those with this status.
    pub status: Option<ProjectStatus>,
    /// Only those with this in their name, letters' case aside.
    pub name: Option<String>,
    /// In which order.
    pub sort: Sort<ProjectSort>,
}

/// Answers questions about projects. Absence is an answer, not an error.
#[async_trait]
pub trait ProjectViews: Send + Sync {
    /// Finds one project; who may see it is the handler's question.
    ///
    /// # Errors
    /// [`PortError`] when the answer cannot be had.
    async fn find(&self, project: ProjectId) -> Result<Option<ProjectView>, PortError>;

    /// Lists projects.
    ///
    /// # Errors
    /// [`PortError`] when the answer cannot be had.
    async fn list(&self, filter: &ProjectFilter, part: &Part) -> Result<PageOf<ProjectView>, PortError>;

    /// Lists the members of a project, the longest-standing first.
    ///
    /// # Errors
    /// [`PortError`] when the answer cannot be had.
    async fn members(&self, project: ProjectId, part: &Part) -> Result<PageOf<MemberRecord>, PortError>;

    /// Finds one member of a project.
    ///
    /// # Errors
    /// [`PortError`] when the answer cannot be had.
    async fn member(&self, project: ProjectId, user: UserId) -> Result<Option<MemberRecord>, PortError>;
}

/// A person as others may know them.
#[derive(Clone, PartialEq, Eq)]
pub struct Person {
    /// Who.
    pub id: UserId,
    /// Their e-mail.
    pub email: String,
    /// The name they go by.
    pub name: String,
    /// Since when they have an account.
    pub since: DateTime<Utc>,
}

impl std::fmt::Debug for Person {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Person").field("id", &self.id).finish_non_exhaustive()
    }
}

/// Knows the people who have an account.
#[async_trait]
pub trait Directory: Send + Sync {
    /// Who has this e-mail.
    ///
    /// # Errors
    /// [`PortError`] when the answer cannot be had.
    async fn find_by_email(&self, email: &Email) -> Result<Option<UserId>, PortError>;

    /// People by id; those without an account are left out.
    ///
    /// # Errors
    /// [`PortError`] when the answer cannot be had.
    async fn people(&self, users: &[UserId]) -> Result<Vec<Person>, PortError>;
}
