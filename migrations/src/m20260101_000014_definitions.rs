//! Versions of agents say of which type their definition is.

use sea_orm_migration::prelude::*;

/// Names the type of every definition there is: all of them are workflows.
#[derive(Debug, DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.get_connection().execute_unprepared(SCRIPT).await.map(|_| ())
    }

    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }
}

const SCRIPT: &str = r#"UPDATE agent_versions SET definition = '{"workflow":' || definition || '}'"#;
