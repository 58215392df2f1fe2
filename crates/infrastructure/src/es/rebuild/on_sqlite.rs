//! On SQLite the new rows are built in a scratch database and then copied into the emptied tables, because indexes
//! cannot be renamed there and so tables cannot be swapped. Appends wait for the copy.

use std::sync::Arc;

use async_trait::async_trait;
use devskyy_application::{error::PortError, es::Position};
use sea_orm::{ConnectionTrait, DatabaseBackend, DatabaseTransaction, DbErr, RuntimeErr, TransactionTrait};

use super::{
    super::{projection::Projection, statements::statement},
    derivation::{Aside, Derivation},
    failed, tables,
};
use crate::sql::Database;

pub(super) async fn rebuild(
    db: &Database,
    projections: &[Arc<dyn Projection>],
    progress: impl FnMut(Position, Position) + Send,
) -> Result<Position, PortError> {
    let scratch = Database::scratch().await?;
    let rebuilt = beside(db, &scratch, projections, progress).await;
    scratch.close().await;
    rebuilt
}

async fn beside(
    db: &Database,
    scratch: &Database,
    projections: &[Arc<dyn Projection>],
    progress: impl FnMut(Position, Position) + Send,
) -> Result<Position, PortError> {
    attach(db, scratch).await.map_err(failed)?;
    let mut derivation = Derivation::of(db, projections, progress).await?;
    derivation.approach(scratch).await?;
    let tx = Aside::begin(scratch).await.map_err(failed)?;
    // Writers queue for this connection. If it were free, they would contend for the file lock and retry.
    let turn = db.writer.get_sqlite_connection_pool().acquire().await;
    let _turn = turn.map_err(|error| failed(DbErr::Conn(RuntimeErr::SqlxError(error.into()))))?;
    let tables = tables(projections);
    for table in &tables {
        tx.execute_unprepared(&format!("DELETE FROM live.{table}")).await.map_err(failed)?;
    }
    let newest = derivation.conclude(&tx).await?;
    for table in tables.iter().rev() {
        copy(&tx, table).await.map_err(failed)?;
    }
    tx.commit().await.map_err(failed)?;
    Ok(newest)
}

#[async_trait]
impl Aside for Database {
    /// The attached file is not locked until the transaction writes to it.
    async fn begin(&self) -> Result<DatabaseTransaction, DbErr> {
        self.writer.begin().await
    }
}

/// Attaches the file to the scratch database's connection as `live`, with the durability of acknowledged changes.
async fn attach(db: &Database, scratch: &Database) -> Result<(), DbErr> {
    let find = "SELECT file FROM pragma_database_list WHERE name = 'main' AND file <> ''";
    let found = db.reader.query_one_raw(statement(DatabaseBackend::Sqlite, find, Vec::new())).await?;
    let Some(found) = found else {
        return Err(DbErr::Custom("a database in memory cannot be rebuilt beside itself".to_owned()));
    };
    let file: String = found.try_get_by_index(0)?;
    let attach = statement(DatabaseBackend::Sqlite, "ATTACH DATABASE ? AS live", vec![file.into()]);
    scratch.writer.execute_raw(attach).await?;
    scratch.writer.execute_unprepared("PRAGMA live.synchronous = FULL").await.map(|_| ())
}

async fn copy(tx: &DatabaseTransaction, table: &str) -> Result<(), DbErr> {
    let list = format!("SELECT group_concat('\"' || name || '\"', ', ') FROM pragma_table_info('{table}', 'main')");
    let listed = tx.query_one_raw(statement(DatabaseBackend::Sqlite, &list, Vec::new())).await?;
    let columns: String = listed.map_or(Ok(String::new()), |row| row.try_get_by_index(0))?;
    let insert = format!("INSERT INTO live.{table} ({columns}) SELECT {columns} FROM main.{table}");
    tx.execute_unprepared(&insert).await.map(|_| ())
}
