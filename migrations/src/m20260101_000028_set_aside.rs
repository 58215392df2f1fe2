//! Events that subscriptions set aside because they cannot deal with them, to try them again later.

use sea_orm_migration::prelude::*;

use crate::run_script;

/// Creates the table of events that were set aside.
#[derive(Debug, DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        run_script(manager, SQLITE, POSTGRES).await
    }

    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }
}

const POSTGRES: &str = r#"
CREATE TABLE es_set_aside (
    name TEXT NOT NULL,
    position BIGINT NOT NULL,
    failures BIGINT NOT NULL,
    failure TEXT NOT NULL,
    due_at BIGINT NOT NULL,
    PRIMARY KEY (name, position)
);
"#;

const SQLITE: &str = r#"
CREATE TABLE es_set_aside (
    name TEXT NOT NULL,
    position INTEGER NOT NULL,
    failures INTEGER NOT NULL,
    failure TEXT NOT NULL,
    due_at INTEGER NOT NULL,
    PRIMARY KEY (name, position)
) STRICT;
"#;
