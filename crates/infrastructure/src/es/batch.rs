//! One batch of requests, in one transaction.

use std::{panic::AssertUnwindSafe, sync::Arc};

use devskyy_application::{
    error::PortError,
    es::{Appended, Plan, PlannedEvent, Prepared, RecordedEvent, Rejection, Wanted, planner},
};
use futures_util::FutureExt;
use sea_orm::{ConnectionTrait, DatabaseBackend, DatabaseTransaction, DbErr, Statement};

use super::{
    facts::{Ground, facts},
    known::{Known, Mark},
    projection::{Projection, ProjectionError},
    reserved::{Begun, Reserved},
    statements::statement,
    time::Time,
    write,
};
use crate::sql::{is_transient, stored, took_too_long};

/// The outcome of a batch, one per request, and the log's head before and after it.
#[derive(Debug)]
pub(super) struct Decided {
    pub(super) outcomes: Vec<Result<Appended, Rejection>>,
    pub(super) before: Mark,
    pub(super) head: Mark,
}

/// How a batch failed.
#[derive(Debug)]
pub(super) enum Failed {
    /// Nothing was recorded, and the same batch may succeed later.
    Passing(ProjectionError),
    /// Nothing was recorded, because it exceeded the database's time limit: the database may be busy, or one of the
    /// requests may be too slow.
    TooSlow(ProjectionError),
    /// Nothing was recorded, and at least one of the requests is the cause.
    Guilty(ProjectionError),
    /// The connection broke during the commit, and it is not known yet whether the log holds the batch.
    Unknown(Broken),
}

/// A commit whose connection broke.
#[derive(Debug)]
pub(super) struct Broken {
    /// The outcome, if the batch is in the log.
    decided: Decided,
    /// The hash of its last event. Without events, nothing shows whether the batch was recorded.
    hash: Option<[u8; 32]>,
    error: DbErr,
}

impl From<Broken> for DbErr {
    fn from(broken: Broken) -> Self {
        broken.error
    }
}

impl<E: Into<ProjectionError>> From<E> for Failed {
    fn from(error: E) -> Self {
        match error.into() {
            ProjectionError::Database(error) if took_too_long(&error) => Self::TooSlow(error.into()),
            ProjectionError::Database(error) if is_transient(&error) => Self::Passing(error.into()),
            error => Self::Guilty(error),
        }
    }
}

/// An outcome that is valid once the change is committed, or at once if there is none.
struct Planned {
    decided: Decided,
    change: Option<Change>,
}

struct Change {
    tx: DatabaseTransaction,
    /// The hash of the last event, if there are any.
    hash: Option<[u8; 32]>,
}

/// Writes batches.
pub(super) struct Batches {
    reserved: Arc<Reserved>,
    time: Time,
    projections: Vec<Arc<dyn Projection>>,
    known: Arc<Known>,
}

impl Batches {
    pub(super) fn new(
        reserved: Arc<Reserved>,
        time: Time,
        projections: Vec<Arc<dyn Projection>>,
        known: Arc<Known>,
    ) -> Self {
        Self { reserved, time, projections, known }
    }

    /// Plans and records a batch in a transaction that holds the log's mutex.
    pub(super) async fn commit(&self, begun: Begun, requests: &[&Prepared]) -> Result<Decided, Failed> {
        let Planned { decided, change } = self.reserved.within(self.plan(begun?, requests)).await?;
        let Some(Change { tx, hash }) = change else { return Ok(decided) };
        match self.reserved.within(tx.commit()).await {
            Ok(()) => Ok(decided),
            Err(error) => self.look_for(Broken { decided, hash, error }).await,
        }
    }

    /// Retries a batch whose failure may pass. After a broken commit it is written again only if it is not in the log.
    pub(super) async fn again(&self, failed: Failed, requests: &[&Prepared]) -> Result<Decided, Failed> {
        match failed {
            Failed::Unknown(broken) if broken.hash.is_some() => self.look_for(broken).await,
            // Claims and keys can be written again. Until that succeeds, the outcome of the first commit stays unknown.
            Failed::Unknown(broken) => match self.commit(self.begin().await, requests).await {
                Err(Failed::Passing(_) | Failed::TooSlow(_)) => Err(Failed::Unknown(broken)),
                outcome => outcome,
            },
            _ => self.commit(self.begin().await, requests).await,
        }
    }

    /// Looks up in the log whether a broken commit succeeded. The mutex makes it wait until the server has resolved the
    /// broken connection's transaction.
    async fn look_for(&self, broken: Broken) -> Result<Decided, Failed> {
        let Some(hash) = broken.hash else { return Err(Failed::Unknown(broken)) };
        match self.recorded(broken.decided.head.position, hash).await {
            Ok(true) => Ok(broken.decided),
            Ok(false) => Err(Failed::Passing(broken.error.into())),
            Err(_) => Err(Failed::Unknown(broken)),
        }
    }

    async fn plan(&self, tx: DatabaseTransaction, requests: &[&Prepared]) -> Result<Planned, Failed> {
        let wanted = Wanted::of(requests.iter().map(|prepared| prepared.request()));
        let Ground { facts, now } = facts(&tx, &wanted, self.time.is_of_database()).await?;
        let before = Mark::from(facts.head);
        // A rewound log is still appended to; only what was known of it is corrected.
        self.known.under_the_mutex(before);
        let now = self.time.now(now, facts.head.recorded_at);
        let mut plan = planner::plan(facts, requests, now);
        let outcomes = std::mem::take(&mut plan.outcomes);
        let decided = Decided { outcomes, before, head: plan.head.into() };
        if plan.is_empty() {
            tx.rollback().await?;
            return Ok(Planned { decided, change: None });
        }
        let hash = (!plan.events.is_empty()).then_some(plan.head.hash);
        self.write(&tx, plan).await?;
        Ok(Planned { decided, change: Some(Change { tx, hash }) })
    }

    /// Whether the log holds the batch whose last event has this position and hash.
    async fn recorded(&self, position: u64, hash: [u8; 32]) -> Result<bool, DbErr> {
        let tx = self.begin().await?;
        self.reserved.within(holds(tx, position, hash)).await
    }

    /// Reads the log's head.
    pub(super) async fn look(&self) -> Result<bool, DbErr> {
        let connection = self.reserved.current();
        self.reserved.within(self.known.look(&connection)).await
    }

    /// Updates the known head after a batch.
    pub(super) fn grown(&self, decided: &Decided) {
        self.known.grown(decided.before, decided.head);
    }

    /// Begins a transaction that holds the log's mutex.
    pub(super) async fn begin(&self) -> Begun {
        let tx = self.reserved.begin().await?;
        self.reserved.within(lock(&tx)).await?;
        Ok(tx)
    }

    async fn write(&self, tx: &DatabaseTransaction, plan: Plan) -> Result<(), ProjectionError> {
        self.project(tx, &plan.events).await?;
        if let Some(statement) = write::statement(tx.get_database_backend(), plan) {
            tx.execute_raw(statement).await?;
        }
        Ok(())
    }

    async fn project(&self, tx: &DatabaseTransaction, events: &[PlannedEvent]) -> Result<(), ProjectionError> {
        for projection in &self.projections {
            let categories = projection.categories();
            let wanted: Vec<&RecordedEvent> = events
                .iter()
                .map(|event| &event.recorded)
                .filter(|event| categories.is_empty() || categories.contains(&&*event.category))
                .collect();
            if !wanted.is_empty() {
                // A panic in a projection must not end the writer task; the request that caused it fails instead.
                let taken_in = AssertUnwindSafe(projection.apply(tx, &wanted)).catch_unwind().await;
                taken_in.map_err(|_| PortError::bug("event store", "deriving views", projection.name()))??;
            }
        }
        Ok(())
    }
}

async fn holds(tx: DatabaseTransaction, position: u64, hash: [u8; 32]) -> Result<bool, DbErr> {
    let find = "SELECT position FROM es_events WHERE position = ? AND hash = ?";
    let values = vec![stored(position).into(), hash.to_vec().into()];
    let found = tx.query_one_raw(statement(tx.get_database_backend(), find, values)).await?;
    tx.rollback().await?;
    Ok(found.is_some())
}

/// Takes the log's mutex, always before anything else: there is only one lock order and thus no deadlock. Facts are
/// read by later statements, whose snapshot is taken once the lock is held. On SQLite the write lock is the mutex.
pub(super) async fn lock(tx: &DatabaseTransaction) -> Result<(), DbErr> {
    if tx.get_database_backend() == DatabaseBackend::Postgres {
        let lock = "SELECT 1 FROM es_head WHERE id = 1 FOR UPDATE";
        tx.execute_raw(Statement::from_sql_and_values(DatabaseBackend::Postgres, lock, [])).await?;
    }
    Ok(())
}
