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

/// Settles a call whose outcome is unknown.
#[derive(Debug)]
pub struct ReconcileRun {
    /// The run.
    pub run: RunId,
    /// The call.
    pub operation: OperationId,
    /// The outcome.
    pub verdict: Verdict,
    /// The version the caller last saw, to detect concurrent changes.
    pub expected: Option<Version>,
}

/// Records verdicts.
pub struct ReconcileRunHandler {
    pub(super) runs: Repository<Run>,
    pub(super) reading: RunReading,
    pub(super) results: Results,
    pub(super) clock: Arc<dyn Clock>,
}

impl ReconcileRunHandler {
    /// Records the verdict; the same append makes the run claimable. A run that has ended stays ended.
    ///
    /// # Errors
    /// [`Error::NotFound`] for an unknown run or call, [`Error::Forbidden`], [`Error::StaleVersion`], or a refusal when
    /// the outcome is not in doubt, or the call is to be repeated in a run that has ended.
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

    /// The verdict as it is recorded: a result that is too large for an event is stored first.
    async fn kept(&self, project: ProjectId, verdict: Verdict) -> Result<Verdict, PortError> {
        Ok(match verdict {
            Verdict::Succeeded { result: Value::Inline(result) } => {
                Verdict::Succeeded { result: self.results.kept(project, &result).await? }
            }
            verdict => verdict,
        })
    }
}
