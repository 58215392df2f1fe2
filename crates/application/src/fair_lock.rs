//! An asynchronous mutex that is granted in the order of requests.

use std::{
    collections::BTreeMap,
    future::poll_fn,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, Waker},
};

/// A mutex without data that is strictly first come, first served.
///
/// A dropped permit passes to the task that has waited longest; tasks that ask meanwhile queue up behind it.
#[derive(Debug, Default)]
pub(crate) struct FairLock(Mutex<Places>);

#[derive(Debug, Default)]
struct Places {
    given_out: u64,
    /// The holder of the permit, even if it was not woken yet. Without a holder, no task waits.
    holder: Option<u64>,
    waiting: BTreeMap<u64, Waker>,
}

/// The permit, or a place in the queue until it is granted. It may be dropped at any point.
#[derive(Debug)]
pub(crate) struct Permit {
    line: Arc<FairLock>,
    place: u64,
}

impl FairLock {
    /// Waits for the permit.
    pub(crate) async fn acquire(self: Arc<Self>) -> Permit {
        let place = self.places().give_out();
        let turn = Permit { line: self, place };
        poll_fn(|context| turn.line.places().poll(place, context)).await;
        turn
    }

    fn places(&self) -> MutexGuard<'_, Places> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Places {
    const fn give_out(&mut self) -> u64 {
        self.given_out += 1;
        self.given_out
    }

    fn poll(&mut self, place: u64, context: &Context<'_>) -> Poll<()> {
        if self.holder.is_some_and(|holder| holder != place) {
            self.waiting.insert(place, context.waker().clone());
            return Poll::Pending;
        }
        self.holder = Some(place);
        Poll::Ready(())
    }

    /// Gives up a place. Returns the waker of the next holder, if this was the permit.
    fn give_up(&mut self, place: u64) -> Option<Waker> {
        if self.holder != Some(place) {
            self.waiting.remove(&place);
            return None;
        }
        let next = self.waiting.pop_first();
        self.holder = next.as_ref().map(|(place, _)| *place);
        next.map(|(_, waker)| waker)
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        let next = self.line.places().give_up(self.place);
        if let Some(waker) = next {
            waker.wake();
        }
    }
}

#[cfg(test)]
mod tests {
    use futures_util::{
        FutureExt,
        future::{BoxFuture, poll_immediate},
    };

    use super::{Arc, FairLock, Permit};

    /// A task that has asked for the permit.
    struct Waiter(BoxFuture<'static, Permit>);

    impl Waiter {
        fn at(line: &Arc<FairLock>) -> Self {
            let mut waiter = Self(line.clone().acquire().boxed());
            assert!(waiter.acquire().is_none(), "nobody holds the permit");
            waiter
        }

        /// The permit, if it was granted.
        fn acquire(&mut self) -> Option<Permit> {
            poll_immediate(&mut self.0).now_or_never().flatten()
        }
    }

    fn held() -> (Arc<FairLock>, Permit) {
        let line = Arc::new(FairLock::default());
        let turn = line.clone().acquire().now_or_never().unwrap();
        (line, turn)
    }

    #[test]
    fn turns_come_in_the_order_in_which_they_were_asked_for() {
        let (line, mut turn) = held();
        let mut waiting: Vec<_> = (0..4).map(|n| (n, Waiter::at(&line))).collect();
        let mut order = Vec::new();
        while !waiting.is_empty() {
            drop(turn);
            let served = waiting.iter_mut().enumerate().find_map(|(at, (_, waiter))| Some((at, waiter.acquire()?)));
            let (at, next) = served.unwrap();
            order.push(waiting.remove(at).0);
            turn = next;
        }
        assert_eq!(order, [0, 1, 2, 3]);
    }

    #[test]
    fn whoever_comes_back_before_the_next_one_has_looked_waits() {
        let (line, turn) = held();
        let _waiting = Waiter::at(&line);
        drop(turn);
        assert!(Waiter::at(&line).acquire().is_none());
    }

    #[test]
    fn whoever_stops_waiting_is_passed_over() {
        let (line, turn) = held();
        let (first, mut second) = (Waiter::at(&line), Waiter::at(&line));
        drop(first);
        drop(turn);
        assert!(second.acquire().is_some());
    }

    #[test]
    fn a_turn_that_was_handed_to_somebody_who_has_gone_is_handed_on() {
        let (line, turn) = held();
        let (first, mut second) = (Waiter::at(&line), Waiter::at(&line));
        drop(turn);
        drop(first);
        assert!(second.acquire().is_some());
    }

    #[test]
    fn when_nobody_waits_any_more_a_turn_comes_at_once() {
        let (line, turn) = held();
        drop(Waiter::at(&line));
        drop(turn);
        assert!(line.acquire().now_or_never().is_some());
    }
}
