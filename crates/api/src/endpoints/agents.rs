use actix_web::{HttpRequest, HttpResponse, get, patch, post, web::Data};
use devskyy_application::{
    agents::{AgentSort, Agents, ChangeLifecycle, CreateAgent, GetAgent, ListAgents, UpdateAgent},
    context::Actor,
    paging::Sort,
};
use devskyy_domain::{
    agents::{AgentStatus, AgentType, Capabilities},
    kernel::{Json, Version, ids::AgentId},
};
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};
use validator::Validate;

use super::{bodies::AgentBody, definition_schema::DefinitionSchema};
use crate::{
    bounds::{
        AgentNameText, AgentStatusName, AgentTypeName, CapabilityList, CapabilityText, DescriptionText, SearchText,
    },
    extract::{Body, CurrentActor, Id, IfMatch, Paged, Parameters, changed, created, moment, page, paged, shown},
    ids::{AgentRef, ProjectRef},
    mount::Mount,
    openapi::{
        answers::{Acting, Changing, Creating, Listing, Narrowed},
        headers::{IdempotencyKey, OnlyIf, Unless},
        parts::{BackThen, Paging},
    },
    problem::Problem,
    version::address,
};

pub(super) fn configure(config: &mut impl Mount) {
    config.service(create_agent).service(list_agents).service(get_agent).service(update_agent);
    config.service(activate_agent).service(pause_agent).service(resume_agent).service(archive_agent);
}

/// An agent to create.
#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({
    "name": "Greeter", "type": "workflow", "capabilities": ["greeting"], "description": "Says hello",
    "definition": {
        "steps": [{"id": "greet", "tool": "template", "arguments": {"template": "Hello {{ name }}", "context": {"$jq": ".input"}}}],
        "output": {"$jq": ".steps.greet.output"}
    }
}))]
struct NewAgent {
    /// Its name, unique in its project.
    #[schema(value_type = AgentNameText)]
    name: String,
    /// `workflow`, a declared graph of steps, or `assistant`, a model in a loop with tools. An assistant can be active
    /// only if its model has a provider.
    #[schema(value_type = AgentTypeName)]
    r#type: String,
    /// The capabilities, as lower-case slugs.
    #[serde(default)]
    #[schema(value_type = CapabilityList, required = false)]
    capabilities: Vec<String>,
    /// The project it will belong to; your personal one without.
    project_id: Option<ProjectRef>,
    /// The description.
    #[serde(default)]
    #[schema(value_type = DescriptionText, required = false)]
    description: String,
    /// The definition; if given, it is published as version 1 and the agent is active.
    #[schema(value_type = Option<DefinitionSchema>)]
    definition: Option<Json>,
}

/// Changes; an omitted member stays unchanged.
#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"description": "Says hello to everybody"}))]
struct AgentChanges {
    /// Its new name.
    #[schema(value_type = Option<AgentNameText>)]
    name: Option<String>,
    /// Its new description.
    #[schema(value_type = Option<DescriptionText>)]
    description: Option<String>,
    /// Its new capabilities.
    #[schema(value_type = Option<CapabilityList>)]
    capabilities: Option<Vec<String>>,
}

/// Which agents a list shows.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "only describes what the list takes")]
struct AgentFilter {
    /// Only those of this project.
    #[param(required = false)]
    project_id: ProjectRef,
    /// Only those with this status: `draft`, `active`, `paused` or `archived`.
    #[param(required = false)]
    status: AgentStatusName,
    /// Only those of this type.
    #[param(required = false)]
    r#type: AgentTypeName,
    /// Only those with this in their name, letters' case aside.
    #[param(required = false)]
    name: SearchText,
    /// Only agents with this capability.
    #[param(required = false)]
    capability: CapabilityText,
    /// `created_at`, `updated_at` or `name`, with `-` before it for descending.
    #[param(required = false, default = "-created_at", pattern = "^-?(created_at|updated_at|name)$")]
    sort: String,
}

/// Create an agent.
///
/// With a `definition` it is published as version 1 and the agent is active at once; without one the agent is a draft.
#[utoipa::path(
    tag = "agents",
    security(("bearer" = [])),
    params(IdempotencyKey),
    request_body = NewAgent,
    responses((status = 201, description = "The agent", body = AgentBody), Creating)
)]
#[post("/agents")]
async fn create_agent(
    agents: Data<Agents>,
    CurrentActor(actor): CurrentActor,
    body: Body<NewAgent>,
) -> Result<HttpResponse, Problem> {
    let (new, idempotency) = body.keyed(&actor);
    let command = CreateAgent::parse(&new.name, &new.r#type, &new.capabilities, &new.description)?;
    let project = new.project_id.map(|project| project.0);
    let command = CreateAgent { project, definition: new.definition, idempotency, ..command };
    let agent = agents.create.handle(&actor, command).await?;
    Ok(created(address(format_args!("/agents/{}", AgentRef::from(agent.id))), &AgentBody::from(agent)))
}

/// List the agents that the caller may see.
#[utoipa::path(
    tag = "agents",
    security(("bearer" = [])),
    params(Paging, AgentFilter),
    responses((status = 200, description = "One page of them", body = Paged<AgentBody>), Listing)
)]
#[get("/agents")]
async fn list_agents(
    agents: Data<Agents>,
    CurrentActor(actor): CurrentActor,
    request: HttpRequest,
    mut parameters: Parameters,
) -> Result<HttpResponse, Problem> {
    let query = ListAgents {
        project: parameters.take_id("project_id"),
        status: parameters.take_by("status", "draft, active, paused or archived", AgentStatus::from_name),
        kind: parameters.take_by("type", "workflow or assistant", |raw| AgentType::parse(raw).ok()),
        name: parameters.take_search("name"),
        capability: parameters.take_by("capability", "a lower-case slug", capability),
        sort: parameters.take_sort(&SORTS, Sort::default()),
        page: page(&mut parameters),
    };
    parameters.finish()?;
    let page = query.page.clone();
    let found = agents.list.handle(&actor, query).await?;
    Ok(paged(&request, &page, found.map(AgentBody::from)))
}

fn capability(raw: &str) -> Option<String> {
    Capabilities::parse(&[raw]).ok().map(|_| raw.to_owned())
}

/// The fields agents can be sorted by, by name.
const SORTS: [(&str, AgentSort); 3] =
    [("created_at", AgentSort::CreatedAt), ("updated_at", AgentSort::UpdatedAt), ("name", AgentSort::Name)];

/// Show an agent.
///
/// Shows the current state, or with `version` or `as_of` an earlier one. Access is decided as of now. Versions of the
/// definition have numbers of their own.
#[utoipa::path(
    tag = "agents",
    security(("bearer" = [])),
    params(("id" = AgentRef, Path, description = "Which agent"), BackThen, Unless),
    responses(
        (status = 200, description = "The agent", body = AgentBody),
        (status = 304, description = "Nothing newer than `If-None-Match`"),
        Narrowed
    )
)]
#[get("/agents/{id}")]
async fn get_agent(
    agents: Data<Agents>,
    CurrentActor(actor): CurrentActor,
    Id(id): Id<AgentId>,
    request: HttpRequest,
    mut parameters: Parameters,
) -> Result<HttpResponse, Problem> {
    let moment = moment(&mut parameters);
    parameters.finish()?;
    let agent = agents.get.handle(&actor, GetAgent { id, moment }).await?;
    shown(&request, &AgentBody::from(agent))
}

/// Change an agent's name, description or capabilities.
#[utoipa::path(
    tag = "agents",
    security(("bearer" = [])),
    params(("id" = AgentRef, Path, description = "Which agent"), OnlyIf),
    request_body = AgentChanges,
    responses((status = 200, description = "The agent", body = AgentBody), Changing)
)]
#[patch("/agents/{id}")]
async fn update_agent(
    agents: Data<Agents>,
    CurrentActor(actor): CurrentActor,
    Id(id): Id<AgentId>,
    only_if: IfMatch,
    body: Body<AgentChanges>,
) -> Result<HttpResponse, Problem> {
    let expected = only_if.expected(current(&agents, &actor, id)).await?;
    let AgentChanges { name, description, capabilities } = body.into_inner();
    let command = UpdateAgent::parse(id, name.as_deref(), description.as_deref(), capabilities.as_deref())?;
    let agent = agents.update.handle(&actor, UpdateAgent { expected, ..command }).await?;
    Ok(changed(&AgentBody::from(agent)))
}

macro_rules! lifecycle {
    ($($(#[$doc:meta])* $name:ident = $path:literal, $handler:ident;)+) => {$(
        $(#[$doc])*
        #[utoipa::path(
            tag = "agents",
            security(("bearer" = [])),
            params(("id" = AgentRef, Path, description = "Which agent"), OnlyIf),
            responses((status = 200, description = "The agent", body = AgentBody), Acting)
        )]
        #[post($path)]
        async fn $name(
            agents: Data<Agents>,
            CurrentActor(actor): CurrentActor,
            Id(id): Id<AgentId>,
            only_if: IfMatch,
        ) -> Result<HttpResponse, Problem> {
            let expected = only_if.expected(current(&agents, &actor, id)).await?;
            let agent = agents.$handler.handle(&actor, ChangeLifecycle { id, expected }).await?;
            Ok(changed(&AgentBody::from(agent)))
        }
    )+};
}

lifecycle! {
    /// Activate a draft agent.
    activate_agent = "/agents/{id}/activate", activate;
    /// Pause an agent: no new runs start.
    pause_agent = "/agents/{id}/pause", pause;
    /// Resume a paused agent.
    resume_agent = "/agents/{id}/resume", resume;
    /// Archive an agent; its name becomes free.
    archive_agent = "/agents/{id}/archive", archive;
}

/// The current version of the agent.
pub(super) async fn current(agents: &Agents, actor: &Actor, id: AgentId) -> Result<Version, Problem> {
    Ok(agents.get.handle(actor, GetAgent { id, moment: None }).await?.version)
}
