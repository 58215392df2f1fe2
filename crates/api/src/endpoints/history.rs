use actix_web::{HttpRequest, HttpResponse, get, web::Data};
use chrono::{DateTime, Utc};
use devskyy_application::{
    agents::{AgentHistory, Agents},
    es::HistoryEntry,
    projects::{ProjectHistory, Projects},
};
use devskyy_domain::kernel::{
    Json,
    ids::{AgentId, ProjectId},
};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::{
    extract::{CurrentActor, Id, Paged, Parameters, page, paged},
    ids::{AgentRef, ProjectRef},
    mount::Mount,
    openapi::{answers::Narrowed, parts::Paging},
    problem::Problem,
};

pub(super) fn configure(config: &mut impl Mount) {
    config.service(agent_history).service(project_history);
}

/// An event.
#[derive(Serialize, ToSchema)]
#[schema(as = HistoryEntry)]
struct EntryBody {
    /// Its position in the platform's one log.
    #[schema(example = 4711)]
    position: u64,
    /// Its number among the events of the agent or the project, from 1: the `version` after it.
    #[schema(example = 4)]
    sequence: u64,
    /// The id.
    id: Uuid,
    /// The type of the event.
    #[schema(example = "agent.renamed")]
    r#type: &'static str,
    /// When.
    at: DateTime<Utc>,
    /// Who caused it: `user:<id>`, `key:<id>` or `system:<name>`.
    #[schema(example = "user:01938f2e-0000-7000-8000-000000000000")]
    actor: String,
    /// The rest; depends on `type`.
    #[schema(value_type = Object)]
    data: Json,
}

impl From<HistoryEntry> for EntryBody {
    fn from(told: HistoryEntry) -> Self {
        let HistoryEntry { position, sequence, id, kind, at, actor, data } = told;
        Self { position, sequence, id, r#type: kind, at, actor, data }
    }
}

/// List the events of an agent, oldest first.
///
/// `sequence` is the `version` of `GET /agents/{id}` after the event. A published version is given by its number.
#[utoipa::path(
    tag = "agents",
    security(("bearer" = [])),
    params(("id" = AgentRef, Path, description = "Which agent"), Paging),
    responses((status = 200, description = "One page of it", body = Paged<EntryBody>), Narrowed)
)]
#[get("/agents/{id}/history")]
async fn agent_history(
    agents: Data<Agents>,
    CurrentActor(actor): CurrentActor,
    Id(agent): Id<AgentId>,
    request: HttpRequest,
    mut parameters: Parameters,
) -> Result<HttpResponse, Problem> {
    let page = page(&mut parameters);
    parameters.finish()?;
    let told = agents.history.handle(&actor, AgentHistory { agent, page: page.clone() }).await?;
    Ok(paged(&request, &page, told.map(EntryBody::from)))
}

/// List the events of a project, oldest first.
///
/// `sequence` is the `version` of `GET /projects/{id}` after the event. People appear by id only.
#[utoipa::path(
    tag = "projects",
    security(("bearer" = [])),
    params(("id" = ProjectRef, Path, description = "Which project"), Paging),
    responses((status = 200, description = "One page of it", body = Paged<EntryBody>), Narrowed)
)]
#[get("/projects/{id}/history")]
async fn project_history(
    projects: Data<Projects>,
    CurrentActor(actor): CurrentActor,
    Id(project): Id<ProjectId>,
    request: HttpRequest,
    mut parameters: Parameters,
) -> Result<HttpResponse, Problem> {
    let page = page(&mut parameters);
    parameters.finish()?;
    let told = projects.history.handle(&actor, ProjectHistory { project, page: page.clone() }).await?;
    Ok(paged(&request, &page, told.map(EntryBody::from)))
}
