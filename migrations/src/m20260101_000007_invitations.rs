//! Invitations to open an account, by digest.

use sea_orm_migration::prelude::*;

use crate::run_script;

/// Creates the table of invitations.
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
CREATE TABLE invitations (
    digest BYTEA PRIMARY KEY,
    expires_at BIGINT NOT NULL
);
"#;

const SQLITE: &str = r#"
CREATE TABLE invitations (
    digest BLOB PRIMARY KEY,
    expires_at INTEGER NOT NULL
) STRICT;
"#;
