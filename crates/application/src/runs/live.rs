//! What a model is saying right now: heard in this process while somebody listens, and recorded nowhere.

use std::{
    collections::{BTreeMap, VecDeque},
    future::poll_fn,
    sync::{Arc, Mutex, MutexGuard, PoisonError, Weak},
    task::Poll,
};

use devskyy_domain::{
    kernel::ids::{OperationId, RunId},
    workflow::StepId,
};
use futures_util::task::AtomicWaker;

/// Most pieces that wait for one listener; a slower one loses pieces.
const WAITING: usize = 256;

/// A piece of what a model is saying.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delta {
    /// The step in which it is asked.
    pub step: StepId,
    /// Which call; the call's durable event closes the preview.
    pub operation: OperationId,
    /// Which try.
    pub attempt: u32,
    /// Bytes of the answer before this piece; 0 begins anew, and a jump says that pieces were lost.
    pub offset: u64,
    /// The piece; empty where what was said so far is void.
    pub text: String,
}

/// Carries deltas from workers to listeners of the same process. A listener that is slow, or comes late, misses some.
#[derive(Debug, Default)]
pub struct LiveRuns(Mutex<BTreeMap<RunId, Vec<Weak<Inbox>>>>);

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

impl LiveRuns {
    /// Hands a delta to whoever listens to the run; never waits.
    pub fn publish(&self, run: RunId, delta: &Delta) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(inboxes) = all.get_mut(&run) else { return };
        inboxes.retain(|inbox| {
            let Some(inbox) = inbox.upgrade() else { return false };
            let mut waiting = inbox.deltas();
            if waiting.len() < WAITING {
                waiting.push_back(delta.clone());
            }
            drop(waiting);
            inbox.waker.wake();
            true
        });
        if inboxes.is_empty() {
            all.remove(&run);
        }
    }

    /// Listens to a run from now on.
    #[must_use]
    pub fn listen(&self, run: RunId) -> LiveListener {
        let inbox = Arc::new(Inbox::default());
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // Runs nobody listens to any more are forgotten here, so that the list stays as long as there are listeners.
        all.retain(|_, inboxes| inboxes.iter().any(|inbox| inbox.strong_count() > 0));
        all.entry(run).or_default().push(Arc::downgrade(&inbox));
        LiveListener(inbox)
    }
}

/// Somebody who listens to one run.
#[derive(Debug)]
pub struct LiveListener(Arc<Inbox>);

impl LiveListener {
    /// Returns once there is something to take.
    pub async fn heard(&self) {
        poll_fn(|context| {
            self.0.waker.register(context.waker());
            if self.0.deltas().is_empty() { Poll::Pending } else { Poll::Ready(()) }
        })
        .await;
    }

    /// Everything heard since the last look.
    #[must_use]
    pub fn take(&self) -> Vec<Delta> {
        self.0.deltas().drain(..).collect()
    }
}

#[cfg(test)]
mod tests {
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

    #[test]
    fn a_listener_hears_its_run_and_no_other() {
        let live = LiveRuns::default();
        let listener = live.listen(run(1));
        live.publish(run(2), &delta(0));
        live.publish(run(1), &delta(1));
        assert_eq!(listener.take(), [delta(1)]);
    }

    #[test]
    fn a_slow_listener_loses_pieces_and_holds_up_nobody() {
        let live = LiveRuns::default();
        let (slow, quick) = (live.listen(run(1)), live.listen(run(1)));
        let heard: usize = (0..1_000)
            .map(|offset| {
                live.publish(run(1), &delta(offset));
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
        live.publish(run(1), &delta(0));
        assert_eq!((before, listener.heard().now_or_never()), (None, Some(())));
    }

    #[test]
    fn runs_nobody_listens_to_are_forgotten() {
        let live = LiveRuns::default();
        (0..10).for_each(|n| drop(live.listen(run(n))));
        let _one = live.listen(run(99));
        assert_eq!(live.0.lock().unwrap().len(), 1);
    }
}
