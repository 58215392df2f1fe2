//! The connections that the log's writer keeps for itself.

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

/// How long PostgreSQL may be silent. It ends what takes it longer by itself, so that a server that says nothing at all
/// has vanished; the system would wait for it for a quarter of an hour.
const SILENCE: Duration = Duration::from_secs(8);

/// A transaction, or why there is none.
pub(super) type Begun = Result<DatabaseTransaction, DbErr>;

/// Connections that are left for new ones when nothing is heard on them.
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

    /// Waits for the database, but not for one that has vanished. A file on this machine has not.
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

/// SQLite's write lock is taken at the beginning, because a reader that turns writer fails without waiting. PostgreSQL's
/// isolation is that of the session, which is pinned when it connects and costs no statement here.
const AT_ONCE: TransactionOptions = TransactionOptions {
    isolation_level: None,
    access_mode: None,
    sqlite_transaction_mode: Some(SqliteTransactionMode::Immediate),
};
