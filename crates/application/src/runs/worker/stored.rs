//! Large results in the hands of a worker: kept before they are recorded, read back where they are needed.

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

/// How often a result is tried to be kept before its run is given up for now.
const ATTEMPTS: u32 = 8;

/// Why what a step needs is not at hand.
pub(super) enum Recall {
    /// It never will be: the step fails.
    Lost(Failure),
    /// The store is away.
    Broken(PortError),
}

impl WorkerPorts {
    fn results(&self) -> Results {
        Results::new(Arc::clone(&self.results), Arc::clone(&self.clock))
    }

    /// The value as it can be recorded: itself, or a reference once it is kept. It is tried for a while, because what a
    /// tool has answered may not come a second time.
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

/// Results of one run that are kept beside the log, as far as they were needed.
#[derive(Debug, Default)]
pub(super) struct Recalled(BTreeMap<ResultHash, Arc<Json>>);

impl Recalled {
    /// One of them; `None` where it was not asked for.
    pub(super) fn get(&self, stored: &StoredResult) -> Option<&Json> {
        self.0.get(&stored.hash).map(AsRef::as_ref)
    }

    /// Reads back what some steps gave, as far as it is not at hand already.
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
