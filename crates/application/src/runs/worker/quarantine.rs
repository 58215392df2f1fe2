use std::{pin::pin, sync::Arc};

use futures_util::{FutureExt, select_biased};

use super::execution::Execution;
use crate::fair_lock::{FairLock, Permit};

/// The one place a worker has for runs that are suspected of crashing workers.
///
/// Whatever else a worker executes is lost with it. Suspects are executed one at a time, each until it makes progress, so that
/// the innocent among them do not end for the one that is the reason.
#[derive(Debug, Clone, Default)]
pub(super) struct Quarantine(Arc<FairLock>);

/// Held by the run that has the place.
pub(super) type QuarantinePermit = Permit;

impl Execution {
    /// Waits until the run may be taken; false where that would take too long. What waits is not claimed in the log: should the
    /// worker vanish meanwhile, that is not held against the run.
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
