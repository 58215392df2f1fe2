use sea_orm::{ConnectionTrait, DatabaseBackend, DatabaseTransaction, DbErr};

/// Takes a table for this transaction alone. SQLite's one writer has it already.
pub(crate) async fn lock(tx: &DatabaseTransaction, table: &'static str) -> Result<(), DbErr> {
    match tx.get_database_backend() {
        DatabaseBackend::Postgres => {
            tx.execute_unprepared(&format!("LOCK TABLE {table} IN SHARE ROW EXCLUSIVE MODE")).await.map(|_| ())
        }
        _ => Ok(()),
    }
}
