use std::sync::Arc;

use devskyy_domain::{
    kernel::{
        Json, RefusalKind, Version,
        ids::{ApprovalId, RunId},
    },
    runs::{Choice, Decided, Edit, Run},
};

use super::{hash::arguments_hash, ports::RunnableAgents, reading::RunReading, views::RunView};
use crate::{
    access::Permission,
    context::Actor,
    error::{Error, Refused},
    es::Repository,
    ports::Clock,
    workflow::Schemas,
};

/// Answers an approval of a run.
#[derive(Debug)]
pub struct DecideApproval {
    /// The run.
    pub run: RunId,
    /// The approval.
    pub approval: ApprovalId,
    /// The answer.
    pub decision: Choice,
    /// Edited arguments to make the call with instead.
    pub arguments: Option<Json>,
    /// The reason, for the record.
    pub reason: Option<String>,
    /// The version the caller last saw, to detect concurrent changes.
    pub expected: Option<Version>,
}

/// Records answers to approvals.
pub struct DecideApprovalHandler {
    pub(super) runs: Repository<Run>,
    pub(super) reading: RunReading,
    pub(super) agents: Arc<dyn RunnableAgents>,
    pub(super) schemas: Arc<dyn Schemas>,
    pub(super) clock: Arc<dyn Clock>,
}

impl DecideApprovalHandler {
    /// Records the answer; the same append makes the run claimable. Repeating the same answer changes nothing.
    ///
    /// # Errors
    /// [`Error::NotFound`] for an unknown run or approval, [`Error::Forbidden`], [`Error::StaleVersion`],
    /// [`Error::Invalid`] for arguments that do not match the tool's schema, or a refusal when another answer was
    /// given, the question has expired or the run has ended.
    #[tracing::instrument(name = "runs.decide_approval", skip_all, fields(run = %command.run), err(Debug, level = "debug"))]
    pub async fn handle(&self, actor: &Actor, command: DecideApproval) -> Result<RunView, Error> {
        let DecideApproval { run, approval, decision, arguments, reason, expected } = command;
        let project = self.reading.require(actor, run, Permission::RunsDecide).await?.project_id;
        let question = self.reading.views.approval(approval).await?;
        if question.is_none_or(|question| question.run_id != run) {
            return Err(Error::NotFound(format!("approval {approval}")));
        }
        let edit = match arguments {
            Some(arguments) => Some(Edit { arguments_hash: arguments_hash(&arguments)?, arguments }),
            None => None,
        };
        let (context, now) = (actor.event_context(Some(project)), self.clock.now());
        let by = context.actor.clone();
        let decided = Decided { choice: decision, edit: edit.as_ref(), reason: reason.as_deref(), by: &by };
        if let Some(edit) = &edit {
            self.check(&self.runs.load(run).await?.state, approval, &edit.arguments).await?;
        }
        self.runs.update(context, run, expected, |run| run.decide_approval(approval, &decided, now)).await?;
        self.reading.view(run).await
    }

    /// Edited arguments must match the tool's schema, like the model's own.
    async fn check(&self, run: &Run, approval: ApprovalId, arguments: &Json) -> Result<(), Error> {
        let (Some(proposal), Some(order)) = (run.proposal(approval), run.order()) else { return Ok(()) };
        let definition = self.agents.definition(order.agent, order.agent_version).await?;
        let offer = definition.and_then(|definition| definition.offer(&proposal.tool));
        let Some(schema) = offer.and_then(|offer| offer.schema) else { return Ok(()) };
        let violations = self.schemas.validate(&schema, arguments).await.err().unwrap_or_default();
        let refused = violations.into_iter().map(|violation| Refused {
            code: "run.arguments_schema",
            kind: RefusalKind::Invalid,
            detail: violation.message,
            pointer: Some(format!("/arguments{}", violation.pointer)),
        });
        let refused: Vec<_> = refused.collect();
        if refused.is_empty() { Ok(()) } else { Err(Error::Invalid(refused)) }
    }
}
