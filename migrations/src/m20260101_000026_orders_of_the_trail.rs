//! Indexes in which the audit trail of one kind, or of one actor, goes on from any place at the same cost.

use sea_orm_migration::prelude::*;

/// Adds the indexes.
#[derive(Debug, DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.get_connection().execute_unprepared(INDEXES).await.map(|_| ())
    }

    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }
}

const INDEXES: &str = r"
CREATE INDEX audit_facts_kind ON audit_facts (kind, happened_at, id);
CREATE INDEX audit_facts_actor ON audit_facts (actor, happened_at, id);
CREATE INDEX audit_facts_project_kind ON audit_facts (project_id, kind, happened_at, id);
CREATE INDEX audit_facts_project_actor ON audit_facts (project_id, actor, happened_at, id);
CREATE INDEX security_records_kind ON security_records (kind, happened_at, id);
CREATE INDEX security_records_actor ON security_records (actor, happened_at, id);
CREATE INDEX security_records_project_kind ON security_records (project_id, kind, happened_at, id);
CREATE INDEX security_records_project_actor ON security_records (project_id, actor, happened_at, id);
";
