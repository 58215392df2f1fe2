//! Fresh databases, options and medians.

use devskyy_infrastructure::sql::Database;
use devskyy_testkit::databases::{Own, server};
use sea_orm::ConnectionTrait;
use tempfile::TempDir;

/// A database engine under measurement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Engine {
    Sqlite,
    Postgres,
}

/// An empty, migrated database that is dropped at the end.
pub(crate) struct Fresh {
    pub(crate) db: Database,
    pub(crate) url: String,
    _directory: Option<TempDir>,
}

impl Engine {
    pub(crate) fn available() -> Vec<Self> {
        let mut engines = vec![Self::Sqlite];
        engines.extend(server().map(|_| Self::Postgres));
        engines.retain(|engine| text("--engine").is_none_or(|wanted| engine.name().starts_with(&wanted)));
        engines
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Sqlite => "sqlite (synchronous=FULL)",
            Self::Postgres => "postgres",
        }
    }

    pub(crate) async fn fresh(self) -> Fresh {
        let (url, directory) = match self {
            Self::Sqlite => {
                let directory = tempfile::tempdir().unwrap();
                (format!("sqlite://{}/devskyy.db", directory.path().display()), Some(directory))
            }
            Self::Postgres => {
                let server = server().unwrap();
                let admin = Database::connect(&server, 3).await.unwrap();
                let Own { name, url } = Own::beside(&server, "bench");
                admin.writer.execute_unprepared(&format!("CREATE DATABASE {name}")).await.unwrap();
                admin.close().await;
                (url, None)
            }
        };
        let db = Database::connect(&url, 8).await.unwrap();
        db.migrate().await.unwrap();
        Fresh { db, url, _directory: directory }
    }
}

/// A number from the command line.
pub(crate) fn option(name: &str, otherwise: f64) -> f64 {
    text(name).map_or(otherwise, |value| value.parse().unwrap())
}

fn text(name: &str) -> Option<String> {
    let mut arguments = std::env::args().skip_while(|argument| argument != name);
    arguments.nth(1)
}

pub(crate) fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
