use std::sync::Arc;

use async_trait::async_trait;
use devskyy_application::{
    error::PortError,
    es::{Page, Position},
};
use sea_orm::{DatabaseTransaction, DbErr};

use super::{
    super::{
        facts::head,
        projection::{Projection, categories, wanted_by},
        replay::Replay,
    },
    broken, failed,
};
use crate::sql::Database;

/// How many events may be missing when appends are paused.
const LAST_STRETCH: Position = 500;
/// Most rounds of catching up before that, in case the log grows as fast as it is read.
const ROUNDS: usize = 16;

/// The place where new tables are built.
#[async_trait]
pub(super) trait Aside: Sync {
    /// Begins a transaction in which the tables' names refer to the new tables.
    async fn begin(&self) -> Result<DatabaseTransaction, DbErr>;
}

/// A replay of the log into new tables.
pub(super) struct Derivation<'a, F> {
    db: &'a Database,
    projections: &'a [Arc<dyn Projection>],
    replay: Replay,
    upto: Position,
    progress: F,
}

impl<'a, F: FnMut(Position, Position) + Send> Derivation<'a, F> {
    /// Starts reading from a database.
    pub(super) async fn of(
        db: &'a Database,
        projections: &'a [Arc<dyn Projection>],
        progress: F,
    ) -> Result<Self, PortError> {
        let upto = head(&db.reader).await.map_err(failed)?.position;
        let wanted = categories(projections.iter().map(|projection| &**projection));
        Ok(Self { db, projections, replay: Replay::start(db, wanted, upto), upto, progress })
    }

    /// Applies events, one transaction per page, until few are missing.
    pub(super) async fn approach(&mut self, aside: &impl Aside) -> Result<(), PortError> {
        for _ in 0..ROUNDS {
            while let Some(page) = self.replay.next().await? {
                let tx = aside.begin().await.map_err(failed)?;
                self.take_in(&tx, &page).await?;
                tx.commit().await.map_err(failed)?;
                (self.progress)(page.scanned_to, self.upto);
            }
            let newest = head(&self.db.reader).await.map_err(failed)?.position;
            let missing = newest.saturating_sub(self.upto);
            self.go_on(newest).await?;
            if missing <= LAST_STRETCH {
                break;
            }
        }
        Ok(())
    }

    /// Applies the remaining events while appends are paused.
    pub(super) async fn conclude(&mut self, tx: &DatabaseTransaction) -> Result<Position, PortError> {
        loop {
            while let Some(page) = self.replay.next().await? {
                self.take_in(tx, &page).await?;
            }
            let newest = head(&self.db.reader).await.map_err(failed)?.position;
            if newest <= self.upto {
                return Ok(newest);
            }
            self.go_on(newest).await?;
        }
    }

    async fn go_on(&mut self, upto: Position) -> Result<(), PortError> {
        self.replay.go_on(upto).await?;
        self.upto = upto;
        Ok(())
    }

    async fn take_in(&self, tx: &DatabaseTransaction, page: &Page) -> Result<(), PortError> {
        for projection in self.projections {
            let wanted = wanted_by(&**projection, &page.events);
            if !wanted.is_empty() {
                projection.apply(tx, &wanted).await.map_err(broken)?;
            }
        }
        Ok(())
    }
}
