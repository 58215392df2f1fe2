//! Derives projections again beside the living ones, while the log grows; only the change-over makes appends wait.

mod derivation;
mod on_postgres;
mod on_sqlite;

use std::sync::Arc;

use devskyy_application::{error::PortError, es::Position};
use sea_orm::{DatabaseBackend, DbErr};

use super::projection::{Projection, ProjectionError};
use crate::sql::{Database, Port};

/// Derives projections again from the first event on, into tables aside, which then take the place of the old ones in one
/// transaction: readers see the old rows until the new ones are complete, and appends wait for that transaction alone.
/// What ends in between leaves the old tables as they are. `progress` hears how far it got, and of how much.
///
/// A projection only ever writes its own tables, so nothing is sent or called a second time.
///
/// # Errors
/// [`PortError`] when the database fails, an event cannot be understood, somebody else rebuilds meanwhile, or somebody
/// reads the tables for too long; the old rows stay then.
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
