use std::sync::Arc;

use devskyy_domain::{
    kernel::{
        Version,
        ids::{OperationId, ProjectId, RunId},
    },
    runs::{Run, RunError, Value, Verdict},
};

use super::{reading::RunReading, results::Results, views::RunView};
use crate::{
    access::Permission,
    context::Actor,
    error::{Error, PortError},
    es::Repository,
    ports::Clock,
};

/// Settles a call nobody knows the outcome of.
#[derive(Debug)]
pub struct ReconcileRun {
    /// Which run.
    pub run: RunId,
    /// Which call.
    pub operation: OperationId,
    /// What became of it.
    pub verdict: Verdict,
    /// The version the caller last saw, if it cares.
    pub expected: Option<Version>,
}

/// Takes verdicts.
pub struct ReconcileRunHandler {
    pub(super) runs: Repository<Run>,
    pub(super) reading: RunReading,
    pub(super) results: Results,
    pub(super) clock: Arc<dyn Clock>,
}

impl ReconcileRunHandler {
    /// Records the verdict; the run may be taken up again with the same unit of work. One that has ended stays so.
    ///
    /// # Errors
    /// [`Error::NotFound`] for a run or call that is not there, [`Error::Forbidden`], [`Error::StaleVersion`], or a
    /// refusal when the outcome is not in doubt, or the call is to be made again in a run that has ended.
    #[tracing::instrument(name = "runs.reconcile", skip_all, fields(run = %command.run), err(Debug, level = "debug"))]
    pub async fn handle(&self, actor: &Actor, command: ReconcileRun) -> Result<RunView, Error> {
        let ReconcileRun { run, operation, verdict, expected } = command;
        let project = self.reading.require(actor, run, Permission::RunsDecide).await?.project_id;
        let (context, now) = (actor.event_context(Some(project)), self.clock.now());
        let by = context.actor.clone();
        let known = self.runs.load(run).await?.state.reconcile(operation, &verdict, &by, now);
        if known == Err(RunError::OperationUnknown) {
            return Err(Error::NotFound(format!("operation {operation}")));
        }
        let verdict = if known.is_ok() { self.kept(project, verdict).await? } else { verdict };
        self.runs.update(context, run, expected, |run| run.reconcile(operation, &verdict, &by, now)).await?;
        self.reading.view(run).await
    }

    /// The verdict as it can be recorded: a result that is too large for an event is kept before.
    async fn kept(&self, project: ProjectId, verdict: Verdict) -> Result<Verdict, PortError> {
        Ok(match verdict {
            Verdict::Succeeded { result: Value::Inline(result) } => {
                Verdict::Succeeded { result: self.results.kept(project, &result).await? }
            }
            verdict => verdict,
        })
    }
}
