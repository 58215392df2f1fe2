use std::sync::Arc;

use devskyy_domain::{
    kernel::{
        Version,
        ids::{ApprovalId, RunId},
    },
    runs::{Choice, Run, RunError},
};

use super::{reading::RunReading, views::RunView};
use crate::{access::Permission, context::Actor, error::Error, es::Repository, ports::Clock};

/// Answers a question a run asks.
#[derive(Debug)]
pub struct DecideApproval {
    /// Which run.
    pub run: RunId,
    /// Which question.
    pub approval: ApprovalId,
    /// The answer.
    pub decision: Choice,
    /// Why, for the record.
    pub reason: Option<String>,
    /// The version the caller last saw, if it cares.
    pub expected: Option<Version>,
}

/// Takes answers.
pub struct DecideApprovalHandler {
    pub(super) runs: Repository<Run>,
    pub(super) reading: RunReading,
    pub(super) clock: Arc<dyn Clock>,
}

impl DecideApprovalHandler {
    /// Records the answer; the run may be taken up again with the same unit of work. The same answer twice is once.
    ///
    /// # Errors
    /// [`Error::NotFound`] for a run or question that is not there, [`Error::Forbidden`], [`Error::StaleVersion`], or a
    /// refusal when the other answer was given or the run has ended.
    #[tracing::instrument(name = "runs.decide_approval", skip_all, fields(run = %command.run), err(Debug, level = "debug"))]
    pub async fn handle(&self, actor: &Actor, command: DecideApproval) -> Result<RunView, Error> {
        let DecideApproval { run, approval, decision, reason, expected } = command;
        let project = self.reading.require(actor, run, Permission::RunsDecide).await?;
        let known = self.runs.load(run).await?.state.decide_approval(approval, decision, None, "", self.clock.now());
        if known == Err(RunError::ApprovalUnknown) {
            return Err(Error::NotFound(format!("approval {approval}")));
        }
        let (context, now) = (actor.event_context(Some(project)), self.clock.now());
        let by = context.actor.clone();
        let decide = |run: &Run| run.decide_approval(approval, decision, reason.as_deref(), &by, now);
        self.runs.update(context, run, expected, decide).await?;
        self.reading.view(run).await
    }
}
