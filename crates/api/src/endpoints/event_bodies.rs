use chrono::{DateTime, Utc};
use devskyy_application::runs::{Delta, RunPublished};
use devskyy_domain::kernel::{Json, ids::RunId};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::ids::{ProjectRef, RunRef};

/// An event of a run.
#[derive(Serialize, ToSchema)]
#[schema(as = RunEvent)]
pub(super) struct EventBody {
    /// Its position in the platform's one log; streams and pages resume after it.
    #[schema(example = 4711)]
    pub(super) position: u64,
    /// Its number among the run's events, from 1.
    sequence: u64,
    /// The id.
    id: Uuid,
    /// The type of the event.
    #[schema(example = "run.tool_succeeded")]
    pub(super) r#type: &'static str,
    /// To which run.
    run_id: RunRef,
    /// The project.
    project_id: Option<ProjectRef>,
    /// When.
    at: DateTime<Utc>,
    /// Who caused it.
    #[schema(example = "system:worker")]
    actor: String,
    /// The rest; depends on `type`.
    #[schema(value_type = Object)]
    data: Json,
}

impl From<RunPublished> for EventBody {
    fn from(event: RunPublished) -> Self {
        Self {
            position: event.position,
            sequence: event.sequence,
            id: event.id,
            r#type: event.kind,
            run_id: event.run_id.into(),
            project_id: event.project_id.map(Into::into),
            at: event.at,
            actor: event.actor,
            data: event.data,
        }
    }
}

/// A piece of a model's answer in progress; the durable event of the call replaces all of them.
#[derive(Serialize)]
pub(super) struct DeltaBody {
    /// The run.
    run_id: RunRef,
    /// The step that calls the model.
    step: String,
    /// The operation id, the same as in the durable event.
    operation_id: Uuid,
    /// The number of the attempt.
    attempt: u32,
    /// Bytes of the answer before this piece: 0 begins anew, a jump says that pieces were lost.
    offset: u64,
    /// The piece; empty if the answer so far is void.
    text: String,
}

impl DeltaBody {
    pub(super) fn new(run: RunId, delta: Delta) -> Self {
        let Delta { step, operation, attempt, offset, text } = delta;
        Self { run_id: run.into(), step, operation_id: operation.into(), attempt, offset, text }
    }
}

/// A stretch of what happened to a run.
#[derive(Serialize, ToSchema)]
#[schema(as = RunEvents)]
pub(super) struct EventsBody {
    /// The events, in order.
    pub(super) items: Vec<EventBody>,
    /// Send it as `after` to continue.
    pub(super) next_after: u64,
    /// Whether there is more to read at once.
    pub(super) more: bool,
    /// Whether the run has ended and these items are the last so far. A verdict on a call in doubt may still follow.
    pub(super) ended: bool,
}
