use std::sync::Arc;

use devskyy_domain::{
    kernel::ids::ProjectId,
    projects::{Project, ProjectName},
};

use super::{get_project::GetProjectHandler, views::ProjectView};
use crate::{
    access::{Access, Permission, PlatformPermission},
    context::Actor,
    error::Error,
    es::{Idempotency, Repository},
    ports::IdGenerator,
};

/// A request to create a project.
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
    pub(super) get: GetProjectHandler,
    pub(super) ids: Arc<dyn IdGenerator>,
}

impl CreateProjectHandler {
    /// Creates the project, owned by the actor. A repeated request returns its current state, if the actor may still
    /// see it.
    ///
    /// # Errors
    /// [`Error::Unauthenticated`] without a person, [`Error::NotFound`] for a repetition after the actor has left, or a
    /// failing port.
    #[tracing::instrument(name = "projects.create", skip_all, err(Debug, level = "debug"))]
    pub async fn handle(&self, actor: &Actor, command: CreateProject) -> Result<ProjectView, Error> {
        Access::require_on_platform(actor, PlatformPermission::ProjectsCreate)?;
        let owner = actor.person()?;
        let id = ProjectId::from(self.ids.next());
        let events = Project::default().create(&command.name, owner, false)?;
        let context = actor.event_context(Some(id));
        let created = self.projects.create(context, id, &events, vec![], vec![], command.idempotency).await?;
        if created.replayed {
            return self.get.permitted(actor, created.id, Permission::ProjectsRead).await;
        }
        self.get.found(created.id).await
    }
}
