use std::time::Duration;

use actix_web::{
    HttpRequest, HttpResponse, get,
    http::{
        StatusCode,
        header::{ETAG, LOCATION},
    },
    post,
    web::Data,
};
use chrono::{DateTime, Utc};
use devskyy_application::{
    context::Actor,
    paging::Sort,
    runs::{CancelRun, ChildOf, GetRun, ListRuns, RunFilter, RunStatus, Runs, StartRun, StartedRun},
};
use devskyy_domain::{
    kernel::{
        Json, Version,
        ids::{AgentId, RunId},
    },
    runs::{Priority, Waiting},
};
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};
use validator::Validate;

use super::run_bodies::{RunBody, RunSummaryBody};
use crate::{
    bounds::{PriorityName, REASON, ReasonText, RunStatusName, WAIT_S, WaitingName},
    extract::{
        BY_AGE, Body, CurrentActor, INSTANT, Id, IfMatch, OptionalBody, Paged, Parameters, changed, etag, moment, page,
        paged, shown, unchanged,
    },
    ids::{AgentRef, ProjectRef, RunRef},
    mount::Mount,
    openapi::{
        answers::{Changing, Creating, Listing, Narrowed},
        headers::{IdempotencyKey, OnlyIf, Unless},
        parts::{BackThen, Paging},
    },
    problem::{Problem, request},
    version::address,
};

pub(super) fn configure(config: &mut impl Mount) {
    config.service(execute_agent).service(list_runs).service(get_run).service(cancel_run);
}

/// A run to start.
#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"input": {"name": "Ada"}, "wait_s": 10}))]
struct NewRun {
    /// The input; it must match the agent's input schema.
    #[serde(default)]
    #[schema(value_type = Value, required = false)]
    input: Json,
    /// `low`, `normal` or `high`.
    #[serde(default)]
    #[schema(value_type = PriorityName, required = false)]
    priority: Priority,
    /// The deadline; the definition's own limit applies in any case.
    deadline: Option<DateTime<Utc>>,
    /// Seconds that the answer may wait until the run has ended or needs a person.
    #[validate(range(max = WAIT_S))]
    #[schema(maximum = 60, default = 0)]
    wait_s: Option<u16>,
}

/// Says why a run is to stop.
#[derive(Default, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"reason": "started by mistake"}))]
struct Cancellation {
    /// The reason, for the record.
    #[validate(length(max = REASON))]
    #[schema(value_type = Option<ReasonText>)]
    reason: Option<String>,
}

/// Which runs a list shows.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "only describes what the list takes")]
struct Narrowing {
    /// Only those of this project.
    #[param(required = false)]
    project_id: ProjectRef,
    /// Only those of this agent.
    #[param(required = false)]
    agent_id: AgentRef,
    /// Only those that stand there; several with commas between.
    #[param(required = false, style = Form, explode = false, example = json!(["failed", "expired"]))]
    status: Vec<RunStatusName>,
    /// Only those that wait for that; several with commas between for any of them. `approval` and `reconcile` wait for people.
    #[param(required = false, style = Form, explode = false, example = json!(["approval", "reconcile"]))]
    waiting_for: Vec<WaitingName>,
    /// Only those that this run asked for.
    #[param(required = false)]
    parent_run_id: RunRef,
    /// `true` for only those that no run asked for.
    #[param(required = false, default = false)]
    root: bool,
    /// Only those that repeat this run.
    #[param(required = false)]
    retry_of: RunRef,
    /// Only those that left this run.
    #[param(required = false)]
    forked_from: RunRef,
    /// Only those asked for at this instant or later.
    #[param(required = false)]
    created_from: DateTime<Utc>,
    /// Only those asked for before this instant.
    #[param(required = false)]
    created_before: DateTime<Utc>,
    /// `created_at`, with `-` before it for descending.
    #[param(required = false, default = "-created_at", pattern = "^-?(created_at)$")]
    sort: String,
}

/// Run an agent.
///
/// The run executes the agent's current version and continues without the client. With `wait_s` the response is
/// delayed, at most that long, until the run has ended or waits for a person.
#[utoipa::path(
    tag = "runs",
    security(("bearer" = [])),
    params(("id" = AgentRef, Path, description = "Which agent"), IdempotencyKey),
    request_body = NewRun,
    responses(
        (status = 200, description = "The run has ended within `wait_s`", body = RunBody),
        (status = 202, description = "The run is in progress; follow `Location`", body = RunBody),
        Creating
    )
)]
#[post("/agents/{id}/execute")]
async fn execute_agent(
    runs: Data<Runs>,
    CurrentActor(actor): CurrentActor,
    Id(agent): Id<AgentId>,
    body: Body<NewRun>,
) -> Result<HttpResponse, Problem> {
    let (NewRun { input, priority, deadline, wait_s }, idempotency) = body.keyed(&actor);
    let wait = wait_s.map(|seconds| Duration::from_secs(seconds.into()));
    let run = runs.start.handle(&actor, StartRun { agent, input, priority, deadline, wait, idempotency }).await?;
    Ok(started(run))
}

/// The response to the start of a run.
pub(super) fn started(StartedRun { run, .. }: StartedRun) -> HttpResponse {
    let summary = &run.summary;
    let status = if summary.status.ended() { StatusCode::OK } else { StatusCode::ACCEPTED };
    HttpResponse::build(status)
        .insert_header((LOCATION, address(format_args!("/runs/{}", RunRef::from(summary.id)))))
        .insert_header((ETAG, etag(summary.version)))
        .json(RunBody::from(run))
}

const STATUS: &str = "the status of a run, or several, separated by commas";
const WAITS: &str = "approval, timer, reconcile or child, or several, separated by commas";

/// Whose children are requested. A run without a parent is the child of no run.
fn parent(parameters: &mut Parameters) -> Option<ChildOf> {
    let above = parameters.take_id("parent_run_id").map(ChildOf::Run);
    let root = parameters.take_by("root", "true or false", |raw| raw.parse::<bool>().ok()).unwrap_or_default();
    if root && above.is_some() {
        let detail = "cannot be combined with `parent_run_id`".to_owned();
        parameters.fault(request::PARAMETER.code, "root", detail);
    }
    above.or(root.then_some(ChildOf::Nobody))
}

/// List the runs that the caller may see.
#[utoipa::path(
    tag = "runs",
    security(("bearer" = [])),
    params(Paging, Narrowing),
    responses((status = 200, description = "One page of them", body = Paged<RunSummaryBody>), Listing)
)]
#[get("/runs")]
async fn list_runs(
    runs: Data<Runs>,
    CurrentActor(actor): CurrentActor,
    request: HttpRequest,
    mut parameters: Parameters,
) -> Result<HttpResponse, Problem> {
    let query = ListRuns {
        project: parameters.take_id("project_id"),
        filter: RunFilter {
            agent: parameters.take_id("agent_id"),
            status: parameters.take_each("status", STATUS, RunStatus::named).unwrap_or_default(),
            waiting_for: parameters.take_each("waiting_for", WAITS, Waiting::named).unwrap_or_default(),
            parent: parent(&mut parameters),
            retry_of: parameters.take_id("retry_of"),
            forked_from: parameters.take_id("forked_from"),
            created_from: parameters.take("created_from", INSTANT),
            created_before: parameters.take("created_before", INSTANT),
            sort: parameters.take_sort(&BY_AGE, Sort::default()),
        },
        page: page(&mut parameters),
    };
    parameters.finish()?;
    let page = query.page.clone();
    let found = runs.list.handle(&actor, query).await?;
    Ok(paged(&request, &page, found.map(RunSummaryBody::from)))
}

/// Which steps a run is shown with.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "only describes what the endpoint takes")]
struct Steps {
    /// `none` leaves the steps out.
    #[param(required = false, default = "all", pattern = "^(all|none)$")]
    steps: String,
}

fn steps(raw: &str) -> Option<bool> {
    match raw {
        "all" => Some(true),
        "none" => Some(false),
        _ => None,
    }
}

/// Show a run with its steps.
///
/// Shows the current state, or with `version` or `as_of` an earlier one. Access is decided as of now. With `steps=none`
/// the list of steps, which is most of a long run, is empty.
#[utoipa::path(
    tag = "runs",
    security(("bearer" = [])),
    params(("id" = RunRef, Path, description = "Which run"), BackThen, Steps, Unless),
    responses(
        (status = 200, description = "The run", body = RunBody),
        (status = 304, description = "Nothing newer than `If-None-Match`"),
        Narrowed
    )
)]
#[get("/runs/{id}")]
async fn get_run(
    runs: Data<Runs>,
    CurrentActor(actor): CurrentActor,
    Id(run): Id<RunId>,
    request: HttpRequest,
    mut parameters: Parameters,
) -> Result<HttpResponse, Problem> {
    let moment = moment(&mut parameters);
    let steps = parameters.take_by("steps", "all or none", steps).unwrap_or(true);
    parameters.finish()?;
    if moment.is_none()
        && let Some(nothing_new) = unchanged(&request, current(&runs, &actor, run)).await?
    {
        return Ok(nothing_new);
    }
    let run = runs.get.handle(&actor, GetRun { run, moment, steps }).await?;
    shown(&request, &RunBody::from(run))
}

/// Cancel a run.
///
/// Appends of its worker are refused from now on. Cancelling again changes nothing.
#[utoipa::path(
    tag = "runs",
    security(("bearer" = [])),
    params(("id" = RunRef, Path, description = "Which run"), OnlyIf),
    request_body = Option<Cancellation>,
    responses((status = 200, description = "The run on its way out", body = RunBody), Changing)
)]
#[post("/runs/{id}/cancel")]
async fn cancel_run(
    runs: Data<Runs>,
    CurrentActor(actor): CurrentActor,
    Id(run): Id<RunId>,
    only_if: IfMatch,
    OptionalBody(Cancellation { reason }): OptionalBody<Cancellation>,
) -> Result<HttpResponse, Problem> {
    let expected = only_if.expected(current(&runs, &actor, run)).await?;
    let run = runs.cancel.handle(&actor, CancelRun { run, reason, expected }).await?;
    Ok(changed(&RunBody::from(run)))
}

/// The current version of the run.
pub(super) async fn current(runs: &Runs, actor: &Actor, run: RunId) -> Result<Version, Problem> {
    Ok(runs.get.version(actor, run).await?)
}
