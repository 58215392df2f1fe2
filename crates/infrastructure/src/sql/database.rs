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

/// SQLite's URL of a nameless temporary database.
const SCRATCH: &str = "sqlite://";
/// Number of read connections beside SQLite's only write connection.
const SQLITE_READERS: u32 = 8;
/// Timeout for acquiring a PostgreSQL connection.
const PATIENCE: Duration = Duration::from_secs(2);
/// Idle time after which a PostgreSQL connection is tested before use.
const UNPROVED: Duration = Duration::from_secs(30);
/// Settings of every PostgreSQL session, which override those of a role or database. Each statement sees what was
/// committed before it: a lookup under a lock must not use a snapshot from before the lock was granted.
const POSTGRES_SESSION: [(&str, &str); 2] =
    [("default_transaction_isolation", "read committed"), ("client_min_messages", "error")];
/// Limits of the sessions that serve requests, so that a lock holder that hangs cannot block everything else.
const POSTGRES_LIMITS: [(&str, &str); 3] =
    [("lock_timeout", "3s"), ("statement_timeout", "5s"), ("idle_in_transaction_session_timeout", "3s")];

/// What an acknowledged change survives on SQLite.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Durability {
    /// A crash of the process or the machine (`synchronous=FULL`).
    #[default]
    Full,
    /// A crash of the process. After a power failure the last changes may be lost, but no others (`NORMAL`).
    Relaxed,
}

/// A connected database. Both handles are cheap to clone.
#[derive(Debug, Clone)]
pub struct Database {
    /// For writes. On SQLite its only write connection.
    pub writer: DatabaseConnection,
    /// For reads. On PostgreSQL the same pool as the writer.
    pub reader: DatabaseConnection,
    url: String,
}

impl Database {
    /// Connects to `sqlite://<path>` (created if missing) or `postgres://…` with a pool of that many connections.
    ///
    /// # Errors
    /// [`PortError`] when the database cannot be reached or opened.
    pub async fn connect(url: &str, pool: u32) -> Result<Self, PortError> {
        Self::connect_with(url, pool, Durability::Full).await
    }

    /// Connects as [`Database::connect`] does, on SQLite with the given durability.
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
        // An in-memory database belongs to its connection, and so does the nameless one that is deleted with it.
        let in_memory = url == SCRATCH || url.contains(":memory:") || url.contains("mode=memory");
        let reader = if in_memory {
            writer.clone()
        } else {
            sea_orm::Database::connect(sqlite(&url, SQLITE_READERS, durability)).await?
        };
        Ok(Self { writer, reader, url })
    }

    /// A migrated database that is deleted when it is closed: in memory, and in a temporary file once it grows.
    ///
    /// # Errors
    /// [`PortError`] when it cannot be created.
    pub async fn scratch() -> Result<Self, PortError> {
        let scratch = Self::connect(SCRATCH, 1).await?;
        scratch.migrate().await?;
        Ok(scratch)
    }

    /// The database engine.
    #[must_use]
    pub fn backend(&self) -> DatabaseBackend {
        self.writer.get_database_backend()
    }

    /// Whether only one process may use the database at a time, as with SQLite.
    #[must_use]
    pub fn of_one_process(&self) -> bool {
        self.backend() != DatabaseBackend::Postgres
    }

    /// Brings the schema up to date. Replicas that start together take turns, and running servers continue.
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

    /// The same PostgreSQL database over separate connections without limits, for operations longer than a request.
    ///
    /// # Errors
    /// [`DbErr`] when the server cannot be reached.
    pub(crate) async fn patient(&self, connections: u32) -> Result<Self, DbErr> {
        let options = postgres(&self.url, connections, &[]);
        let writer = sea_orm::Database::connect(options).await?;
        Ok(Self { reader: writer.clone(), writer, url: self.url.clone() })
    }

    /// Begins a transaction that will write. On SQLite it takes the write lock at once, because upgrading a read
    /// transaction fails without waiting.
    ///
    /// # Errors
    /// [`DbErr`] when no connection can be acquired.
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

    /// The write connections of a task that runs as long as the process and is never cancelled. On PostgreSQL they are
    /// its own, so it never waits for others. Between its transactions the driver only sends its ping, on one
    /// connection while the next is in use.
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

    /// A PostgreSQL connection of its own for one component, under its own application name. Its writes, if any, may be
    /// lost if the server crashes.
    pub(crate) fn apart(&self, name: &str) -> PgPool {
        let server = self.writer.get_postgres_connection_pool().connect_options();
        let options = server.as_ref().clone().application_name(name).options([("synchronous_commit", "off")]);
        let alone = PgPoolOptions::new().max_connections(1).acquire_timeout(PATIENCE);
        alone.idle_timeout(None).max_lifetime(None).connect_lazy_with(options)
    }

    /// Begins a read-only transaction on a single snapshot.
    ///
    /// # Errors
    /// [`DbErr`] when no connection can be acquired.
    pub async fn begin_reading(&self) -> Result<DatabaseTransaction, DbErr> {
        // SQLite's readers see a snapshot anyway, and no other isolation level exists.
        let as_of_one_moment = TransactionOptions {
            isolation_level: Some(IsolationLevel::RepeatableRead),
            access_mode: Some(AccessMode::ReadOnly),
            ..TransactionOptions::default()
        };
        let postgres = self.backend() == DatabaseBackend::Postgres;
        begin(&self.reader, if postgres { as_of_one_moment } else { TransactionOptions::default() }).await
    }

    /// Checks that the database responds.
    ///
    /// # Errors
    /// [`PortError`] when it does not.
    pub async fn ping(&self) -> Result<(), PortError> {
        self.reader.ping().await.map_err(PORT.failed("asking for a sign of life"))
    }

    /// Closes all connections; SQLite checkpoints its write-ahead log into the file.
    pub async fn close(&self) {
        for pool in [&self.reader, &self.writer] {
            if let Err(error) = pool.close_by_ref().await {
                tracing::warn!(%error, "cannot close the database");
            }
        }
    }
}

/// If the future of `begin` is dropped between the server's answer and the driver's bookkeeping, an open transaction
/// returns to the pool. A task of its own always finishes; an unwanted transaction is then rolled back.
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
    // Commands wait in the writer's queue; a transaction may wait for the connection for longer than 2 s.
    options.acquire_timeout(Duration::from_secs(10)).min_connections(1).idle_timeout(None).max_lifetime(None);
    // A file needs no liveness test, which would only cost a round trip to its thread.
    options.test_before_acquire(false);
    // SQLite rolls back a commit that fails, for example on a full disk, but the driver still assumes an open
    // transaction. It would nest the next ones in it, and their commits would not reach the disk.
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
