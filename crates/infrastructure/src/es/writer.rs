//! The one task of a process that appends: it gathers whatever waits and commits it together.

use std::{panic::AssertUnwindSafe, sync::Arc, time::Duration};

use devskyy_application::{
    error::PortError,
    es::{AppendError, Appended, Position, Prepared},
};
use futures_util::FutureExt;
use tokio::{
    sync::{mpsc, oneshot, watch},
    time::{Instant, sleep},
};

use super::{
    batch::{Batches, Decided, Failed},
    projection::ProjectionError,
    reserved::Begun,
    tail::raise,
};
use crate::sql::port_error;

/// Requests that may wait; beyond that callers are told to come back later.
pub(super) const QUEUE: usize = 4_096;
/// Most requests in one transaction.
const MOST_REQUESTS: usize = 512;
/// How often in a row nobody must have asked before a batch is on its way. A turn takes as long as the runtime needs to
/// let everybody run who can, a microsecond where that is nobody.
const QUIET: u32 = 8;
/// Payload bytes after which no more requests join a transaction.
const MOST_BYTES: usize = 4 << 20;
/// How long a batch is tried again while the database is away.
const PATIENCE: Duration = Duration::from_secs(10);

/// A request and where its answer goes.
pub(super) struct Pending {
    pub(super) request: Prepared,
    pub(super) answer: oneshot::Sender<Result<Appended, AppendError>>,
}

/// Appends until the queue is closed and empty.
pub(super) async fn write(
    batches: Batches,
    mut queue: mpsc::Receiver<Pending>,
    head: watch::Sender<Position>,
    written: watch::Sender<Position>,
) {
    let writer = Writer { batches, head, written };
    while let Some(first) = queue.recv().await {
        let mut batch = Batch::of(first);
        // The transaction opens while others still ask, and whoever asks while it waits for its turn comes along.
        let (opened, ()) = tokio::join!(writer.batches.open(), batch.gather(&mut queue));
        let begun = writer.batches.locked(opened).await;
        batch.fill(&mut queue);
        // A defect must not end the one task that writes: whoever waits for this batch hears of it, and nobody else.
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

    /// Takes whatever waits, and whoever is just about to ask: those that the last batch answered mostly ask again at
    /// once, and would else wait for a whole commit that could have carried them.
    async fn gather(&mut self, queue: &mut mpsc::Receiver<Pending>) {
        let mut quiet = 0;
        while quiet < QUIET && self.has_room() {
            quiet = if self.fill(queue) { 0 } else { quiet + 1 };
            tokio::task::yield_now().await;
        }
    }

    /// Takes whatever waits, and says whether anything did.
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
    head: watch::Sender<Position>,
    /// How far this process has written, whatever others did meanwhile.
    written: watch::Sender<Position>,
}

impl Writer {
    async fn answer(&self, begun: Begun, batch: Vec<Pending>) {
        let requests: Vec<&Prepared> = batch.iter().map(|pending| &pending.request).collect();
        let answers = self.decide(begun, &requests).await;
        for (pending, answer) in batch.into_iter().zip(answers) {
            // Whoever stopped waiting has its request recorded all the same.
            let _ = pending.answer.send(answer);
        }
    }

    async fn decide(&self, begun: Begun, requests: &[&Prepared]) -> Vec<Result<Appended, AppendError>> {
        match self.persist(begun, requests).await {
            Ok(decided) => self.accept(decided),
            Err(Failed::Guilty(error)) if requests.len() == 1 => vec![Err(blame(error).into())],
            // Somebody's request breaks the batch: one by one only the guilty one fails.
            Err(Failed::Guilty(_)) => self.one_by_one(requests).await,
            Err(Failed::Passing(error)) => away(requests.len(), &Arc::new(error)),
            Err(Failed::Unknown { error, .. }) => away(requests.len(), &Arc::new(error.into())),
        }
    }

    async fn one_by_one(&self, requests: &[&Prepared]) -> Vec<Result<Appended, AppendError>> {
        let mut answers = Vec::with_capacity(requests.len());
        for request in requests {
            let begun = self.batches.begin().await;
            answers.extend(Box::pin(self.decide(begun, &[request])).await);
        }
        answers
    }

    fn accept(&self, decided: Decided) -> Vec<Result<Appended, AppendError>> {
        raise(&self.head, decided.head);
        raise(&self.written, decided.head);
        decided.outcomes.into_iter().map(|outcome| outcome.map_err(AppendError::from)).collect()
    }

    /// Commits, trying again while the failure may pass and patience lasts.
    async fn persist(&self, begun: Begun, requests: &[&Prepared]) -> Result<Decided, Failed> {
        let until = Instant::now() + PATIENCE;
        let mut pause = Duration::from_millis(20);
        let mut failed = match self.batches.commit(begun, requests).await {
            Err(failed @ (Failed::Passing(_) | Failed::Unknown { .. })) => failed,
            outcome => return outcome,
        };
        while Instant::now() < until {
            tracing::warn!(?failed, requests = requests.len(), "the log could not be written, trying again");
            sleep(pause).await;
            pause = (pause * 2).min(Duration::from_secs(1));
            failed = match self.again(requests, failed).await {
                Err(failed @ (Failed::Passing(_) | Failed::Unknown { .. })) => failed,
                outcome => return outcome,
            };
        }
        Err(failed)
    }

    /// After a broken commit the log itself says what became of it; only what is not in it is written again.
    async fn again(&self, requests: &[&Prepared], failed: Failed) -> Result<Decided, Failed> {
        if let Failed::Unknown { decided, hash, error } = failed {
            match self.batches.recorded(decided.head, hash).await {
                Ok(true) => return Ok(decided),
                Ok(false) => {}
                Err(_) => return Err(Failed::Unknown { decided, hash, error }),
            }
        }
        self.batches.commit(self.batches.begin().await, requests).await
    }
}

fn blame(error: ProjectionError) -> PortError {
    match error {
        ProjectionError::Database(error) => port_error("event store", "appending events", error),
        ProjectionError::Event(error) => error,
    }
}

fn away(requests: usize, error: &Arc<ProjectionError>) -> Vec<Result<Appended, AppendError>> {
    let failure = || PortError::transient("event store", "appending events", error.clone());
    (0..requests).map(|_| Err(failure().into())).collect()
}
