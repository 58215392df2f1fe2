//! Turns at something, in the order in which they are asked for.

use std::{
    collections::BTreeMap,
    future::poll_fn,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, Waker},
};

/// Those who wait for a turn, and whose turn it is.
///
/// A turn that ends is handed to whoever has waited longest. Whoever comes meanwhile goes to the end of the line, so that nobody
/// waits for more turns than were asked for before their own.
#[derive(Debug, Default)]
pub(crate) struct Line(Mutex<Places>);

#[derive(Debug, Default)]
struct Places {
    given_out: u64,
    /// Whose turn it is, also before they know; while it is nobody's, nobody waits.
    holder: Option<u64>,
    waiting: BTreeMap<u64, Waker>,
}

/// A turn, or a place in the line until it has come. Whoever lets go of it, at any point, takes nobody else's turn away.
#[derive(Debug)]
pub(crate) struct Turn {
    line: Arc<Line>,
    place: u64,
}

impl Line {
    /// Waits for a turn.
    pub(crate) async fn turn(self: Arc<Self>) -> Turn {
        let place = self.places().give_out();
        let turn = Turn { line: self, place };
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

    /// Gives a place up; whom to wake, where that was the turn.
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

impl Drop for Turn {
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

    use super::{Arc, Line, Turn};

    /// Somebody who has asked for a turn.
    struct Waiter(BoxFuture<'static, Turn>);

    impl Waiter {
        fn at(line: &Arc<Line>) -> Self {
            let mut waiter = Self(line.clone().turn().boxed());
            assert!(waiter.turn().is_none(), "nobody has a turn to wait for");
            waiter
        }

        /// The turn, if it has come.
        fn turn(&mut self) -> Option<Turn> {
            poll_immediate(&mut self.0).now_or_never().flatten()
        }
    }

    fn held() -> (Arc<Line>, Turn) {
        let line = Arc::new(Line::default());
        let turn = line.clone().turn().now_or_never().unwrap();
        (line, turn)
    }

    #[test]
    fn turns_come_in_the_order_in_which_they_were_asked_for() {
        let (line, mut turn) = held();
        let mut waiting: Vec<_> = (0..4).map(|n| (n, Waiter::at(&line))).collect();
        let mut order = Vec::new();
        while !waiting.is_empty() {
            drop(turn);
            let served = waiting.iter_mut().enumerate().find_map(|(at, (_, waiter))| Some((at, waiter.turn()?)));
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
        assert!(Waiter::at(&line).turn().is_none());
    }

    #[test]
    fn whoever_stops_waiting_is_passed_over() {
        let (line, turn) = held();
        let (first, mut second) = (Waiter::at(&line), Waiter::at(&line));
        drop(first);
        drop(turn);
        assert!(second.turn().is_some());
    }

    #[test]
    fn a_turn_that_was_handed_to_somebody_who_has_gone_is_handed_on() {
        let (line, turn) = held();
        let (first, mut second) = (Waiter::at(&line), Waiter::at(&line));
        drop(turn);
        drop(first);
        assert!(second.turn().is_some());
    }

    #[test]
    fn when_nobody_waits_any_more_a_turn_comes_at_once() {
        let (line, turn) = held();
        drop(Waiter::at(&line));
        drop(turn);
        assert!(line.turn().now_or_never().is_some());
    }
}
