use std::{
    future::poll_fn,
    sync::atomic::{AtomicBool, Ordering},
    task::Poll,
};

use futures_util::task::AtomicWaker;

/// Tells one waiter that something happened; several signals before it looks are one.
#[derive(Debug, Default)]
pub(super) struct Nudge {
    set: AtomicBool,
    waker: AtomicWaker,
}

impl Nudge {
    /// Signals.
    pub(super) fn signal(&self) {
        self.set.store(true, Ordering::Release);
        self.waker.wake();
    }

    /// Returns once a signal has come since the last return.
    pub(super) async fn signalled(&self) {
        poll_fn(|context| {
            self.waker.register(context.waker());
            if self.set.swap(false, Ordering::AcqRel) { Poll::Ready(()) } else { Poll::Pending }
        })
        .await;
    }
}
