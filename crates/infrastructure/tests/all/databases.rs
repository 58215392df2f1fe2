//! Fresh, migrated databases for tests.

use devskyy_infrastructure::sql::Database;
use sea_orm::ConnectionTrait;
use tempfile::TempDir;
use uuid::Uuid;

/// A database of one test's own. Dropping it removes SQLite's directory; the test server's owner drops the others.
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

/// A new database on the PostgreSQL server that `DEVSKYY_TEST_POSTGRES_URL` names.
#[expect(clippy::disallowed_methods, reason = "tests learn of servers and make names by themselves")]
pub(crate) async fn postgres() -> Fresh {
    let server = std::env::var("DEVSKYY_TEST_POSTGRES_URL").expect("DEVSKYY_TEST_POSTGRES_URL names a server");
    let admin = Database::connect(&server, 3).await.unwrap();
    let name = format!("test_{}", Uuid::now_v7().simple());
    admin.writer.execute_unprepared(&format!("CREATE DATABASE {name}")).await.unwrap();
    admin.close().await;
    let (server, _) = server.rsplit_once('/').unwrap();
    let url = format!("{server}/{name}");
    let db = Database::connect(&url, 8).await.unwrap();
    db.migrate().await.unwrap();
    Fresh { db, url, _directory: None }
}
