use sea_orm_migration::{prelude::*, sea_orm::DatabaseBackend};

/// One change of the schema: a script in the dialect of an engine, run in a transaction of its own.
pub(crate) struct Change {
    module: &'static str,
    script: fn(DatabaseBackend) -> String,
}

impl Change {
    /// The change that a module describes, which gives it its name: `module_path!()` there, and the script for an engine.
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

/// The text for an engine.
pub(crate) fn either(backend: DatabaseBackend, sqlite: &str, postgres: &str) -> String {
    if backend == DatabaseBackend::Postgres { postgres } else { sqlite }.to_owned()
}
