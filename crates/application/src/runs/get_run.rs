use devskyy_domain::kernel::ids::RunId;

use super::{reading::RunReading, views::RunView};
use crate::{access::Permission, context::Actor, error::Error};

/// Asks for one run.
#[derive(Debug)]
pub struct GetRun {
    /// Which.
    pub run: RunId,
}

/// Shows runs.
pub struct GetRunHandler {
    pub(super) reading: RunReading,
}

impl GetRunHandler {
    /// The run with everything about it, as of the newest event.
    ///
    /// # Errors
    /// [`Error::NotFound`] for a run the actor may not see.
    #[tracing::instrument(name = "runs.get", skip_all, fields(run = %query.run), err(Debug, level = "debug"))]
    pub async fn handle(&self, actor: &Actor, query: GetRun) -> Result<RunView, Error> {
        self.reading.permitted(actor, query.run, Permission::RunsRead).await
    }
}
