//! What happens to a run that cannot be executed.
//!
//! After a transient error, its worker hands it over and keeps the lease once more, as a pause. After a permanent one,
//! the run is left alone, longer each time, and fails in the end. The log counts the attempts for all workers: each
//! claim without progress is one.

use std::{panic::AssertUnwindSafe, sync::Arc, time::Duration};

use devskyy_domain::runs::{Ending, Failure};
use futures_util::FutureExt;

use super::{
    WorkerPorts, WorkerSettings,
    execution::{Execution, Flow, Hold, Stop},
    letting_go::Signals,
};
use crate::{error::PortError, runs::ports::Claim};

/// How often a run is tried before it fails.
const TRIES: u32 = 5;
/// Longest backoff of a run.
const LONGEST: Duration = Duration::from_secs(600);

/// A run whose execution failed, with its worker's hold on it.
pub(super) struct Setback {
    pub(super) ports: WorkerPorts,
    pub(super) settings: Arc<WorkerSettings>,
    pub(super) held: Hold,
    pub(super) signals: Arc<Signals>,
    pub(super) error: PortError,
}

impl Setback {
    pub(super) async fn take(self) {
        let (stopping, claim) = (self.signals.stopping(), self.held.claim);
        let settled = if !self.held.recorded {
            self.leave(stopping).await
        } else if self.error.retryable {
            self.hand_over(stopping).await
        } else if stopping {
            // Another worker may succeed.
            tracing::error!(run = %claim.run, error = ?self.error, "the run is given up");
            true
        } else {
            self.fail().await
        };
        if settled && let Err(error) = self.ports.queue.release(&self.settings.name, claim).await {
            tracing::warn!(run = %claim.run, error = ?error, "cannot give the lease back");
        }
    }

    /// Leaves a run alone whose claim was never recorded: by now it may belong to another worker. Only the lease keeps
    /// others away for a while; returns whether to release it early.
    async fn leave(&self, stopping: bool) -> bool {
        let Self { held: Hold { claim, .. }, error, settings, .. } = self;
        tracing::error!(run = %claim.run, error = ?error, "the run cannot be claimed");
        if !stopping && !error.retryable {
            self.keep(*claim, settings.lease.saturating_mul(2).min(LONGEST)).await;
        }
        stopping
    }

    /// Hands the run over, so that this claim does not count as one without progress; returns whether to release the
    /// lease early.
    async fn hand_over(&self, stopping: bool) -> bool {
        let Self { held: Hold { claim, .. }, error, settings, .. } = self;
        tracing::error!(run = %claim.run, error = ?error, "the run is given up until its lease lapses");
        // The fence of the run after the hand-over.
        let next = Claim { fence: claim.fence + 1, ..*claim };
        if !stopping && !self.keep(next, settings.lease).await {
            return false;
        }
        let Some(mut execution) = self.loaded().await else { return stopping };
        let now = execution.ports.clock.now();
        if let Err(Stop::Broken(error)) = execution.hand_over(claim.fence, now).await {
            tracing::warn!(run = %claim.run, error = ?error, "the run cannot be handed over");
        }
        stopping
    }

    /// Extends the lease as a backoff, which a cancellation ends; or fails the run if it was tried often enough.
    /// Returns whether it has ended.
    async fn fail(&self) -> bool {
        let Self { held: Hold { claim, .. }, error, settings, .. } = self;
        let loaded = self.loaded().await;
        // The number of attempts is unknown if the run cannot be read.
        let tries = loaded.as_ref().map_or(1, |execution| execution.loaded.state.in_vain());
        tracing::error!(run = %claim.run, tries, error = ?error, "the run cannot be carried out");
        if let Some(mut execution) = loaded.filter(|_| tries >= TRIES) {
            let message = format!("the platform could not carry the run out, {tries} times in a row: {error}");
            let ending = Ending::Failed(Failure::new("run.not_carried_out", message));
            match execution.finish(claim.fence, &ending).await {
                Ok(Flow::Over) | Err(Stop::Lost) => return true,
                Ok(Flow::Again | Flow::Attend(_)) => {}
                Err(Stop::Broken(error)) => {
                    tracing::error!(run = %claim.run, error = ?error, "the run cannot be failed");
                }
            }
        }
        self.keep(*claim, settings.lease.saturating_mul(1 << tries.min(16)).min(LONGEST)).await;
        false
    }

    /// Loads the run again; `None` if that fails, because the error may be in reading it.
    async fn loaded(&self) -> Option<Execution> {
        let Self { ports, settings, held: Hold { claim, .. }, signals, .. } = self;
        let load = Execution::load(ports.clone(), Arc::clone(settings), claim.run, Arc::clone(signals));
        let mut execution = AssertUnwindSafe(load).catch_unwind().await.ok()?.ok()?;
        execution.fence = Some(claim.fence);
        Some(execution)
    }

    /// Extends the lease; returns false if the run has passed to another worker.
    async fn keep(&self, claim: Claim, time: Duration) -> bool {
        self.ports.queue.renew(&self.settings.name, claim, time).await.unwrap_or_else(|error| {
            tracing::warn!(run = %claim.run, error = ?error, "cannot leave the run alone for longer than its lease");
            true
        })
    }
}
