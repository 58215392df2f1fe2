use std::sync::Arc;

use devskyy_domain::{
    kernel::{
        Version,
        ids::{ProjectId, UserId},
    },
    projects::{Project, ProjectName},
};

use super::{ports::ProjectViews, views::ProjectView};
use crate::{
    access::{Access, Permission},
    context::Actor,
    error::Error,
    es::Repository,
};

/// A change of a project as a whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ProjectChange {
    /// Changes the name.
    Rename(ProjectName),
    /// Makes it read-only for now.
    Suspend,
    /// Makes it active again.
    Resume,
    /// Makes it read-only for good.
    Archive,
    /// Transfers it: the member becomes an owner, the present owner a maintainer.
    Transfer(UserId),
}

/// A request to change a project.
#[derive(Debug)]
pub struct ChangeProject {
    /// The project.
    pub project: ProjectId,
    /// The change.
    pub change: ProjectChange,
    /// The project's version the caller expects, if any.
    pub expected: Option<Version>,
}

/// Changes projects.
pub struct ChangeProjectHandler {
    pub(super) projects: Repository<Project>,
    pub(super) views: Arc<dyn ProjectViews>,
    pub(super) access: Access,
}

impl ChangeProjectHandler {
    /// Changes the project and returns it.
    ///
    /// # Errors
    /// [`devskyy_domain::projects::ProjectError`], [`Error::StaleVersion`], an access error, or a failing port.
    #[tracing::instrument(name = "projects.change", skip_all, fields(project = %command.project), err(Debug, level = "debug"))]
    pub async fn handle(&self, actor: &Actor, command: ChangeProject) -> Result<ProjectView, Error> {
        let ChangeProject { project, change, expected } = command;
        let needed = match change {
            ProjectChange::Transfer(_) => Permission::OwnersWrite,
            _ => Permission::ProjectsWrite,
        };
        self.access.require(actor, project, needed).await?;
        let from = match change {
            ProjectChange::Transfer(_) => Some(actor.person()?),
            _ => None,
        };
        let decide = |it: &Project| match (&change, from) {
            (ProjectChange::Rename(name), _) => it.rename(name),
            (ProjectChange::Suspend, _) => it.suspend(),
            (ProjectChange::Resume, _) => it.resume(),
            (ProjectChange::Archive, _) => it.archive(),
            (ProjectChange::Transfer(to), from) => it.transfer(from, *to),
        };
        self.projects.update(actor.event_context(Some(project)), project, expected, decide).await?;
        let view = self.views.find(project).await?;
        view.ok_or_else(|| Error::NotFound(format!("project {project}")))
    }
}
