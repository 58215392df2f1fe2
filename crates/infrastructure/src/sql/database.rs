use std::time::Duration;

use devskyy_application::error::PortError;
use devskyy_migrations::{Migrator, MigratorTrait};
use sea_orm::{
    AccessMode, ConnectOptions, DatabaseBackend, DatabaseConnection, DatabaseTransaction, DbErr, IsolationLevel,
    SqliteTransactionMode, TransactionOptions, TransactionTrait,
    sqlx::{
        self,
        postgres::{PgPool, PgPoolOptions},
        sqlite::{SqliteJournalMode, SqliteSynchronous},
    },
};

use super::{Port, failure::leads_nowhere, migrating};

const PORT: Port = Port("database");

/// SQLite's name for a database without a name.
const SCRATCH: &str = "sqlite://";
/// Connections that read while the one of SQLite writes.
const SQLITE_READERS: u32 = 8;
/// How long one waits for a connection to PostgreSQL.
const PATIENCE: Duration = Duration::from_secs(2);
/// How long a connection to PostgreSQL may have been idle and still be believed to work.
const UNPROVED: Duration = Duration::from_secs(30);
/// What holds on every PostgreSQL session, whatever a role or a database is set to. Each statement sees what was committed
/// before it: what is looked up under a lock must not be as of before the lock was granted.
const POSTGRES_SESSION: [(&str, &str); 2] =
    [("default_transaction_isolation", "read committed"), ("client_min_messages", "error")];
/// A lock holder that hangs must not stop everybody else: bounds on the sessions of requests.
const POSTGRES_LIMITS: [(&str, &str); 3] =
    [("lock_timeout", "3s"), ("statement_timeout", "5s"), ("idle_in_transaction_session_timeout", "3s")];

/// What an acknowledged change survives on SQLite.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Durability {
    /// The end of the process and of the machine (`synchronous=FULL`).
    #[default]
    Full,
    /// The end of the process. A machine that loses power may lose the last changes, and nothing else (`NORMAL`).
    Relaxed,
}

/// A connected database. Both handles are cheap to clone.
#[derive(Debug, Clone)]
pub struct Database {
    /// Where everything is written. On SQLite the one connection that writes.
    pub writer: DatabaseConnection,
    /// Where views are read. On PostgreSQL the same pool as the writer.
    pub reader: DatabaseConnection,
    url: String,
}

impl Database {
    /// Connects to `sqlite://<path>` (made when missing) or `postgres://…` with a pool of that many connections.
    ///
    /// # Errors
    /// [`PortError`] when the database cannot be reached or opened.
    pub async fn connect(url: &str, pool: u32) -> Result<Self, PortError> {
        Self::connect_with(url, pool, Durability::Full).await
    }

    /// Connects as [`Database::connect`] does; on SQLite, changes survive what is asked.
    ///
    /// # Errors
    /// [`PortError`] when the database cannot be reached or opened.
    pub async fn connect_with(url: &str, pool: u32, durability: Durability) -> Result<Self, PortError> {
        Self::open(url, pool, durability).await.map_err(PORT.failed("connecting"))
    }

    async fn open(url: &str, pool: u32, durability: Durability) -> Result<Self, DbErr> {
        let url = url.to_owned();
        if !url.starts_with("sqlite:") {
            let writer = sea_orm::Database::connect(postgres(&url, pool.max(3), &POSTGRES_LIMITS)).await?;
            return Ok(Self { reader: writer.clone(), writer, url });
        }
        let writer = sea_orm::Database::connect(sqlite(&url, 1, durability)).await?;
        // A database in memory belongs to its one connection, and so does the nameless one that vanishes with it.
        let in_memory = url == SCRATCH || url.contains(":memory:") || url.contains("mode=memory");
        let reader = if in_memory {
            writer.clone()
        } else {
            sea_orm::Database::connect(sqlite(&url, SQLITE_READERS, durability)).await?
        };
        Ok(Self { writer, reader, url })
    }

    /// A migrated database that vanishes when it is closed: in memory, and in a nameless file once it grows.
    ///
    /// # Errors
    /// [`PortError`] when it cannot be made.
    pub async fn scratch() -> Result<Self, PortError> {
        let scratch = Self::connect(SCRATCH, 1).await?;
        scratch.migrate().await?;
        Ok(scratch)
    }

    /// Which engine this is.
    #[must_use]
    pub fn backend(&self) -> DatabaseBackend {
        self.writer.get_database_backend()
    }

    /// Whether no other process may use it meanwhile, which holds of SQLite.
    #[must_use]
    pub fn of_one_process(&self) -> bool {
        self.backend() != DatabaseBackend::Postgres
    }

    /// Brings the schema up to date; replicas that start together take turns, and whoever uses the database goes on.
    ///
    /// # Errors
    /// [`PortError`] when a migration fails.
    pub async fn migrate(&self) -> Result<(), PortError> {
        let migrated = match self.backend() {
            DatabaseBackend::Postgres => migrating::migrate(self).await,
            _ => Migrator::up(&self.writer, None).await,
        };
        migrated.map_err(PORT.failed("migrating"))
    }

    /// The same PostgreSQL database over connections of its own without limits, for what may take longer than a request.
    ///
    /// # Errors
    /// [`DbErr`] when the server cannot be reached.
    pub(crate) async fn patient(&self, connections: u32) -> Result<Self, DbErr> {
        let options = postgres(&self.url, connections, &[]);
        let writer = sea_orm::Database::connect(options).await?;
        Ok(Self { reader: writer.clone(), writer, url: self.url.clone() })
    }

    /// Begins a transaction that will write: on SQLite it takes the write lock at once, because a reader that turns
    /// writer fails without waiting.
    ///
    /// # Errors
    /// [`DbErr`] when no connection can be had.
    pub async fn begin(&self) -> Result<DatabaseTransaction, DbErr> {
        begin(
            &self.writer,
            TransactionOptions {
                sqlite_transaction_mode: Some(SqliteTransactionMode::Immediate),
                ..TransactionOptions::default()
            },
        )
        .await
    }

    /// Where a task writes that runs for as long as the process does and is never cancelled. On PostgreSQL it gets
    /// connections of its own: it waits for nobody, and between two of its transactions nothing is asked but the sign of
    /// life that the driver wants, on one connection while the next is in use.
    #[must_use]
    pub(crate) fn reserved(&self) -> DatabaseConnection {
        if self.backend() != DatabaseBackend::Postgres {
            return self.writer.clone();
        }
        let options = PgPoolOptions::new()
            .max_connections(3)
            .acquire_timeout(PATIENCE)
            .test_before_acquire(false)
            .before_acquire(|connection, known| {
                Box::pin(async move {
                    if known.idle_for > UNPROVED {
                        sqlx::Connection::ping(connection).await?;
                    }
                    Ok(!leads_nowhere(known.age))
                })
            });
        let server = self.writer.get_postgres_connection_pool().connect_options();
        options.connect_lazy_with(server.as_ref().clone()).into()
    }

    /// One connection to PostgreSQL for somebody who keeps it, under a name of its own. What is changed on it, if anything,
    /// may be lost with the machine.
    pub(crate) fn apart(&self, name: &str) -> PgPool {
        let server = self.writer.get_postgres_connection_pool().connect_options();
        let options = server.as_ref().clone().application_name(name).options([("synchronous_commit", "off")]);
        let alone = PgPoolOptions::new().max_connections(1).acquire_timeout(PATIENCE);
        alone.idle_timeout(None).max_lifetime(None).connect_lazy_with(options)
    }

    /// Begins a transaction that only reads, and sees everything as of one moment.
    ///
    /// # Errors
    /// [`DbErr`] when no connection can be had.
    pub async fn begin_reading(&self) -> Result<DatabaseTransaction, DbErr> {
        // SQLite's readers see one moment anyway, and know no other isolation.
        let as_of_one_moment = TransactionOptions {
            isolation_level: Some(IsolationLevel::RepeatableRead),
            access_mode: Some(AccessMode::ReadOnly),
            ..TransactionOptions::default()
        };
        let postgres = self.backend() == DatabaseBackend::Postgres;
        begin(&self.reader, if postgres { as_of_one_moment } else { TransactionOptions::default() }).await
    }

    /// Whether the database answers.
    ///
    /// # Errors
    /// [`PortError`] when it does not.
    pub async fn ping(&self) -> Result<(), PortError> {
        self.reader.ping().await.map_err(PORT.failed("asking for a sign of life"))
    }

    /// Closes every connection; SQLite folds its write-ahead log back into the file.
    pub async fn close(&self) {
        for pool in [&self.reader, &self.writer] {
            if let Err(error) = pool.close_by_ref().await {
                tracing::warn!(%error, "cannot close the database");
            }
        }
    }
}

/// A `begin` whose future is dropped between the server's answer and the driver's bookkeeping would give an open
/// transaction back to the pool. In a task of its own it always finishes; an unwanted transaction then rolls back.
async fn begin(pool: &DatabaseConnection, options: TransactionOptions) -> Result<DatabaseTransaction, DbErr> {
    let pool = pool.clone();
    let begun = tokio::spawn(async move { pool.begin_with_options(options).await }).await;
    begun.map_err(|error| DbErr::Custom(error.to_string()))?
}

fn quiet(url: &str, pool: u32) -> ConnectOptions {
    let mut options = ConnectOptions::new(url);
    options
        .max_connections(pool)
        .acquire_timeout(PATIENCE)
        .connect_timeout(PATIENCE)
        .sqlx_logging(false)
        .record_stmt_in_spans(false);
    options
}

fn sqlite(url: &str, pool: u32, durability: Durability) -> ConnectOptions {
    let synchronous = match durability {
        Durability::Full => SqliteSynchronous::Full,
        Durability::Relaxed => SqliteSynchronous::Normal,
    };
    let mut options = quiet(url, pool);
    // The writer's queue is where commands wait; a transaction may wait longer for the one connection than 2 s.
    options.acquire_timeout(Duration::from_secs(10)).min_connections(1).idle_timeout(None).max_lifetime(None);
    // A file does not hang up: asking it for a sign of life would only cost a turn of its thread.
    options.test_before_acquire(false);
    // A commit that fails, for want of space perhaps, SQLite takes back by itself. The driver still believes in the
    // transaction then: it would begin the next ones inside it, and whatever these commit would not be on disk.
    options.map_sqlx_sqlite_before_acquire(|connection, _| {
        let free = !sqlx::Connection::is_in_transaction(connection);
        Box::pin(async move { Ok(free) })
    });
    options.map_sqlx_sqlite_opts(move |sqlite| {
        sqlite
            .create_if_missing(true)
            .page_size(8192)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(synchronous)
            .busy_timeout(Duration::from_secs(5))
            .statement_cache_capacity(256)
            .pragma("mmap_size", "268435456")
            .pragma("temp_store", "memory")
            .optimize_on_close(true, None)
    });
    options
}

fn postgres(url: &str, pool: u32, limits: &'static [(&str, &str)]) -> ConnectOptions {
    let mut options = quiet(url, pool);
    options.test_before_acquire_if_idle_for(UNPROVED).map_sqlx_postgres_before_acquire(|_, known| {
        let usable = !leads_nowhere(known.age);
        Box::pin(async move { Ok(usable) })
    });
    options.map_sqlx_postgres_opts(move |postgres| {
        let session = POSTGRES_SESSION.iter().chain(limits).copied();
        postgres.application_name("devskyy").statement_cache_capacity(256).options(session)
    });
    options
}
