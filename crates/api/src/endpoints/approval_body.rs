use chrono::{DateTime, Utc};
use devskyy_application::runs::ApprovalView;
use devskyy_domain::kernel::Json;
use serde::Serialize;
use utoipa::ToSchema;

use crate::bounds::ApprovalStatusName;
use crate::ids::{ApprovalRef, ProjectRef, RunRef};

/// A question a run asks people.
#[derive(Serialize, ToSchema)]
#[schema(as = Approval)]
pub(super) struct ApprovalBody {
    /// Which question.
    id: ApprovalRef,
    /// Which run asks.
    run_id: RunRef,
    /// The project the run belongs to.
    project_id: ProjectRef,
    /// The step that asks.
    step: String,
    /// The element of the step, if the step has `for_each`.
    index: Option<u32>,
    /// The question.
    #[schema(example = "File a ticket about 3 duplicated packages?")]
    prompt: String,
    /// The data to look at before deciding.
    #[schema(value_type = Value)]
    data: Json,
    /// The tool, if the approval is about a call; `data` are then its arguments.
    tool: Option<String>,
    /// SHA-256 of the arguments it is about, in hexadecimal.
    arguments_hash: Option<String>,
    /// Arguments the call is made with instead.
    #[schema(value_type = Option<Value>)]
    edited_arguments: Option<Json>,
    /// When it counts as denied.
    expires_at: Option<DateTime<Utc>>,
    /// `open`, `approved`, `denied`, `expired` or `withdrawn`.
    #[schema(value_type = ApprovalStatusName)]
    status: &'static str,
    /// When it was asked.
    requested_at: DateTime<Utc>,
    /// When it was answered.
    decided_at: Option<DateTime<Utc>>,
    /// Who answered.
    decided_by: Option<String>,
    /// The reason, for the record.
    reason: Option<String>,
}

impl From<ApprovalView> for ApprovalBody {
    fn from(approval: ApprovalView) -> Self {
        let (tool, arguments_hash) = approval.call.map(|call| (call.tool, call.arguments_hash)).unzip();
        Self {
            id: approval.id.into(),
            tool,
            arguments_hash,
            edited_arguments: approval.edit.map(|edit| edit.arguments),
            expires_at: approval.expires_at,
            run_id: approval.run_id.into(),
            project_id: approval.project_id.into(),
            step: approval.place.step,
            index: approval.place.index,
            prompt: approval.prompt,
            data: approval.data,
            status: approval.status.as_str(),
            requested_at: approval.requested_at,
            decided_at: approval.decided_at,
            decided_by: approval.decided_by,
            reason: approval.reason,
        }
    }
}
