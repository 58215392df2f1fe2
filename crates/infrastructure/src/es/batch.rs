//! One batch of requests, in one transaction.

use std::sync::Arc;

use devskyy_application::{
    es::{AppendRequest, Appended, Plan, PlannedEvent, RecordedEvent, Rejection, Wanted, planner},
    ports::Clock,
};
use sea_orm::{ConnectionTrait, DatabaseBackend, DatabaseTransaction, DbErr};

use super::{
    facts::Lookups,
    projection::{Projection, ProjectionError},
    rows::{EVENT_COLUMNS, INSERT_EVENTS, stored, values},
    statements::{Rows, statement},
};
use crate::sql::{Database, is_transient};

/// The channel on which PostgreSQL tells other processes that the log has grown.
pub(super) const CHANNEL: &str = "devskyy_es";

/// Answers to a batch, one per request, and the log's head after it.
#[derive(Debug)]
pub(super) struct Decided {
    pub(super) outcomes: Vec<Result<Appended, Rejection>>,
    pub(super) head: u64,
}

/// How a batch failed.
#[derive(Debug)]
pub(super) enum Failed {
    /// Nothing was recorded, and the same batch may succeed later.
    Passing(ProjectionError),
    /// Nothing was recorded, and at least one of the requests is to blame.
    Guilty(ProjectionError),
    /// The connection broke during the commit. These answers hold if the event with this hash is in the log.
    Unknown { decided: Decided, hash: [u8; 32], error: DbErr },
}

impl<E: Into<ProjectionError>> From<E> for Failed {
    fn from(error: E) -> Self {
        match error.into() {
            ProjectionError::Database(error) if is_transient(&error) => Self::Passing(error.into()),
            error => Self::Guilty(error),
        }
    }
}

/// Writes batches.
pub(super) struct Batches {
    db: Database,
    clock: Arc<dyn Clock>,
    projections: Vec<Arc<dyn Projection>>,
    lookups: Lookups,
    events: Rows,
    streams: Rows,
    claims: Rows,
    keys: Rows,
}

impl Batches {
    pub(super) fn new(db: Database, clock: Arc<dyn Clock>, projections: Vec<Arc<dyn Projection>>) -> Self {
        let backend = db.backend();
        let streams = "INSERT INTO es_streams (stream_no, category, stream_id, version) VALUES ";
        let claims = "INSERT INTO es_claims (scope, value, owner) VALUES ";
        let keys = "INSERT INTO es_dedup (scope, key, fingerprint, first_position, last_position, recorded_at) VALUES ";
        Self {
            clock,
            projections,
            lookups: Lookups::new(backend),
            events: Rows::new(backend, INSERT_EVENTS, EVENT_COLUMNS, &[], ""),
            streams: Rows::new(
                backend,
                streams,
                4,
                &[],
                " ON CONFLICT (stream_no) DO UPDATE SET version = excluded.version",
            ),
            claims: Rows::new(
                backend,
                claims,
                3,
                &[],
                " ON CONFLICT (scope, value) DO UPDATE SET owner = excluded.owner",
            ),
            keys: Rows::new(backend, keys, 6, &[], ""),
            db,
        }
    }

    /// Plans and records a batch.
    pub(super) async fn commit(&self, requests: &[&AppendRequest]) -> Result<Decided, Failed> {
        let tx = self.begin().await?;
        let facts = self.lookups.facts(&tx, &Wanted::of(requests.iter().copied())).await?;
        let mut plan = planner::plan(facts, requests, self.clock.now());
        let outcomes = std::mem::take(&mut plan.outcomes);
        let (decided, hash) = (Decided { outcomes, head: plan.head.position }, plan.head.hash);
        if plan.is_empty() {
            tx.rollback().await?;
            return Ok(decided);
        }
        let grows = !plan.events.is_empty();
        self.write(&tx, plan).await?;
        match tx.commit().await {
            Ok(()) => Ok(decided),
            // Without events nothing tells whether it was recorded; claims and keys may simply be written again.
            Err(error) if !grows => Err(Failed::Passing(error.into())),
            Err(error) => Err(Failed::Unknown { decided, hash, error }),
        }
    }

    /// Whether the batch that ended at this position with this hash is in the log. Waits, under the mutex, until the
    /// server has made up its mind about the broken connection.
    pub(super) async fn recorded(&self, position: u64, hash: [u8; 32]) -> Result<bool, DbErr> {
        let tx = self.begin().await?;
        let find = "SELECT position FROM es_events WHERE position = ? AND hash = ?";
        let values = vec![stored(position).into(), hash.to_vec().into()];
        let found = tx.query_one_raw(statement(self.db.backend(), find, values)).await?;
        tx.rollback().await?;
        Ok(found.is_some())
    }

    /// The one lock of the log, always taken first: there is no second order and so no deadlock. Facts are read by
    /// later statements, whose snapshot is taken after the lock is held.
    async fn begin(&self) -> Result<DatabaseTransaction, DbErr> {
        let tx = self.db.begin().await?;
        lock(&tx).await?;
        Ok(tx)
    }

    async fn write(&self, tx: &DatabaseTransaction, mut plan: Plan) -> Result<(), ProjectionError> {
        self.project(tx, &plan.events).await?;
        let events = std::mem::take(&mut plan.events);
        let (count, head) = (events.len(), plan.head.position);
        self.events.execute(tx, count, events.into_iter().flat_map(values)).await?;
        let streams = plan.streams.iter().flat_map(|(stream, facts)| {
            [stored(facts.stream_no).into(), stream.category.into(), stream.id.into(), stored(facts.version).into()]
        });
        self.streams.execute(tx, plan.streams.len(), streams).await?;
        self.write_claims(tx, &plan).await?;
        let keys = plan.keys.iter().flat_map(|key| {
            [
                key.key.0.into(),
                key.key.1.as_str().into(),
                key.facts.fingerprint.to_vec().into(),
                stored(key.facts.first).into(),
                stored(key.facts.last).into(),
                key.recorded_at.timestamp_micros().into(),
            ]
        });
        self.keys.execute(tx, plan.keys.len(), keys).await?;
        if count > 0 && self.db.backend() == DatabaseBackend::Postgres {
            let notify = format!("SELECT pg_notify('{CHANNEL}', ?)");
            tx.execute_raw(statement(self.db.backend(), &notify, vec![head.to_string().into()])).await?;
        }
        Ok(())
    }

    async fn write_claims(&self, tx: &DatabaseTransaction, plan: &Plan) -> Result<(), DbErr> {
        let taken: Vec<_> = plan.claims.iter().filter_map(|(claim, owner)| Some((claim, (*owner)?))).collect();
        let rows = taken
            .iter()
            .flat_map(|(claim, owner)| [claim.scope.as_str().into(), claim.value.as_str().into(), (*owner).into()]);
        self.claims.execute(tx, taken.len(), rows).await?;
        for (claim, _) in plan.claims.iter().filter(|(_, owner)| owner.is_none()) {
            let delete = "DELETE FROM es_claims WHERE scope = ? AND value = ?";
            let values = vec![claim.scope.as_str().into(), claim.value.as_str().into()];
            tx.execute_raw(statement(self.db.backend(), delete, values)).await?;
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
                projection.apply(tx, &wanted).await?;
            }
        }
        Ok(())
    }
}

/// Takes the log's mutex. SQLite's write lock is the mutex already.
pub(super) async fn lock(tx: &DatabaseTransaction) -> Result<(), DbErr> {
    if tx.get_database_backend() == DatabaseBackend::Postgres {
        tx.execute_unprepared("SELECT 1 FROM es_head WHERE id = 1 FOR UPDATE").await?;
    }
    Ok(())
}
