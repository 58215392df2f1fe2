use devskyy_domain::{kernel::ids::RunId, runs::ResultHash};

use super::{reading::RunReading, results::Results};
use crate::{
    access::Permission,
    context::Actor,
    error::{Error, PortError},
};

/// Requests a result that a run refers to.
#[derive(Debug)]
pub struct GetResult {
    /// The run.
    pub run: RunId,
    /// The result's hash.
    pub hash: ResultHash,
}

/// Returns results that are too large for a run's events.
pub struct GetResultHandler {
    pub(super) reading: RunReading,
    pub(super) results: Results,
}

impl GetResultHandler {
    /// The JSON text of a result, as it was stored. A result that only other runs refer to is reported as missing, so
    /// that a run's readers cannot find out what other runs hold.
    ///
    /// # Errors
    /// [`Error::NotFound`] for a run the actor may not see or a result it does not refer to; [`Error::Port`] when the
    /// result is missing or damaged.
    #[tracing::instrument(name = "runs.result", skip_all, fields(run = %query.run), err(Debug, level = "debug"))]
    pub async fn handle(&self, actor: &Actor, query: GetResult) -> Result<Vec<u8>, Error> {
        let GetResult { run, hash } = query;
        let (project, refers) = self.reading.refers(actor, run, hash, Permission::RunsRead).await?;
        if !refers {
            return Err(Error::NotFound(format!("result {hash} of run {run}")));
        }
        Ok(self.results.text(project, hash).await.map_err(PortError::from)?)
    }
}
