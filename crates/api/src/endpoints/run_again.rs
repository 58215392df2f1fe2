//! Runs that begin where another one was.

use std::time::Duration;

use actix_web::{HttpResponse, post, web::Data};
use chrono::{DateTime, Utc};
use devskyy_application::runs::{ForkRun, RetryRun, Runs};
use devskyy_domain::{
    kernel::{Json, ids::RunId},
    runs::Priority,
};
use serde::{Deserialize, Deserializer};
use utoipa::ToSchema;
use validator::Validate;

use super::{run_bodies::RunBody, runs::started};
use crate::{
    bounds::{PriorityName, WAIT_S},
    extract::{Body, CurrentActor, Id, OptionalKeyedBody},
    ids::RunRef,
    mount::Mount,
    openapi::{answers::Creating, headers::IdempotencyKey},
    problem::Problem,
};

pub(super) fn configure(config: &mut impl Mount) {
    config.service(retry_run).service(fork_run);
}

/// Repeats a run.
#[derive(Default, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"wait_s": 10}))]
struct NewRetry {
    /// `low`, `normal` or `high`; that of the other run, without it.
    #[schema(value_type = Option<PriorityName>)]
    priority: Option<Priority>,
    /// When the new run ends at the latest; the definition's own limit holds in any case.
    deadline: Option<DateTime<Utc>>,
    /// Seconds that the answer may wait until the run has ended or needs a person.
    #[validate(range(max = WAIT_S))]
    #[schema(maximum = 60, default = 0)]
    wait_s: Option<u16>,
}

/// Lets a run go its own way from a step of another.
#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"step": "greet", "agent_version": 2}))]
struct NewFork {
    /// The first step the new run takes itself; in a run of an assistant `turn_3` asks the model for its third answer,
    /// `turn_3_tools` makes the calls that answer wanted.
    #[validate(length(min = 1, max = 80))]
    #[schema(min_length = 1, max_length = 80, example = "greet")]
    step: String,
    /// Which version of the agent it runs; that of the other run, without it.
    #[validate(range(min = 1))]
    #[schema(minimum = 1)]
    agent_version: Option<u32>,
    /// What it works on; what the other run does, without it.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Value, required = false)]
    input: Option<Json>,
    /// `low`, `normal` or `high`; that of the other run, without it.
    #[schema(value_type = Option<PriorityName>)]
    priority: Option<Priority>,
    /// When the new run ends at the latest; the definition's own limit holds in any case.
    deadline: Option<DateTime<Utc>>,
    /// Seconds that the answer may wait until the run has ended or needs a person.
    #[validate(range(max = WAIT_S))]
    #[schema(maximum = 60, default = 0)]
    wait_s: Option<u16>,
}

/// `null` is an input like any other; only what is left out is not there.
fn present<'de, D: Deserializer<'de>>(value: D) -> Result<Option<Json>, D::Error> {
    Json::deserialize(value).map(Some)
}

/// Repeat a run that has ended.
///
/// The new run is of the same agent version on the same input, begins from the beginning, and names the run it repeats in
/// `retry_of`; that one stays as it is. Limits apply anew.
#[utoipa::path(
    tag = "runs",
    security(("bearer" = [])),
    params(("id" = RunRef, Path, description = "Which run"), IdempotencyKey),
    request_body = Option<NewRetry>,
    responses(
        (status = 200, description = "The new run has ended within `wait_s`", body = RunBody),
        (status = 202, description = "The new run goes on; look at it under `Location`", body = RunBody),
        Creating
    )
)]
#[post("/runs/{id}/retry")]
async fn retry_run(
    runs: Data<Runs>,
    CurrentActor(actor): CurrentActor,
    Id(run): Id<RunId>,
    body: OptionalKeyedBody<NewRetry>,
) -> Result<HttpResponse, Problem> {
    let (NewRetry { priority, deadline, wait_s }, idempotency) = body.keyed(&actor);
    let wait = wait_s.map(|seconds| Duration::from_secs(seconds.into()));
    Ok(started(runs.retry.handle(&actor, RetryRun { run, priority, deadline, wait, idempotency }).await?))
}

/// Let a run go its own way from a step of another.
///
/// What is before the step is taken over with its results and not carried out again; those steps are shown with
/// `taken_over`. The new run names the other one in `forked_from`; that one stays as it is. Limits apply anew.
#[utoipa::path(
    tag = "runs",
    security(("bearer" = [])),
    params(("id" = RunRef, Path, description = "Which run"), IdempotencyKey),
    request_body = NewFork,
    responses(
        (status = 200, description = "The new run has ended within `wait_s`", body = RunBody),
        (status = 202, description = "The new run goes on; look at it under `Location`", body = RunBody),
        Creating
    )
)]
#[post("/runs/{id}/fork")]
async fn fork_run(
    runs: Data<Runs>,
    CurrentActor(actor): CurrentActor,
    Id(run): Id<RunId>,
    body: Body<NewFork>,
) -> Result<HttpResponse, Problem> {
    let (NewFork { step, agent_version, input, priority, deadline, wait_s }, idempotency) = body.keyed(&actor);
    let wait = wait_s.map(|seconds| Duration::from_secs(seconds.into()));
    let command = ForkRun { run, step, agent_version, input, priority, deadline, wait, idempotency };
    Ok(started(runs.fork.handle(&actor, command).await?))
}
