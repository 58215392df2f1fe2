//! Verifies that the log is intact and that every projection matches it.

mod chain;
mod claims;
mod compare;
mod law;

use std::{fmt, sync::Arc};

pub use claims::{ClaimLaw, HeldByEach, Holder, Holders, Holding};
use devskyy_application::{
    error::PortError,
    es::{Position, RecordedEvent},
};
pub use law::Law;
use sea_orm::{ConnectionTrait, DatabaseBackend, DatabaseTransaction, DbErr};

use super::{
    projection::{Projection, ProjectionError, categories, wanted_by},
    replay::{Replay, unlimited},
};
use crate::sql::{Database, Port};

/// A mismatch with the log, or within it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// An event is missing, was altered, or does not fit its stream.
    Chain {
        /// The first such position.
        position: Position,
        /// What is wrong with it.
        why: String,
    },
    /// A row of a projection is missing, was altered, or should not exist.
    Projection {
        /// Which projection.
        projection: &'static str,
        /// Which table.
        table: &'static str,
        /// Position of the event that the row should reflect; the lowest one of the table, if rows carry it.
        position: Option<Position>,
        /// What is wrong with it.
        why: String,
    },
    /// Data outside the log that an event refers to is missing or was altered.
    Result {
        /// The first event that refers to it.
        position: Position,
        /// What is wrong with it.
        why: String,
    },
    /// A unique value is not claimed by its holder, or claimed by another owner.
    Claim {
        /// Position of the event since which the value is held, if it is.
        position: Option<Position>,
        /// What is wrong with it.
        why: String,
    },
    /// The log is intact, but records something that must not happen.
    History {
        /// The offending event.
        position: Position,
        /// What does not hold.
        why: String,
    },
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Chain { position, why } => write!(f, "the log is broken at position {position}: {why}"),
            Self::History { position, why } => write!(f, "what position {position} says must not happen: {why}"),
            Self::Result { position, why } => write!(f, "what position {position} refers to is not there: {why}"),
            Self::Claim { position: Some(position), why } => {
                write!(f, "the unique values differ from what position {position} says: {why}")
            }
            Self::Claim { position: None, why } => write!(f, "the unique values differ from the log: {why}"),
            Self::Projection { projection, table, position: Some(position), why } => {
                write!(f, "projection {projection} differs from the log at position {position}, table {table}: {why}")
            }
            Self::Projection { projection, table, position: None, why } => {
                write!(f, "projection {projection} differs from the log, table {table}: {why}")
            }
        }
    }
}

/// The result of a verification.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    /// How many events the log holds.
    pub events: u64,
    /// SHA-256 of the last intact event, which covers all before it.
    pub hash: [u8; 32],
    /// The first fault of the log, or the first of each table of each projection, and all violations of laws.
    pub faults: Vec<Fault>,
}

/// Walks the log's hash chain, rebuilds every projection in a scratch database and compares row by row, and checks the
/// laws.
///
/// Reads one snapshot, so it may run beside a working platform. `progress` receives the positions done and their total.
///
/// # Errors
/// [`PortError`] when the database fails; a fault is not an error.
pub async fn verify(
    db: &Database,
    projections: &[Arc<dyn Projection>],
    mut laws: Vec<Box<dyn Law>>,
    mut progress: impl FnMut(Position, Position) + Send,
) -> Result<Verdict, PortError> {
    let live = db.begin_reading().await.map_err(failed)?;
    keep(&live, projections).await.map_err(failed)?;
    unlimited(&live).await.map_err(failed)?;
    let newest = chain::newest(&live).await.map_err(failed)?;
    let chain::Walked { hash, fault } = chain::walk(&live, newest, &mut progress).await.map_err(failed)?;
    let mut verdict = Verdict { events: newest, hash, faults: Vec::from_iter(fault) };
    if !verdict.faults.is_empty() {
        // A broken log proves nothing about the projections.
        return Ok(verdict);
    }
    verdict.faults.extend(views(db, &live, projections, &mut laws, newest).await?);
    for law in laws {
        verdict.faults.extend(law.conclude(&live).await?);
    }
    live.rollback().await.map_err(failed)?;
    Ok(verdict)
}

/// Locks the tables against being replaced by a rebuild, before the snapshot is taken: it would see the replacements as
/// empty. On SQLite a snapshot covers the whole file.
async fn keep(live: &DatabaseTransaction, projections: &[Arc<dyn Projection>]) -> Result<(), DbErr> {
    let tables: Vec<_> = projections.iter().flat_map(|projection| projection.tables()).copied().collect();
    if tables.is_empty() || ConnectionTrait::get_database_backend(live) != DatabaseBackend::Postgres {
        return Ok(());
    }
    live.execute_unprepared(&format!("LOCK TABLE {} IN ACCESS SHARE MODE", tables.join(", "))).await.map(|_| ())
}

/// Rebuilds the projections beside the live ones, and passes the events to the laws.
async fn views(
    db: &Database,
    live: &DatabaseTransaction,
    projections: &[Arc<dyn Projection>],
    laws: &mut [Box<dyn Law>],
    newest: Position,
) -> Result<Vec<Fault>, PortError> {
    let scratch = Database::scratch().await?;
    let truth = scratch.begin().await.map_err(failed)?;
    let mut wanted = categories(projections.iter().map(|projection| &**projection));
    if !wanted.is_empty() {
        wanted.extend(laws.iter().flat_map(|law| law.categories()).copied());
    }
    // Events never change, so another connection reads the same ones up to that position.
    let mut replay = Replay::start(db, wanted, newest);
    while let Some(page) = replay.next().await? {
        for projection in projections {
            let of_one = wanted_by(&**projection, &page.events);
            if !of_one.is_empty() {
                projection.apply(&truth, &of_one).await.map_err(broken)?;
            }
        }
        for law in &mut *laws {
            let categories = law.categories();
            let heard = |event: &&RecordedEvent| categories.is_empty() || categories.contains(&&*event.category);
            let heard: Vec<_> = page.events.iter().filter(heard).collect();
            heard.into_iter().try_for_each(|event| law.hear(event))?;
        }
    }
    let mut faults = Vec::new();
    for projection in projections {
        for table in projection.tables() {
            let fault = compare::table(live, &truth, projection.name(), table).await;
            faults.extend(fault.map_err(failed)?);
        }
    }
    truth.rollback().await.map_err(failed)?;
    scratch.close().await;
    Ok(faults)
}

fn failed(error: DbErr) -> PortError {
    Port("verification").failed("reading the log and its views")(error)
}

fn broken(error: ProjectionError) -> PortError {
    match error {
        ProjectionError::Database(error) => failed(error),
        ProjectionError::Event(error) => error,
    }
}
