//! What tells whether the log still holds what a subscription dealt with, and what it is held up by.

use sea_orm_migration::prelude::*;

use crate::run_script;

/// Adds the columns. Of checkpoints from before nothing is known but their place.
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

// The first bytes of a hash tell two events at one place apart.
const POSTGRES: &str = r"
ALTER TABLE es_subscriptions ADD COLUMN hash BYTEA, ADD COLUMN delayed_at BIGINT, ADD COLUMN delay TEXT;
";

const SQLITE: &str = r"
ALTER TABLE es_subscriptions ADD COLUMN hash BLOB;
ALTER TABLE es_subscriptions ADD COLUMN delayed_at INTEGER;
ALTER TABLE es_subscriptions ADD COLUMN delay TEXT;
";
