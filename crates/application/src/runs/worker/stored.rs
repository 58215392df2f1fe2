//! Large results: stored before they are recorded, read back when they are needed.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use devskyy_domain::{
    kernel::{
        Json,
        ids::{ProjectId, RunId},
    },
    runs::{Failure, ResultHash, Run, StepState, StoredResult, Value},
};

use super::WorkerPorts;
use crate::{
    error::PortError,
    runs::results::{Results, Unread},
};

/// How often storing a result is tried before its run is released for now.
const ATTEMPTS: u32 = 8;

/// Why a result that a step needs is not available.
pub(super) enum Recall {
    /// Permanently: the step fails.
    Lost(Failure),
    /// The store is unavailable.
    Broken(PortError),
}

impl WorkerPorts {
    fn results(&self) -> Results {
        Results::new(Arc::clone(&self.results), Arc::clone(&self.clock))
    }

    /// The value as it is recorded: inline, or a reference once it is stored. Storing is retried for a while, because a
    /// tool may not return its result a second time.
    pub(super) async fn kept(&self, project: ProjectId, value: &Json) -> Result<Value, PortError> {
        for attempt in 1.. {
            match self.results().kept(project, value).await {
                Err(error) if error.retryable && attempt < ATTEMPTS => {
                    tracing::warn!(error = ?error, "a result cannot be kept, trying again");
                    self.clock.sleep(Duration::from_millis(50 << attempt.min(5))).await;
                }
                outcome => return outcome,
            }
        }
        Err(PortError::transient("result store", "keeping a result", "it was tried too often"))
    }
}

/// Results of one run from beside the log, as far as they were needed.
#[derive(Debug, Default)]
pub(super) struct Recalled(BTreeMap<ResultHash, Arc<Json>>);

impl Recalled {
    /// One of them; `None` if it was not read back.
    pub(super) fn get(&self, stored: &StoredResult) -> Option<&Json> {
        self.0.get(&stored.hash).map(AsRef::as_ref)
    }

    /// Reads back the results of some steps, unless they are available already.
    pub(super) async fn recall<'a>(
        &mut self,
        ports: &WorkerPorts,
        run: &Run,
        id: RunId,
        steps: impl Iterator<Item = &'a str>,
    ) -> Result<(), Recall> {
        let Some(order) = run.order() else { return Ok(()) };
        let wanted = steps.filter_map(|step| run.step(step)).flat_map(StepState::stored).map(|stored| stored.hash);
        let wanted: BTreeSet<_> = wanted.filter(|hash| !self.0.contains_key(hash)).collect();
        for hash in wanted {
            let value = ports.results().value(order.project, hash).await.map_err(|unread| match unread {
                Unread::Port(error) => Recall::Broken(error),
                lost @ (Unread::Missing(_) | Unread::Damaged(_)) => {
                    tracing::error!(run = %id, %hash, "the run cannot read what one of its steps gave");
                    Recall::Lost(Failure::new("run.result_lost", lost.to_string()))
                }
            })?;
            self.0.insert(hash, Arc::new(value));
        }
        Ok(())
    }
}
