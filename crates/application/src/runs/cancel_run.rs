use std::sync::Arc;

use devskyy_domain::{
    kernel::{Version, ids::RunId},
    runs::Run,
};

use super::{reading::RunReading, views::RunView};
use crate::{access::Permission, context::Actor, error::Error, es::Repository, ports::Clock};

/// Asks a run to stop.
#[derive(Debug)]
pub struct CancelRun {
    /// Which.
    pub run: RunId,
    /// Why, for the record.
    pub reason: Option<String>,
    /// The version the caller last saw, if it cares.
    pub expected: Option<Version>,
}

/// Stops runs.
pub struct CancelRunHandler {
    pub(super) runs: Repository<Run>,
    pub(super) reading: RunReading,
    pub(super) clock: Arc<dyn Clock>,
}

impl CancelRunHandler {
    /// Stops the run: whatever its worker does from now on is refused. Stopping a stopped run changes nothing.
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
