use devskyy_domain::runs::Place;
use futures_util::{
    FutureExt, StreamExt,
    future::{BoxFuture, pending},
    select_biased,
    stream::FuturesUnordered,
};

use super::tasks::Outcome;

/// A finished task: its place and outcome.
pub(super) type Done = (Place, Outcome);

/// The tasks of a run in progress, and the outcomes that have not been processed yet.
#[derive(Default)]
pub(super) struct UnderWay {
    tasks: FuturesUnordered<BoxFuture<'static, Done>>,
    done: Vec<Done>,
}

impl UnderWay {
    /// Starts tasks.
    pub(super) fn begin(&mut self, tasks: impl IntoIterator<Item = BoxFuture<'static, Done>>) {
        self.tasks.extend(tasks);
    }

    /// Waits for something while the tasks make progress: a task that is not polled may hold what the wait is for, a
    /// connection or the next place in a queue.
    pub(super) async fn beside<T>(&mut self, wait: impl Future<Output = T> + Send) -> T {
        let mut wait = std::pin::pin!(wait.fuse());
        loop {
            select_biased! {
                waited = wait => return waited,
                done = self.tasks.select_next_some() => self.done.push(done),
            }
        }
    }

    /// Completes once a task is done; never, if none is in progress.
    pub(super) async fn any_done(&mut self) {
        if !self.done.is_empty() {
            return;
        }
        match self.tasks.next().await {
            Some(done) => self.done.push(done),
            None => pending().await,
        }
    }

    /// Takes all outcomes that are ready, so that they are recorded in the same append.
    pub(super) fn take(&mut self) -> Vec<Done> {
        while let Some(Some(done)) = self.tasks.next().now_or_never() {
            self.done.push(done);
        }
        std::mem::take(&mut self.done)
    }

    /// Drops the unfinished tasks and returns the outcomes of the others.
    pub(super) fn let_go(&mut self) -> Vec<Done> {
        let done = self.take();
        self.tasks = FuturesUnordered::new();
        done
    }
}
