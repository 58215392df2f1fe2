//! Query plans and costs, for tests.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use devskyy_application::paging::Key;
use devskyy_testkit::databases::{Own, server};
use sea_orm::{ConnectionTrait as _, DatabaseBackend, EntityTrait, QueryTrait as _, Select, Statement};

use super::{Database, Order};

/// Generates a test of a check for SQLite, and one for PostgreSQL.
macro_rules! on_both_engines {
    ($check:ident) => {
        mod $check {
            #[tokio::test]
            async fn on_sqlite() {
                super::$check(&$crate::sql::tests::sqlite().await).await;
            }

            #[tokio::test]
            #[ignore = "needs PostgreSQL"]
            async fn on_postgres() {
                super::$check(&$crate::sql::tests::postgres().await).await;
            }
        }
    };
}
pub(crate) use on_both_engines;

/// An in-memory database.
pub(crate) async fn sqlite() -> Database {
    Database::scratch().await.expect("a database in memory")
}

/// A database on the server of `DEVSKYY_TEST_POSTGRES_URL`. Sequential scans are disabled: they would be the best plan
/// for its empty tables, but not for full ones.
pub(crate) async fn postgres() -> Database {
    let server = server().expect("DEVSKYY_TEST_POSTGRES_URL names a server");
    let admin = Database::connect(&server, 3).await.expect("a server");
    let Own { name, url } = Own::beside(&server, "test");
    for command in ["CREATE DATABASE {}", "ALTER DATABASE {} SET enable_seqscan = off"] {
        admin.writer.execute_unprepared(&command.replace("{}", &name)).await.expect("a database");
    }
    admin.close().await;
    let db = Database::connect(&url, 3).await.expect("a database");
    db.migrate().await.expect("a schema");
    db
}

/// Asserts that continuing a list after a key searches an index, reads in its order and does not sort.
pub(crate) async fn goes_on_by_index<E: EntityTrait>(
    db: &Database,
    rows: Select<E>,
    order: Order<E::Column>,
    place: &Key,
) -> String {
    begins_in_index(db, order.stretch(rows, Some(place), 21).build(db.backend())).await
}

/// Asserts that a query searches an index and does not sort. Returns the plan.
pub(crate) async fn begins_in_index(db: &Database, query: Statement) -> String {
    let steps = plan(db, query).await;
    let place = if steps.backend == DatabaseBackend::Postgres { "ROW(" } else { " INDEX " };
    assert!(steps.search(&[place]) && !steps.read_a_whole_table() && !steps.sort(), "{steps:?}");
    steps.told.join("; ")
}

/// The steps of a query plan.
#[derive(Debug)]
pub(crate) struct Steps {
    backend: DatabaseBackend,
    told: Vec<String>,
}

/// The plan of a query.
pub(crate) async fn plan(db: &Database, mut query: Statement) -> Steps {
    let backend = db.backend();
    let (explain, column) = match backend {
        DatabaseBackend::Postgres => ("EXPLAIN ", "QUERY PLAN"),
        _ => ("EXPLAIN QUERY PLAN ", "detail"),
    };
    query.sql.insert_str(0, explain);
    let steps = db.reader.query_all_raw(query).await.expect("a plan");
    let told = steps.iter().map(|row| row.try_get("", column).expect("a step")).collect();
    Steps { backend, told }
}

impl Steps {
    fn any(&self, on_postgres: &str, on_sqlite: &str, more: &[&str]) -> bool {
        let kind = if self.backend == DatabaseBackend::Postgres { on_postgres } else { on_sqlite };
        self.told.iter().any(|step| step.contains(kind) && more.iter().all(|word| step.contains(word)))
    }

    /// Whether a step searches an index for all of these.
    pub(crate) fn search(&self, all: &[&str]) -> bool {
        self.any("Index Cond: ", "SEARCH ", all)
    }

    /// Whether a step reads a whole table.
    pub(crate) fn read_a_whole_table(&self) -> bool {
        self.any("Seq Scan", "SCAN ", &[])
    }

    /// Whether a step sorts rows.
    pub(crate) fn sort(&self) -> bool {
        self.any("Sort", "TEMP B-TREE", &[])
    }
}

/// The cost of executing a statement: hundreds of SQLite VM instructions, or rows that PostgreSQL reads.
pub(crate) async fn effort(db: &Database, mut asked: Statement) -> u64 {
    if db.backend() != DatabaseBackend::Postgres {
        return steps(db, asked).await;
    }
    asked.sql.insert_str(0, "EXPLAIN (ANALYZE, COSTS OFF) ");
    let plan = db.writer.query_all_raw(asked).await.expect("a plan");
    let (mut rows, mut loops) = (0.0, 0.0);
    for row in plan {
        let step: String = row.try_get("", "QUERY PLAN").expect("a step");
        let number = |after: &str| {
            let (_, rest) = step.rsplit_once(after)?;
            rest.split([' ', ')']).next()?.parse::<f64>().ok()
        };
        if let Some(times) = number(" loops=") {
            loops = if step.contains("Scan") { times } else { 0.0 };
        }
        rows += loops * number(" rows=").or_else(|| number("Rows Removed by Filter: ")).unwrap_or_default();
    }
    rounded(rows)
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a number of rows")]
const fn rounded(rows: f64) -> u64 {
    rows as u64
}

async fn steps(db: &Database, asked: Statement) -> u64 {
    let steps = Arc::new(AtomicU64::new(0));
    let counted = Arc::clone(&steps);
    let pool = db.writer.get_sqlite_connection_pool();
    let mut connection = pool.acquire().await.expect("the connection");
    connection.lock_handle().await.expect("the database").set_progress_handler(100, move || {
        counted.fetch_add(1, Ordering::Relaxed);
        true
    });
    drop(connection);
    db.writer.query_all_raw(asked).await.expect("rows");
    let mut connection = pool.acquire().await.expect("the connection");
    connection.lock_handle().await.expect("the database").remove_progress_handler();
    steps.load(Ordering::Relaxed)
}
