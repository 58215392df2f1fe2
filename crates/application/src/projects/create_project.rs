use std::sync::Arc;

use devskyy_domain::{
    kernel::ids::ProjectId,
    projects::{Project, ProjectName},
};

use super::{ports::ProjectViews, views::ProjectView};
use crate::{
    access::{Access, PlatformPermission},
    context::Actor,
    error::Error,
    es::{Idempotency, Repository},
    ports::IdGenerator,
};

/// Asks for a project.
#[derive(Debug)]
pub struct CreateProject {
    /// Its name.
    pub name: ProjectName,
    /// Recognises a repeated request.
    pub idempotency: Option<Idempotency>,
}

/// Creates projects.
pub struct CreateProjectHandler {
    pub(super) projects: Repository<Project>,
    pub(super) views: Arc<dyn ProjectViews>,
    pub(super) ids: Arc<dyn IdGenerator>,
}

impl CreateProjectHandler {
    /// Creates the project, owned by whoever asks.
    ///
    /// # Errors
    /// [`Error::Unauthenticated`] without a person, or a failing port.
    #[tracing::instrument(name = "projects.create", skip_all, err(Debug, level = "debug"))]
    pub async fn handle(&self, actor: &Actor, command: CreateProject) -> Result<ProjectView, Error> {
        Access::require_on_platform(actor, PlatformPermission::ProjectsCreate)?;
        let owner = actor.person()?;
        let id = ProjectId::from(self.ids.next());
        let events = Project::default().create(&command.name, owner, false)?;
        let context = actor.event_context(Some(id));
        let created = self.projects.create(context, id, &events, vec![], vec![], command.idempotency).await?;
        let view = self.views.find(created.id).await?;
        view.ok_or_else(|| Error::NotFound(format!("project {}", created.id)))
    }
}
