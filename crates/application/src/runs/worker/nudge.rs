use std::{
    future::poll_fn,
    sync::atomic::{AtomicBool, Ordering},
    task::Poll,
};

use futures_util::task::AtomicWaker;

/// Wakes one waiter; signals that arrive before it looks are merged into one.
#[derive(Debug, Default)]
pub(super) struct Nudge {
    set: AtomicBool,
    waker: AtomicWaker,
}

impl Nudge {
    /// Sends a signal.
    pub(super) fn signal(&self) {
        self.set.store(true, Ordering::Release);
        self.waker.wake();
    }

    /// Completes once a signal has arrived since the last completion.
    pub(super) async fn signalled(&self) {
        poll_fn(|context| {
            self.waker.register(context.waker());
            if self.set.swap(false, Ordering::AcqRel) { Poll::Ready(()) } else { Poll::Pending }
        })
        .await;
    }
}
