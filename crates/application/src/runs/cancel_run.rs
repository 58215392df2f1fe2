use std::sync::Arc;

use devskyy_domain::{
    kernel::{Version, ids::RunId},
    runs::Run,
};

use super::{reading::RunReading, views::RunView};
use crate::{access::Permission, context::Actor, error::Error, es::Repository, ports::Clock};

/// Requests the cancellation of a run.
#[derive(Debug)]
pub struct CancelRun {
    /// The run.
    pub run: RunId,
    /// The reason, for the record.
    pub reason: Option<String>,
    /// The version the caller last saw, to detect concurrent changes.
    pub expected: Option<Version>,
}

/// Cancels runs.
pub struct CancelRunHandler {
    pub(super) runs: Repository<Run>,
    pub(super) reading: RunReading,
    pub(super) clock: Arc<dyn Clock>,
}

impl CancelRunHandler {
    /// Cancels the run; later reports of its worker are refused. Cancelling a cancelled run changes nothing.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::Forbidden`], [`Error::StaleVersion`], or a refusal when it has ended already.
    #[tracing::instrument(name = "runs.cancel", skip_all, fields(run = %command.run), err(Debug, level = "debug"))]
    pub async fn handle(&self, actor: &Actor, command: CancelRun) -> Result<RunView, Error> {
        let CancelRun { run, reason, expected } = command;
        let project = self.reading.require(actor, run, Permission::RunsCancel).await?.project_id;
        let (context, now) = (actor.event_context(Some(project)), self.clock.now());
        let by = context.actor.clone();
        self.runs.update(context, run, expected, |run| run.cancel(&by, reason.as_deref(), now)).await?;
        self.reading.view(run).await
    }
}
