use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    future::poll_fn,
    sync::{Arc, Mutex, MutexGuard, PoisonError, Weak},
    task::Poll,
};

use chrono::{DateTime, Utc};
use devskyy_domain::kernel::ids::RunId;
use futures_util::task::AtomicWaker;

use super::{Delta, Spoken, elsewhere::Elsewhere};

/// Maximum number of deltas queued for one subscriber; a slower one loses deltas.
const WAITING: usize = 256;

/// Delivers deltas from workers to subscribers in the same process, and queues those for other processes. A subscriber
/// that is slow, or subscribes late, misses some.
#[derive(Debug, Default)]
pub struct LiveRuns {
    state: Mutex<State>,
    relay: AtomicWaker,
}

#[derive(Debug, Default)]
struct State {
    rooms: BTreeMap<RunId, Room>,
    /// Runs with local subscribers that other processes have not been notified of.
    unannounced: BTreeSet<RunId>,
    elsewhere: Elsewhere,
    /// Number of deltas published in this process so far.
    said: u64,
}

/// The subscribers of one run.
#[derive(Debug, Default)]
struct Room {
    inboxes: Vec<Weak<Inbox>>,
    /// Order key of the last delta delivered.
    latest: (u64, u64, u64),
}

#[derive(Debug, Default)]
struct Inbox {
    deltas: Mutex<VecDeque<Delta>>,
    waker: AtomicWaker,
}

impl Inbox {
    fn deltas(&self) -> MutexGuard<'_, VecDeque<Delta>> {
        self.deltas.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Delivers a delta to local subscribers, unless a later one was delivered before.
    fn deliver(&mut self, spoken: &Spoken) {
        let Some(room) = self.rooms.get_mut(&spoken.run) else { return };
        if spoken.place() <= room.latest {
            return;
        }
        room.latest = spoken.place();
        room.inboxes.retain(|inbox| {
            let Some(inbox) = inbox.upgrade() else { return false };
            let mut waiting = inbox.deltas();
            if waiting.len() < WAITING {
                waiting.push_back(spoken.delta.clone());
            }
            drop(waiting);
            inbox.waker.wake();
            true
        });
        if room.inboxes.is_empty() {
            self.rooms.remove(&spoken.run);
        }
    }

    /// Removes runs without subscribers, so that the map does not outgrow the number of subscribers.
    fn tidy(&mut self) {
        self.rooms.retain(|_, room| room.inboxes.iter().any(|inbox| inbox.strong_count() > 0));
        self.unannounced.retain(|run| self.rooms.contains_key(run));
    }
}

impl LiveRuns {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Publishes a delta of the run, produced under the claim `fence`; never waits.
    pub fn publish(&self, run: RunId, fence: u64, delta: &Delta) {
        let mut state = self.state();
        let wanted = state.elsewhere.wants(run);
        if !wanted && !state.rooms.contains_key(&run) {
            return;
        }
        state.said += 1;
        let spoken = Spoken { run, fence, number: state.said, delta: delta.clone() };
        state.deliver(&spoken);
        if wanted {
            state.elsewhere.keep(spoken);
            drop(state);
            self.relay.wake();
        }
    }

    /// Subscribes to a run from now on.
    #[must_use]
    pub fn listen(&self, run: RunId) -> LiveListener {
        let inbox = Arc::new(Inbox::default());
        let mut state = self.state();
        state.tidy();
        if !state.rooms.contains_key(&run) {
            state.unannounced.insert(run);
        }
        state.rooms.entry(run).or_default().inboxes.push(Arc::downgrade(&inbox));
        drop(state);
        self.relay.wake();
        LiveListener(inbox)
    }

    /// Delivers a delta from another process.
    pub(super) fn hear(&self, spoken: &Spoken) {
        self.state().deliver(spoken);
    }

    /// Records that other processes subscribe to these runs until `until`.
    pub(super) fn listened_to_elsewhere(&self, runs: Vec<RunId>, until: DateTime<Utc>) {
        self.state().elsewhere.listen(runs, until);
    }

    /// Completes once there is something to send to other processes.
    pub(super) async fn owing(&self) {
        poll_fn(|context| {
            self.relay.register(context.waker());
            let state = self.state();
            if state.elsewhere.is_owed() || !state.unannounced.is_empty() { Poll::Ready(()) } else { Poll::Pending }
        })
        .await;
    }

    /// Takes the local deltas to send to other processes.
    pub(super) fn take_owed(&self, now: DateTime<Utc>) -> Vec<Spoken> {
        self.state().elsewhere.take(now)
    }

    /// Takes the runs with local subscribers to announce: those not announced yet, or all.
    pub(super) fn take_interest(&self, all: bool) -> Vec<RunId> {
        let mut state = self.state();
        state.tidy();
        let fresh = std::mem::take(&mut state.unannounced);
        if all { state.rooms.keys().copied().collect() } else { fresh.into_iter().collect() }
    }
}

/// A subscriber to one run.
#[derive(Debug)]
pub struct LiveListener(Arc<Inbox>);

impl LiveListener {
    /// Completes once there is something to take.
    pub async fn heard(&self) {
        poll_fn(|context| {
            self.0.waker.register(context.waker());
            if self.0.deltas().is_empty() { Poll::Pending } else { Poll::Ready(()) }
        })
        .await;
    }

    /// Takes all deltas since the last call.
    #[must_use]
    pub fn take(&self) -> Vec<Delta> {
        self.0.deltas().drain(..).collect()
    }
}

#[cfg(test)]
mod tests {
    use devskyy_domain::kernel::ids::OperationId;
    use futures_util::FutureExt;
    use uuid::Uuid;

    use super::*;

    fn run(n: u128) -> RunId {
        RunId::from(Uuid::from_u128(n))
    }

    fn delta(offset: u64) -> Delta {
        let operation = OperationId::from(Uuid::from_u128(9));
        Delta { step: "turn_1".into(), operation, attempt: 1, offset, text: "x".into() }
    }

    fn spoken(fence: u64, number: u64, offset: u64) -> Spoken {
        Spoken { run: run(1), fence, number, delta: delta(offset) }
    }

    #[test]
    fn a_listener_hears_its_run_and_no_other() {
        let live = LiveRuns::default();
        let listener = live.listen(run(1));
        live.publish(run(2), 1, &delta(0));
        live.publish(run(1), 1, &delta(1));
        assert_eq!(listener.take(), [delta(1)]);
    }

    #[test]
    fn a_slow_listener_loses_pieces_and_holds_up_nobody() {
        let live = LiveRuns::default();
        let (slow, quick) = (live.listen(run(1)), live.listen(run(1)));
        let heard: usize = (0..1_000)
            .map(|offset| {
                live.publish(run(1), 1, &delta(offset));
                quick.take().len()
            })
            .sum();
        assert_eq!((heard, slow.take().len()), (1_000, WAITING));
    }

    #[test]
    fn a_listener_is_woken_when_there_is_something() {
        let live = LiveRuns::default();
        let listener = live.listen(run(1));
        let before = listener.heard().now_or_never();
        live.publish(run(1), 1, &delta(0));
        assert_eq!((before, listener.heard().now_or_never()), (None, Some(())));
    }

    #[test]
    fn runs_nobody_listens_to_are_forgotten() {
        let live = LiveRuns::default();
        (0..10).for_each(|n| drop(live.listen(run(n))));
        let _one = live.listen(run(99));
        let state = live.state();
        assert_eq!((state.rooms.len(), state.unannounced.len()), (1, 1));
    }

    #[test]
    fn what_comes_twice_or_out_of_order_is_told_once_and_in_order() {
        let live = LiveRuns::default();
        let listener = live.listen(run(1));
        for piece in [spoken(1, 1, 0), spoken(1, 3, 5), spoken(1, 2, 3), spoken(1, 3, 5), spoken(1, 3, 6)] {
            live.hear(&piece);
        }
        assert_eq!(listener.take(), [delta(0), delta(5), delta(6)]);
    }

    #[test]
    fn whoever_lost_the_run_is_not_heard_any_more() {
        let live = LiveRuns::default();
        let listener = live.listen(run(1));
        live.hear(&spoken(2, 1, 0));
        live.publish(run(1), 1, &delta(7));
        live.hear(&spoken(1, 9, 8));
        assert_eq!(listener.take(), [delta(0)]);
    }

    #[test]
    fn nothing_is_kept_for_others_who_did_not_ask() {
        let live = LiveRuns::default();
        let _here = live.listen(run(1));
        live.publish(run(1), 1, &delta(0));
        assert_eq!(live.take_owed(DateTime::UNIX_EPOCH), []);
    }
}
