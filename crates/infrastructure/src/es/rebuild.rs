use std::sync::Arc;

use devskyy_application::{error::PortError, es::Position};
use sea_orm::{ConnectionTrait, DatabaseTransaction, DbErr};

use super::{
    batch::lock,
    facts::head,
    projection::{Projection, ProjectionError, categories, wanted_by},
    replay::{Replay, unlimited},
};
use crate::sql::{Database, port_error};

/// Empties projections and derives them again from the first event on, in one transaction: readers see the old rows
/// until the new ones are complete, and nothing is appended meanwhile. `progress` hears how far it got, and of how much.
///
/// A projection only ever writes its own tables, so nothing is sent or called a second time.
///
/// # Errors
/// [`PortError`] when the database fails or an event cannot be understood; the old rows stay then.
pub async fn rebuild(
    db: &Database,
    projections: &[Arc<dyn Projection>],
    mut progress: impl FnMut(Position, Position) + Send,
) -> Result<Position, PortError> {
    let tx = db.begin().await.map_err(failed)?;
    let newest = begin(&tx).await.map_err(failed)?;
    for projection in projections {
        empty(&tx, &**projection).await.map_err(failed)?;
    }
    let wanted = categories(projections.iter().map(|projection| &**projection));
    let mut replay = Replay::start(db, wanted, newest);
    while let Some(page) = replay.next().await? {
        apply(&tx, projections, &page.events).await.map_err(broken)?;
        progress(page.scanned_to, newest);
    }
    tx.commit().await.map_err(failed)?;
    Ok(newest)
}

async fn begin(tx: &DatabaseTransaction) -> Result<Position, DbErr> {
    unlimited(tx).await?;
    lock(tx).await?;
    Ok(head(tx).await?.position)
}

async fn empty(tx: &DatabaseTransaction, projection: &dyn Projection) -> Result<(), DbErr> {
    for table in projection.tables() {
        tx.execute_unprepared(&format!("DELETE FROM {table}")).await?;
    }
    Ok(())
}

async fn apply(
    tx: &DatabaseTransaction,
    projections: &[Arc<dyn Projection>],
    events: &[devskyy_application::es::RecordedEvent],
) -> Result<(), ProjectionError> {
    for projection in projections {
        let wanted = wanted_by(&**projection, events);
        if !wanted.is_empty() {
            projection.apply(tx, &wanted).await?;
        }
    }
    Ok(())
}

fn failed(error: DbErr) -> PortError {
    port_error("projections", "rebuilding", error)
}

fn broken(error: ProjectionError) -> PortError {
    match error {
        ProjectionError::Database(error) => failed(error),
        ProjectionError::Event(error) => error,
    }
}
