//! Questions about calls: which call, what it is made with instead, and when the question counts as denied.

use sea_orm_migration::prelude::*;

use crate::run_script;

/// Adds what a question about a call has beside others.
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

const POSTGRES: &str = "
ALTER TABLE run_approvals ADD COLUMN call TEXT;
ALTER TABLE run_approvals ADD COLUMN edit TEXT;
ALTER TABLE run_approvals ADD COLUMN expires_at BIGINT;
";

const SQLITE: &str = "
ALTER TABLE run_approvals ADD COLUMN call TEXT;
ALTER TABLE run_approvals ADD COLUMN edit TEXT;
ALTER TABLE run_approvals ADD COLUMN expires_at INTEGER;
";
