//! Runs that begin from an earlier one.

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
    /// The deadline of the new run; the definition's own limit applies in any case.
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
    /// The agent version to run; that of the other run if omitted.
    #[validate(range(min = 1))]
    #[schema(minimum = 1)]
    agent_version: Option<u32>,
    /// The input; that of the other run if omitted.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Value, required = false)]
    input: Option<Json>,
    /// `low`, `normal` or `high`; that of the other run, without it.
    #[schema(value_type = Option<PriorityName>)]
    priority: Option<Priority>,
    /// The deadline of the new run; the definition's own limit applies in any case.
    deadline: Option<DateTime<Utc>>,
    /// Seconds that the answer may wait until the run has ended or needs a person.
    #[validate(range(max = WAIT_S))]
    #[schema(maximum = 60, default = 0)]
    wait_s: Option<u16>,
}

/// `null` is an input like any other; only an omitted member is absent.
fn present<'de, D: Deserializer<'de>>(value: D) -> Result<Option<Json>, D::Error> {
    Json::deserialize(value).map(Some)
}

/// Retry an ended run.
///
/// The new run executes the same agent version on the same input from the beginning. It names the old one, which does
/// not change, in `retry_of`. Limits apply anew.
#[utoipa::path(
    tag = "runs",
    security(("bearer" = [])),
    params(("id" = RunRef, Path, description = "Which run"), IdempotencyKey),
    request_body = Option<NewRetry>,
    responses(
        (status = 200, description = "The new run has ended within `wait_s`", body = RunBody),
        (status = 202, description = "The new run is in progress; follow `Location`", body = RunBody),
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

/// Fork a run from one of its steps.
///
/// The results of earlier steps are taken over and shown with `taken_over`; they are not executed again. The new run
/// names the old one, which does not change, in `forked_from`. Limits apply anew.
#[utoipa::path(
    tag = "runs",
    security(("bearer" = [])),
    params(("id" = RunRef, Path, description = "Which run"), IdempotencyKey),
    request_body = NewFork,
    responses(
        (status = 200, description = "The new run has ended within `wait_s`", body = RunBody),
        (status = 202, description = "The new run is in progress; follow `Location`", body = RunBody),
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
