//! The connections reserved for the log's writer.

use std::{
    future::Future,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use sea_orm::{
    DatabaseConnection, DatabaseTransaction, DbErr, RuntimeErr, SqliteTransactionMode, TransactionOptions,
    TransactionTrait,
};
use tokio::time::timeout;

use crate::sql::{Database, leave};

/// How long PostgreSQL may take to answer. Its own timeouts are shorter, so a server that is silent for longer is gone;
/// TCP would notice only after a quarter of an hour.
const SILENCE: Duration = Duration::from_secs(8);

/// A transaction, or the error of beginning it.
pub(super) type Begun = Result<DatabaseTransaction, DbErr>;

/// Connections that are replaced by new ones when the server stops answering.
pub(super) struct Reserved {
    db: Database,
    current: Mutex<DatabaseConnection>,
}

impl Reserved {
    pub(super) fn of(db: Database) -> Self {
        Self { current: Mutex::new(db.reserved()), db }
    }

    pub(super) fn current(&self) -> DatabaseConnection {
        self.current.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Begins a transaction that will write.
    pub(super) async fn begin(&self) -> Begun {
        let current = self.current();
        self.within(current.begin_with_options(AT_ONCE)).await
    }

    /// Awaits the database, with a timeout unless it is a local file.
    pub(super) async fn within<T, E: From<DbErr>>(&self, work: impl Future<Output = Result<T, E>>) -> Result<T, E> {
        if self.db.of_one_process() {
            return work.await;
        }
        match timeout(SILENCE, work).await {
            Ok(done) => done,
            Err(_) => {
                *self.current.lock().unwrap_or_else(PoisonError::into_inner) = self.db.reserved();
                leave();
                Err(DbErr::Conn(RuntimeErr::Internal("the database does not answer".to_owned())).into())
            }
        }
    }
}

/// SQLite's write lock is taken at the beginning, because upgrading a read transaction fails without waiting.
/// PostgreSQL's isolation level is set when the session connects and costs no statement here.
const AT_ONCE: TransactionOptions = TransactionOptions {
    isolation_level: None,
    access_mode: None,
    sqlite_transaction_mode: Some(SqliteTransactionMode::Immediate),
};
