use actix_web::{HttpRequest, HttpResponse, get, post, web::Data};
use devskyy_application::runs::{ApprovalStatus, DecideApproval, ListApprovals, ReconcileRun, Runs};
use devskyy_domain::{
    kernel::{
        Json,
        ids::{ApprovalId, OperationId, RunId},
    },
    runs::{Choice, Verdict},
};
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};
use validator::{Validate, ValidationError};

use super::{approval_body::ApprovalBody, run_bodies::RunBody, runs::current};
use crate::{
    bounds::{ApprovalStatusName, DecisionName, REASON, ReasonText},
    extract::{Body, CurrentActor, Id, IfMatch, Paged, Parameters, changed, page, paged},
    ids::{ApprovalRef, OperationRef, ProjectRef, RunRef},
    mount::Mount,
    openapi::{
        answers::{Changing, Listing},
        headers::OnlyIf,
        parts::Paging,
    },
    problem::Problem,
};

pub(super) fn configure(config: &mut impl Mount) {
    config.service(list_approvals).service(decide_approval).service(reconcile_operation);
}

/// Answers a question.
#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"decision": "approve", "reason": "looks right"}))]
struct Answer {
    /// `approve` or `deny`.
    #[schema(value_type = DecisionName)]
    decision: Choice,
    /// With `approve` of a call: make it with these arguments instead.
    #[schema(value_type = Option<Value>)]
    arguments: Option<Json>,
    /// The reason, for the record.
    #[validate(length(max = REASON))]
    #[schema(value_type = Option<ReasonText>)]
    reason: Option<String>,
}

/// The verdict on a call.
#[derive(Clone, Copy, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum Outcome {
    /// The call had its effect.
    Succeeded,
    /// The call had no effect and is not repeated.
    Failed,
    /// The call had no effect; repeat it.
    Retry,
}

/// A verdict on a call in doubt.
#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[validate(schema(function = fitting))]
#[schema(example = json!({"verdict": "succeeded", "result": {"ticket": 17}}))]
struct NewVerdict {
    /// The verdict.
    verdict: Outcome,
    /// With `succeeded`: the result that later steps see.
    #[schema(value_type = Option<Value>)]
    result: Option<Json>,
    /// With `failed`: the reason, for the record.
    #[validate(length(max = REASON))]
    #[schema(value_type = Option<ReasonText>)]
    reason: Option<String>,
}

fn fitting(sent: &NewVerdict) -> Result<(), ValidationError> {
    let misplaced = |text: &'static str| Err(ValidationError::new("request.one_of").with_message(text.into()));
    match sent.verdict {
        Outcome::Failed | Outcome::Retry if sent.result.is_some() => misplaced("`result` belongs to `succeeded`"),
        Outcome::Succeeded | Outcome::Retry if sent.reason.is_some() => misplaced("`reason` belongs to `failed`"),
        Outcome::Succeeded | Outcome::Failed | Outcome::Retry => Ok(()),
    }
}

impl From<NewVerdict> for Verdict {
    fn from(sent: NewVerdict) -> Self {
        match sent.verdict {
            Outcome::Succeeded => Self::Succeeded { result: sent.result.unwrap_or_default().into() },
            Outcome::Failed => Self::Failed { reason: sent.reason },
            Outcome::Retry => Self::Retry,
        }
    }
}

/// Which questions a list shows.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "only describes what the list takes")]
struct ApprovalFilter {
    /// Only those of this project.
    #[param(required = false)]
    project_id: ProjectRef,
    /// Only those of this run.
    #[param(required = false)]
    run_id: RunRef,
    /// Only those of which this became: `open`, `approved`, `denied`, `expired` or `withdrawn`.
    #[param(required = false, example = "open")]
    status: ApprovalStatusName,
}

/// List the approvals that runs ask for, oldest first.
#[utoipa::path(
    tag = "runs",
    security(("bearer" = [])),
    params(Paging, ApprovalFilter),
    responses((status = 200, description = "One page of them", body = Paged<ApprovalBody>), Listing)
)]
#[get("/approvals")]
async fn list_approvals(
    runs: Data<Runs>,
    CurrentActor(actor): CurrentActor,
    request: HttpRequest,
    mut parameters: Parameters,
) -> Result<HttpResponse, Problem> {
    let query = ListApprovals {
        project: parameters.take_id("project_id"),
        run: parameters.take_id("run_id"),
        status: parameters.take_by("status", "open, approved, denied, expired or withdrawn", ApprovalStatus::named),
        page: page(&mut parameters),
    };
    parameters.finish()?;
    let page = query.page.clone();
    let found = runs.approvals.handle(&actor, query).await?;
    Ok(paged(&request, &page, found.map(ApprovalBody::from)))
}

/// Decide an approval of a run.
///
/// Repeating a decision has no effect; a different one afterwards is refused. An approval of a call is bound to its
/// exact arguments: the call is made with them, or with `arguments` sent with the decision.
#[utoipa::path(
    tag = "runs",
    security(("bearer" = [])),
    params(
        ("id" = RunRef, Path, description = "Which run"),
        ("approval_id" = ApprovalRef, Path, description = "Which question"),
        OnlyIf
    ),
    request_body = Answer,
    responses((status = 200, description = "The run, which continues", body = RunBody), Changing)
)]
#[post("/runs/{id}/approvals/{approval_id}")]
async fn decide_approval(
    runs: Data<Runs>,
    CurrentActor(actor): CurrentActor,
    Id((run, approval)): Id<(RunId, ApprovalId)>,
    only_if: IfMatch,
    body: Body<Answer>,
) -> Result<HttpResponse, Problem> {
    let expected = only_if.expected(current(&runs, &actor, run)).await?;
    let Answer { decision, arguments, reason } = body.into_inner();
    let command = DecideApproval { run, approval, decision, arguments, reason, expected };
    let run = runs.decide_approval.handle(&actor, command).await?;
    Ok(changed(&RunBody::from(run)))
}

/// Give a verdict on a call in doubt.
///
/// An `unsafe` call whose result was lost waits for a verdict. After the end of the run `succeeded` and `failed` are
/// still accepted: they are recorded, and the run stays ended.
#[utoipa::path(
    tag = "runs",
    security(("bearer" = [])),
    params(
        ("id" = RunRef, Path, description = "Which run"),
        ("operation_id" = OperationRef, Path, description = "Which call: `operation_id` of the step"),
        OnlyIf
    ),
    request_body = NewVerdict,
    responses((status = 200, description = "The run, which continues unless it has ended", body = RunBody), Changing)
)]
#[post("/runs/{id}/steps/{operation_id}/reconcile")]
async fn reconcile_operation(
    runs: Data<Runs>,
    CurrentActor(actor): CurrentActor,
    Id((run, operation)): Id<(RunId, OperationId)>,
    only_if: IfMatch,
    body: Body<NewVerdict>,
) -> Result<HttpResponse, Problem> {
    let expected = only_if.expected(current(&runs, &actor, run)).await?;
    let command = ReconcileRun { run, operation, verdict: body.into_inner().into(), expected };
    let run = runs.reconcile.handle(&actor, command).await?;
    Ok(changed(&RunBody::from(run)))
}
