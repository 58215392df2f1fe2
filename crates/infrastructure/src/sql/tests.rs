//! What the databases plan to do for a list, for tests.

use devskyy_application::paging::Key;
use sea_orm::{ConnectionTrait as _, DatabaseBackend, EntityTrait, QueryTrait as _, Select, Statement};
use uuid::Uuid;

use super::{Database, Order};

/// Makes a test of a check for SQLite, and one for PostgreSQL.
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

/// A database in memory.
pub(crate) async fn sqlite() -> Database {
    Database::scratch().await.expect("a database in memory")
}

/// A database on the server that `DEVSKYY_TEST_POSTGRES_URL` names. Its tables are empty, so it would rather read them whole;
/// it is told not to, and plans as it would for full ones.
#[expect(clippy::disallowed_methods, reason = "tests learn of servers and make names by themselves")]
pub(crate) async fn postgres() -> Database {
    let server = std::env::var("DEVSKYY_TEST_POSTGRES_URL").expect("DEVSKYY_TEST_POSTGRES_URL names a server");
    let admin = Database::connect(&server, 3).await.expect("a server");
    let name = format!("test_{}", Uuid::now_v7().simple());
    for command in ["CREATE DATABASE {}", "ALTER DATABASE {} SET enable_seqscan = off"] {
        admin.writer.execute_unprepared(&command.replace("{}", &name)).await.expect("a database");
    }
    admin.close().await;
    let (server, _) = server.rsplit_once('/').expect("an address with a name");
    let db = Database::connect(&format!("{server}/{name}"), 3).await.expect("a database");
    db.migrate().await.expect("a schema");
    db
}

/// Asserts that going on with a list from a place begins there in an index, reads it in its order and sorts nothing.
pub(crate) async fn goes_on_by_index<E: EntityTrait>(
    db: &Database,
    rows: Select<E>,
    order: Order<E::Column>,
    place: &Key,
) {
    begins_in_index(db, order.stretch(rows, Some(place), 21).build(db.backend())).await;
}

/// Asserts that a query begins at a place in an index and sorts nothing.
pub(crate) async fn begins_in_index(db: &Database, mut query: Statement) {
    let (explain, column, wanted, unwanted) = match db.backend() {
        DatabaseBackend::Postgres => ("EXPLAIN ", "QUERY PLAN", ["Index Cond: ", "ROW("], ["Seq Scan", "Sort"]),
        _ => ("EXPLAIN QUERY PLAN ", "detail", ["SEARCH ", " INDEX "], ["SCAN ", "TEMP B-TREE"]),
    };
    query.sql.insert_str(0, explain);
    let plan = db.reader.query_all_raw(query).await.expect("a plan");
    let plan: Vec<String> = plan.iter().map(|row| row.try_get("", column).expect("a step")).collect();
    let told = plan.join("; ");
    let by_index = plan.iter().any(|step| wanted.iter().all(|word| step.contains(word)));
    assert!(by_index && !unwanted.iter().any(|word| told.contains(word)), "{told}");
}
