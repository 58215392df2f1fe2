//! What becomes of a run that cannot be carried out for a reason that will not pass: it is left alone, longer each time, and
//! fails in the end.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use devskyy_domain::{
    kernel::ids::RunId,
    runs::{Ending, Failure},
};

use super::{
    WorkerPorts, WorkerSettings,
    commit::Orders,
    execution::{Execution, Stop},
    letting_go::Signals,
};
use crate::{error::PortError, runs::ports::Claim};

/// How often a run is tried before it fails.
const TRIES: u32 = 5;
/// Longest time a run is left alone.
const LONGEST: Duration = Duration::from_secs(600);
/// Runs whose setbacks are remembered.
const MOST: usize = 4_096;

/// How often each run could not be carried out by this worker, since it last could.
#[derive(Debug, Default)]
pub(super) struct Setbacks(Mutex<BTreeMap<RunId, u32>>);

impl Setbacks {
    fn counts(&self) -> MutexGuard<'_, BTreeMap<RunId, u32>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts one more.
    fn count(&self, run: RunId) -> u32 {
        let mut counts = self.counts();
        if counts.len() >= MOST && !counts.contains_key(&run) {
            // Others have most likely ended them.
            counts.pop_first();
        }
        let count = counts.entry(run).or_default();
        *count = count.saturating_add(1);
        *count
    }

    /// The run went on, ended, or is somebody else's.
    pub(super) fn forget(&self, run: RunId) {
        self.counts().remove(&run);
    }
}

/// A run at which something went wrong, in the hands of whom it happened to.
pub(super) struct Setback {
    pub(super) ports: WorkerPorts,
    pub(super) settings: Arc<WorkerSettings>,
    pub(super) held: Claim,
    pub(super) signals: Arc<Signals>,
    pub(super) error: PortError,
}

impl Setback {
    /// Keeps the run from everybody for a while, which whoever cancels it ends; or fails it, where it was tried often enough.
    pub(super) async fn take(self, setbacks: &Setbacks) {
        let Self { ports, settings, held, signals, error } = self;
        let count = setbacks.count(held.run);
        tracing::error!(run = %held.run, count, error = ?error, "the run cannot be carried out");
        if count >= TRIES {
            match Execution::fail(ports.clone(), Arc::clone(&settings), held, signals, &error).await {
                Ok(()) | Err(Stop::Lost) => return setbacks.forget(held.run),
                Err(Stop::Broken(error)) => {
                    tracing::error!(run = %held.run, error = ?error, "the run cannot be failed")
                }
            }
        }
        let pause = settings.lease.saturating_mul(1 << count.min(16)).min(LONGEST);
        if let Err(error) = ports.queue.renew(&settings.name, held, pause).await {
            tracing::warn!(run = %held.run, error = ?error, "cannot leave the run alone for longer than its lease");
        }
    }
}

impl Execution {
    /// Takes the run once more, only to end it.
    async fn fail(
        ports: WorkerPorts,
        settings: Arc<WorkerSettings>,
        held: Claim,
        signals: Arc<Signals>,
        error: &PortError,
    ) -> Result<(), Stop> {
        let (queue, worker) = (Arc::clone(&ports.queue), Arc::clone(&settings));
        let mut execution = Self::load(ports, settings, held.run, signals).await?;
        let now = execution.ports.clock.now();
        execution.commit(&Orders::new(), |run| run.claim(&worker.name, now)).await?;
        let fence = execution.loaded.state.fence();
        let message = format!("the platform could not carry the run out, {TRIES} times in a row: {error}");
        let ending = Ending::Failed(Failure::new("run.not_carried_out", message));
        execution.finish(fence, &ending).await?;
        if let Err(error) = queue.release(&worker.name, Claim { fence, ..held }).await {
            tracing::debug!(run = %held.run, error = ?error, "the lease of a run that has ended is left to lapse");
        }
        Ok(())
    }
}
