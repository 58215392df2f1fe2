use std::{pin::pin, sync::Arc};

use futures_util::{FutureExt, select_biased};

use super::execution::Execution;
use crate::fair_lock::{FairLock, Permit};

/// The one slot a worker has for runs that are suspected of crashing workers.
///
/// A crash loses everything else that the worker executes. Suspects are executed one at a time, each until it makes
/// progress, so that the innocent among them do not fail for the one that is the cause.
#[derive(Debug, Clone, Default)]
pub(super) struct Quarantine(Arc<FairLock>);

/// Held by the run that has the slot.
pub(super) type QuarantinePermit = Permit;

impl Execution {
    /// Waits until the run may be executed; returns false if that would take too long. A waiting run is not claimed in
    /// the log, so a crash meanwhile does not count against it.
    pub(super) async fn admitted(&mut self, quarantine: &Quarantine) -> bool {
        if !self.loaded.state.suspect() {
            return true;
        }
        let mut free = pin!(Arc::clone(&quarantine.0).acquire().fuse());
        let mut nudged = pin!(self.signals.nudge.signalled().fuse());
        let mut late = pin!(self.ports.clock.sleep(self.settings.lease / 2).fuse());
        select_biased! {
            () = nudged => false,
            quarantined = free => {
                self.quarantined = Some(quarantined);
                true
            }
            () = late => false,
        }
    }
}
