use devskyy_domain::runs::Place;
use futures_util::{
    FutureExt, StreamExt,
    future::{BoxFuture, pending},
    select_biased,
    stream::FuturesUnordered,
};

use super::tasks::Outcome;

/// A task that is done: where it was, and what it leads to.
pub(super) type Done = (Place, Outcome);

/// The tasks of a run that are under way, and what came of those that are done and nobody looked at yet.
#[derive(Default)]
pub(super) struct UnderWay {
    tasks: FuturesUnordered<BoxFuture<'static, Done>>,
    done: Vec<Done>,
}

impl UnderWay {
    /// Sets tasks going.
    pub(super) fn begin(&mut self, tasks: impl IntoIterator<Item = BoxFuture<'static, Done>>) {
        self.tasks.extend(tasks);
    }

    /// Waits for something while the tasks go on: one that is not looked at may hold what the wait is for, a connection or the
    /// next place in a queue.
    pub(super) async fn beside<T>(&mut self, wait: impl Future<Output = T> + Send) -> T {
        let mut wait = std::pin::pin!(wait.fuse());
        loop {
            select_biased! {
                waited = wait => return waited,
                done = self.tasks.select_next_some() => self.done.push(done),
            }
        }
    }

    /// Returns once a task is done; never, where none is under way.
    pub(super) async fn any_done(&mut self) {
        if !self.done.is_empty() {
            return;
        }
        match self.tasks.next().await {
            Some(done) => self.done.push(done),
            None => pending().await,
        }
    }

    /// What is done: whatever is ready travels in the same append.
    pub(super) fn take(&mut self) -> Vec<Done> {
        while let Some(Some(done)) = self.tasks.next().now_or_never() {
            self.done.push(done);
        }
        std::mem::take(&mut self.done)
    }

    /// Drops what is not done; what is.
    pub(super) fn let_go(&mut self) -> Vec<Done> {
        let done = self.take();
        self.tasks = FuturesUnordered::new();
        done
    }
}
