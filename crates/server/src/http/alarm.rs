use std::{
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use tokio::time::{Instant, Sleep, sleep_until};

/// A deadline that moves with every request; moving it is a store and does not touch the timer.
#[derive(Debug)]
pub(super) struct Alarm {
    sleep: Pin<Box<Sleep>>,
    due: Option<Instant>,
}

impl Alarm {
    /// A deadline that is not set.
    pub(super) fn unset() -> Self {
        Self { sleep: Box::pin(sleep_until(Instant::now())), due: None }
    }

    pub(super) fn set(&mut self, patience: Duration) {
        self.due = Some(Instant::now() + patience);
    }

    pub(super) const fn is_set(&self) -> bool {
        self.due.is_some()
    }

    pub(super) const fn clear(&mut self) {
        self.due = None;
    }

    /// Whether it is due; otherwise the task is woken when it may be.
    pub(super) fn rings(&mut self, cx: &mut Context<'_>) -> bool {
        let Some(due) = self.due else { return false };
        if self.sleep.deadline() > due {
            self.sleep.as_mut().reset(due);
        }
        while let Poll::Ready(()) = self.sleep.as_mut().poll(cx) {
            if Instant::now() >= due {
                return true;
            }
            self.sleep.as_mut().reset(due);
        }
        false
    }
}
