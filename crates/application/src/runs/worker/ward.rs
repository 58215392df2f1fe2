use std::{pin::pin, sync::Arc};

use futures_util::{FutureExt, select_biased};

use super::execution::Execution;
use crate::line::{Line, Turn};

/// The one place a worker has for runs that may be what workers vanish of.
///
/// Whatever else a worker carries out vanishes with it. Runs that met that often are carried out one after the other, each until
/// something comes of it, so that they do not end for the one among them that is the reason.
#[derive(Debug, Clone, Default)]
pub(super) struct Ward(Arc<Line>);

/// Held by the run that has the place.
pub(super) type Bed = Turn;

impl Execution {
    /// Waits until the run may be taken; false where that would take too long. What waits is not claimed in the log: should the
    /// worker vanish meanwhile, that is not held against the run.
    pub(super) async fn admitted(&mut self, ward: &Ward) -> bool {
        if !self.loaded.state.suspect() {
            return true;
        }
        let mut free = pin!(Arc::clone(&ward.0).turn().fuse());
        let mut nudged = pin!(self.signals.nudge.signalled().fuse());
        let mut late = pin!(self.ports.clock.sleep(self.settings.lease / 2).fuse());
        select_biased! {
            () = nudged => false,
            bed = free => {
                self.bed = Some(bed);
                true
            }
            () = late => false,
        }
    }
}
