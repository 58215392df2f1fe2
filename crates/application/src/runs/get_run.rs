use devskyy_domain::kernel::{Version, ids::RunId};

use super::{reading::RunReading, views::RunView};
use crate::{access::Permission, context::Actor, error::Error, es::Moment};

/// Asks for one run.
#[derive(Debug)]
pub struct GetRun {
    /// Which.
    pub run: RunId,
    /// As of when; as it stands, without it.
    pub moment: Option<Moment>,
    /// Whether its steps are wanted: they are most of a long run.
    pub steps: bool,
}

/// Shows runs.
///
/// Its version is told without the run: a client that knows it needs nothing else.
pub struct GetRunHandler {
    pub(super) reading: RunReading,
}

impl GetRunHandler {
    /// The run with everything about it, as of the newest event or of a moment before; who may see it is decided as of now.
    ///
    /// # Errors
    /// [`Error::NotFound`] for a run the actor may not see, a moment before it was asked for, or a version it has not come to.
    #[tracing::instrument(name = "runs.get", skip_all, fields(run = %query.run), err(Debug, level = "debug"))]
    pub async fn handle(&self, actor: &Actor, query: GetRun) -> Result<RunView, Error> {
        match query.moment {
            None => self.reading.permitted(actor, query.run, Permission::RunsRead, query.steps).await,
            Some(moment) => self.reading.back_then(actor, query.run, moment, query.steps).await,
        }
    }

    /// The run's version as it stands. Nothing is read from the log.
    ///
    /// # Errors
    /// [`Error::NotFound`] for a run the actor may not see.
    pub async fn version(&self, actor: &Actor, run: RunId) -> Result<Version, Error> {
        Ok(self.reading.require(actor, run, Permission::RunsRead).await?.version)
    }
}
