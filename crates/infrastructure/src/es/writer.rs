//! The only task of a process that appends: it collects all waiting requests and commits them together.

use std::{
    error::Error,
    panic::AssertUnwindSafe,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use devskyy_application::{
    error::PortError,
    es::{AppendError, Appended, Position, Prepared},
};
use futures_util::FutureExt;
use sea_orm::DbErr;
use tokio::{
    sync::{mpsc, oneshot, watch},
    time::{Instant, sleep},
};

use super::{
    batch::{Batches, Decided, Failed},
    projection::ProjectionError,
    reserved::Begun,
};
use crate::sql::Port;

/// Capacity of the queue; beyond it requests are refused as overloaded.
pub(super) const QUEUE: usize = 4_096;
/// Most requests in one transaction.
const MOST_REQUESTS: usize = 512;
/// Consecutive idle turns before a batch is closed. A turn lasts until every runnable task has run, a microsecond if
/// there is none.
const QUIET: u32 = 8;
/// Payload bytes after which a batch takes no more requests.
const MOST_BYTES: usize = 4 << 20;
/// How long a batch is retried while the database is unavailable.
const PATIENCE: Duration = Duration::from_secs(10);
/// How many requests of a batch may exceed the database's time limit before the rest is failed.
const MOST_SLOW: u32 = 2;
/// The error of requests that were not tried any more.
const NO_TURN: &str = "the database went away under a request before this one";

type Answer = Result<Appended, AppendError>;

/// A request and the channel for its answer.
pub(super) struct Pending {
    pub(super) request: Prepared,
    pub(super) answer: oneshot::Sender<Answer>,
}

/// Appends until the queue is closed and empty.
pub(super) async fn write(batches: Batches, mut queue: mpsc::Receiver<Pending>, written: watch::Sender<Position>) {
    let writer = Writer { batches, written };
    while let Some(first) = queue.recv().await {
        let mut batch = Batch::of(first);
        // The transaction begins while requests arrive. Those that arrive while it waits for the mutex join the batch.
        let has_turn = AtomicBool::new(false);
        let begin = async {
            let begun = writer.batches.begin().await;
            has_turn.store(true, Ordering::Relaxed);
            begun
        };
        let (begun, ()) = tokio::join!(begin, batch.gather(&mut queue, &has_turn));
        batch.fill(&mut queue);
        // A panic must not end the writer task; only the requests of this batch fail.
        if AssertUnwindSafe(writer.answer(begun, batch.requests)).catch_unwind().await.is_err() {
            tracing::error!("a batch of the log was given up");
        }
    }
}

/// Requests that are committed together.
struct Batch {
    requests: Vec<Pending>,
    bytes: usize,
}

impl Batch {
    fn of(first: Pending) -> Self {
        Self { bytes: size(&first.request), requests: vec![first] }
    }

    /// Takes all waiting requests, and those about to arrive: callers answered by the last batch mostly append again at
    /// once and would otherwise wait for a whole commit. Once the batch holds the mutex, other processes wait for it,
    /// and only an unbroken stream of requests keeps it open.
    async fn gather(&mut self, queue: &mut mpsc::Receiver<Pending>, has_turn: &AtomicBool) {
        let mut quiet = 0;
        while quiet < if has_turn.load(Ordering::Relaxed) { 1 } else { QUIET } && self.has_room() {
            quiet = if self.fill(queue) { 0 } else { quiet + 1 };
            tokio::task::yield_now().await;
        }
    }

    /// Takes all waiting requests and returns whether there were any.
    fn fill(&mut self, queue: &mut mpsc::Receiver<Pending>) -> bool {
        let before = self.requests.len();
        while self.has_room() {
            let Ok(next) = queue.try_recv() else { break };
            self.bytes += size(&next.request);
            self.requests.push(next);
        }
        self.requests.len() > before
    }

    fn has_room(&self) -> bool {
        self.requests.len() < MOST_REQUESTS && self.bytes < MOST_BYTES
    }
}

fn size(prepared: &Prepared) -> usize {
    prepared.request().writes.iter().flat_map(|write| &write.events).map(|event| event.data.len()).sum()
}

struct Writer {
    batches: Batches,
    /// The last position written by this process.
    written: watch::Sender<Position>,
}

impl Writer {
    async fn answer(&self, begun: Begun, batch: Vec<Pending>) {
        let requests: Vec<&Prepared> = batch.iter().map(|pending| &pending.request).collect();
        let answers = self.decide(begun, &requests).await;
        for (pending, answer) in batch.into_iter().zip(answers) {
            // A request is recorded even if its caller has stopped waiting.
            let _ = pending.answer.send(answer);
        }
    }

    async fn decide(&self, begun: Begun, requests: &[&Prepared]) -> Vec<Answer> {
        let until = Instant::now() + PATIENCE;
        match self.persist(begun, requests, until).await {
            Ok(decided) => self.accept(decided),
            // A request breaks or delays the batch. One by one, only that request fails.
            Err(Failed::Guilty(_) | Failed::TooSlow(_)) if requests.len() > 1 => self.one_by_one(requests, until).await,
            Err(failed) => self.refuse(failed, requests.len()).await,
        }
    }

    /// They share the deadline of their batch.
    async fn one_by_one(&self, requests: &[&Prepared], until: Instant) -> Vec<Answer> {
        let (mut answers, mut slow) = (Vec::with_capacity(requests.len()), 0);
        for request in requests {
            let begun = self.batches.begin().await;
            match self.persist(begun, &[request], until).await {
                Ok(decided) => answers.extend(self.accept(decided)),
                Err(Failed::Guilty(error)) => answers.push(Err(blame(error).into())),
                Err(Failed::TooSlow(error)) if slow < MOST_SLOW => {
                    slow += 1;
                    answers.push(Err(away(error).into()));
                }
                Err(gone) => {
                    answers.extend(self.refuse(gone, 1).await);
                    break;
                }
            }
        }
        // The database became unavailable before these requests were tried.
        answers.extend((answers.len()..requests.len()).map(|_| Err(away(NO_TURN).into())));
        answers
    }

    /// Answers requests that all failed for the same reason.
    async fn refuse(&self, failed: Failed, requests: usize) -> Vec<Answer> {
        let answer: Box<dyn Fn() -> AppendError + Send> = match failed {
            Failed::Guilty(error) => return vec![Err(blame(error).into())],
            Failed::Passing(error) | Failed::TooSlow(error) => {
                let error = Arc::new(error);
                Box::new(move || away(error.clone()).into())
            }
            Failed::Unknown(broken) => {
                self.look_up().await;
                let error = Arc::new(DbErr::from(broken));
                Box::new(move || AppendError::Unknown(away(error.clone())))
            }
        };
        (0..requests).map(|_| Err(answer())).collect()
    }

    /// Updates the known head, because the batch may have been recorded. Otherwise readers would notice it only at the
    /// next append, if the log is not polled.
    async fn look_up(&self) {
        if let Err(error) = self.batches.look().await {
            tracing::warn!(%error, "cannot look how far the log goes");
        }
    }

    fn accept(&self, decided: Decided) -> Vec<Answer> {
        self.batches.grown(&decided);
        self.written
            .send_if_modified(|written| std::mem::replace(written, decided.head.position) != decided.head.position);
        decided.outcomes.into_iter().map(|outcome| outcome.map_err(AppendError::from)).collect()
    }

    /// Commits, with retries while the failure may pass and the deadline has not been reached.
    async fn persist(&self, begun: Begun, requests: &[&Prepared], until: Instant) -> Result<Decided, Failed> {
        let mut pause = Duration::from_millis(20);
        let mut outcome = self.batches.commit(begun, requests).await;
        loop {
            let failed = match outcome {
                // The requests are retried one by one instead of the batch.
                Err(Failed::TooSlow(error)) if requests.len() > 1 => return Err(Failed::TooSlow(error)),
                Err(failed @ (Failed::Passing(_) | Failed::TooSlow(_) | Failed::Unknown(_)))
                    if Instant::now() < until =>
                {
                    failed
                }
                outcome => return outcome,
            };
            tracing::warn!(?failed, requests = requests.len(), "the log could not be written, trying again");
            sleep(pause).await;
            pause = (pause * 2).min(Duration::from_secs(1));
            outcome = self.batches.again(failed, requests).await;
        }
    }
}

fn blame(error: ProjectionError) -> PortError {
    match error {
        ProjectionError::Database(error) => Port("event store").failed("appending events")(error),
        ProjectionError::Event(error) => error,
    }
}

fn away(why: impl Into<Box<dyn Error + Send + Sync>>) -> PortError {
    PortError::transient("event store", "appending events", why)
}
