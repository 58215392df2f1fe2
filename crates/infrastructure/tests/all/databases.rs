//! Fresh, migrated databases for tests.

use std::time::Duration;

use devskyy_application::error::PortError;
use devskyy_infrastructure::sql::{Database, Port};
use devskyy_testkit::databases::{Own, server};
use sea_orm::ConnectionTrait;
use tempfile::TempDir;

/// A database for one test. Dropping it removes SQLite's directory; those on a server are left to its owner.
pub(crate) struct Fresh {
    pub(crate) db: Database,
    pub(crate) url: String,
    _directory: Option<TempDir>,
}

/// A new SQLite file.
pub(crate) async fn sqlite() -> Fresh {
    let directory = tempfile::tempdir().unwrap();
    let url = format!("sqlite://{}/devskyy.db", directory.path().display());
    let db = Database::connect(&url, 4).await.unwrap();
    db.migrate().await.unwrap();
    Fresh { db, url, _directory: Some(directory) }
}

/// Turns each check, a function of a fresh database, into a test on SQLite and one on PostgreSQL.
macro_rules! on_both_engines {
    ($($check:ident),+ $(,)?) => {$(
        mod $check {
            #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
            async fn on_sqlite() {
                super::$check(crate::databases::sqlite().await).await;
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
            #[ignore = "needs PostgreSQL"]
            async fn on_postgres() {
                super::$check(crate::databases::postgres().await).await;
            }
        }
    )+};
}
pub(crate) use on_both_engines;

/// Attempts at a PostgreSQL server that many tests keep busy at once.
const TRIES: u32 = 20;

/// Retries while the server is too busy; another failure, or too many, fails the test.
async fn patiently<T>(mut ask: impl AsyncFnMut() -> Result<T, PortError>) -> T {
    for _ in 1..TRIES {
        match ask().await {
            Ok(done) => return done,
            Err(error) if error.retryable => tokio::time::sleep(Duration::from_millis(250)).await,
            Err(error) => panic!("{error:?}"),
        }
    }
    ask().await.unwrap()
}

/// A new database on the PostgreSQL server that `DEVSKYY_TEST_POSTGRES_URL` names.
pub(crate) async fn postgres() -> Fresh {
    let fresh = empty_postgres().await;
    patiently(async || fresh.db.migrate().await).await;
    fresh
}

/// The same without tables.
pub(crate) async fn empty_postgres() -> Fresh {
    let server = server().expect("DEVSKYY_TEST_POSTGRES_URL names a server");
    let admin = patiently(async || Database::connect(&server, 3).await).await;
    let Own { url, .. } = patiently(async || {
        let own = Own::beside(&server, "test");
        let made = admin.writer.execute_unprepared(&format!("CREATE DATABASE {}", own.name)).await;
        made.map(|_| own).map_err(Port("database").failed("making one"))
    })
    .await;
    admin.close().await;
    let db = patiently(async || Database::connect(&url, 8).await).await;
    Fresh { db, url, _directory: None }
}
