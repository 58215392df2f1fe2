//! Rebuilds projections beside the live ones while the log grows; only the switch-over pauses appends.

mod derivation;
mod on_postgres;
mod on_sqlite;

use std::sync::Arc;

use devskyy_application::{error::PortError, es::Position};
use sea_orm::{DatabaseBackend, DbErr};

use super::projection::{Projection, ProjectionError};
use crate::sql::{Database, Port};

/// Rebuilds projections from the first event, into new tables that replace the old ones in one transaction: readers see
/// the old rows until the new ones are complete, and only that transaction pauses appends. A rebuild that fails before
/// leaves the old tables unchanged. `progress` receives the positions done and their total.
///
/// A projection only writes its own tables, so no external effect is repeated.
///
/// # Errors
/// [`PortError`] when the database fails, an event cannot be decoded, another rebuild is running, or the tables are
/// read for too long; the old rows stay then.
pub async fn rebuild(
    db: &Database,
    projections: &[Arc<dyn Projection>],
    progress: impl FnMut(Position, Position) + Send,
) -> Result<Position, PortError> {
    match db.backend() {
        DatabaseBackend::Postgres => on_postgres::rebuild(db, projections, progress).await,
        _ => on_sqlite::rebuild(db, projections, progress).await,
    }
}

/// The tables of a set of projections, children before parents.
fn tables(projections: &[Arc<dyn Projection>]) -> Vec<&'static str> {
    projections.iter().flat_map(|projection| projection.tables()).copied().collect()
}

fn failed(error: DbErr) -> PortError {
    Port("projections").failed("rebuilding")(error)
}

fn broken(error: ProjectionError) -> PortError {
    match error {
        ProjectionError::Database(error) => failed(error),
        ProjectionError::Event(error) => error,
    }
}
