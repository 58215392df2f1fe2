//! How a worker claims a run: the queue leases it under the next fence, and the log records that fence.
//!
//! A worker may be suspended, or its append delayed, for longer than the lease. Another worker may then hold the run
//! and be in the middle of a call that must not be repeated. So a claim is recorded only under the leased fence, and
//! used only while the lease still belongs to this worker.

use devskyy_domain::runs::Run;

use super::{
    commit::{ATTEMPTS, Committed, Orders},
    execution::{Execution, Hold, Stop},
};
use crate::{error::PortError, runs::ports::Claim};

impl Execution {
    /// Records the claim of a leased run. If the fence was raised without another worker, for example by a
    /// cancellation, the lease is renewed under the new fence first.
    pub(super) async fn claim(&mut self, held: &mut Hold) -> Result<(), Stop> {
        self.beat = held.leased_at + self.settings.lease / 3;
        let worker = self.settings.name.clone();
        for attempt in 0..ATTEMPTS {
            if self.loaded.state.ended() {
                return Err(Stop::Lost);
            }
            let next = Claim { fence: self.loaded.state.fence() + 1, ..held.claim };
            if next == held.claim {
                self.still_leased(held).await?;
            } else {
                self.lease_anew(held, next).await?;
            }
            let (fence, now) = (held.claim.fence, self.ports.clock.now());
            let decide = |run: &Run| run.claim(&worker, fence, now);
            if let Some(Committed::Recorded(_)) = self.attempt(attempt, &Orders::new(), &decide).await? {
                (held.recorded, self.fence) = (true, Some(fence));
                if self.loaded.state.fence() != fence {
                    return Err(Stop::Lost);
                }
                return if self.loaded.state.ended() { Ok(()) } else { self.still_leased(held).await };
            }
        }
        Err(Stop::Broken(PortError::transient("event store", "claiming a run", "the run is contended")))
    }

    /// Renews the lease once part of it has passed; until then no other worker can have it.
    async fn still_leased(&mut self, held: &mut Hold) -> Result<(), Stop> {
        if self.ports.clock.now() < self.beat { Ok(()) } else { self.lease_anew(held, held.claim).await }
    }

    /// Leases the run under a fence. The claim stays the one that is leased, so that it can be given back if this fails.
    async fn lease_anew(&mut self, held: &mut Hold, claim: Claim) -> Result<(), Stop> {
        let asked = self.ports.clock.now();
        if !self.ports.queue.renew(&self.settings.name, claim, self.settings.lease).await? {
            return Err(Stop::Lost);
        }
        (held.claim, held.leased_at, self.beat) = (claim, asked, asked + self.settings.lease / 3);
        Ok(())
    }
}
