use sea_orm::{ConnectionTrait, DatabaseBackend, DatabaseTransaction, DbErr};

/// Locks a table against other writers for this transaction. On SQLite the only writer already has the lock.
pub(crate) async fn lock(tx: &DatabaseTransaction, table: &'static str) -> Result<(), DbErr> {
    match tx.get_database_backend() {
        DatabaseBackend::Postgres => {
            tx.execute_unprepared(&format!("LOCK TABLE {table} IN SHARE ROW EXCLUSIVE MODE")).await.map(|_| ())
        }
        _ => Ok(()),
    }
}
