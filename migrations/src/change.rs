use sea_orm_migration::{prelude::*, sea_orm::DatabaseBackend};

/// One schema change: a script in the dialect of an engine, run in its own transaction.
pub(crate) struct Change {
    module: &'static str,
    script: fn(DatabaseBackend) -> String,
}

impl Change {
    /// The change of a module, which determines its name: pass `module_path!()`, and the script per engine.
    pub(crate) const fn of(module: &'static str, script: fn(DatabaseBackend) -> String) -> Self {
        Self { module, script }
    }
}

impl MigrationName for Change {
    fn name(&self) -> &str {
        self.module.rsplit("::").next().unwrap_or(self.module)
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Change {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let script = (self.script)(manager.get_database_backend());
        manager.get_connection().execute_unprepared(&script).await.map(|_| ())
    }

    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }
}

/// Selects the text for an engine.
pub(crate) fn either(backend: DatabaseBackend, sqlite: &str, postgres: &str) -> String {
    if backend == DatabaseBackend::Postgres { postgres } else { sqlite }.to_owned()
}
