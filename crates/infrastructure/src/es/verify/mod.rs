//! Proves that the log is whole and that every view is what the log says.

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

/// Something that is not as the log says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// An event is missing, was changed, or does not fit its stream.
    Chain {
        /// The first such position.
        position: Position,
        /// What is wrong with it.
        why: String,
    },
    /// A row of a view is missing, was changed, or should not be.
    Projection {
        /// Which projection.
        projection: &'static str,
        /// Which table.
        table: &'static str,
        /// Log position of the event that the row should reflect; the first of the table, where rows carry one.
        position: Option<Position>,
        /// What is wrong with it.
        why: String,
    },
    /// What an event refers to beside the log is missing or was changed.
    Result {
        /// The first event that refers to it.
        position: Position,
        /// What is wrong with it.
        why: String,
    },
    /// A unique value is not taken by whoever holds it, or by somebody who does not.
    Claim {
        /// Log position of the event since which somebody holds it; none, where nobody does.
        position: Option<Position>,
        /// What is wrong with it.
        why: String,
    },
    /// What happened is recorded as it was, and must not have happened.
    History {
        /// Where.
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

/// What verifying found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    /// How many events the log holds.
    pub events: u64,
    /// SHA-256 of the newest event that is as it was recorded, which stands for all before it.
    pub hash: [u8; 32],
    /// The first fault of the log, or the first of each table of each projection, and whatever
    /// must not have happened; empty when all is well.
    pub faults: Vec<Fault>,
}

/// Walks the log's hash chain, then derives every projection again into a scratch database and compares row by row, and
/// holds what happened to the laws.
///
/// Reads one moment's state, so it may run beside a working platform. `progress` hears how many positions are done, of
/// how many.
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
        // What a broken log says proves nothing about the views.
        return Ok(verdict);
    }
    verdict.faults.extend(views(db, &live, projections, &mut laws, newest).await?);
    for law in laws {
        verdict.faults.extend(law.conclude(&live).await?);
    }
    live.rollback().await.map_err(failed)?;
    Ok(verdict)
}

/// Has the tables stay for as long as the transaction, before it sees anything: it would see nothing in tables that a
/// rebuild puts in their place later. SQLite's readers see whole files as of one moment.
async fn keep(live: &DatabaseTransaction, projections: &[Arc<dyn Projection>]) -> Result<(), DbErr> {
    let tables: Vec<_> = projections.iter().flat_map(|projection| projection.tables()).copied().collect();
    if tables.is_empty() || ConnectionTrait::get_database_backend(live) != DatabaseBackend::Postgres {
        return Ok(());
    }
    live.execute_unprepared(&format!("LOCK TABLE {} IN ACCESS SHARE MODE", tables.join(", "))).await.map(|_| ())
}

/// Derives the views again beside the live ones, and lets the laws hear what they are derived from.
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
    // Events never change: whichever connection reads them up to that position, they are the ones that were walked.
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
