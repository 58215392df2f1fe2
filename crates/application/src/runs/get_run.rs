use devskyy_domain::kernel::{Version, ids::RunId};

use super::{reading::RunReading, views::RunView};
use crate::{access::Permission, context::Actor, error::Error, es::Moment};

/// Requests one run.
#[derive(Debug)]
pub struct GetRun {
    /// The run.
    pub run: RunId,
    /// The moment to show; the current state if `None`.
    pub moment: Option<Moment>,
    /// Whether to include its steps: they are most of a long run.
    pub steps: bool,
}

/// Returns runs.
///
/// The version can be had without the run: a client that knows it needs nothing else.
pub struct GetRunHandler {
    pub(super) reading: RunReading,
}

impl GetRunHandler {
    /// The run with all details, as of the newest event or an earlier moment; permissions are checked as of now.
    ///
    /// # Errors
    /// [`Error::NotFound`] for a run the actor may not see, or a moment or version it has not reached.
    #[tracing::instrument(name = "runs.get", skip_all, fields(run = %query.run), err(Debug, level = "debug"))]
    pub async fn handle(&self, actor: &Actor, query: GetRun) -> Result<RunView, Error> {
        match query.moment {
            None => self.reading.permitted(actor, query.run, Permission::RunsRead, query.steps).await,
            Some(moment) => self.reading.back_then(actor, query.run, moment, query.steps).await,
        }
    }

    /// The run's current version. Nothing is read from the log.
    ///
    /// # Errors
    /// [`Error::NotFound`] for a run the actor may not see.
    pub async fn version(&self, actor: &Actor, run: RunId) -> Result<Version, Error> {
        Ok(self.reading.require(actor, run, Permission::RunsRead).await?.version)
    }
}
