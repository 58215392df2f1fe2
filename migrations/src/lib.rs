//! The schema of DevSkyy, one file per context, the same on SQLite and PostgreSQL.

use sea_orm_migration::prelude::*;

pub use sea_orm_migration::MigratorTrait;

mod m20260101_000001_event_store;

/// Runs the migrations that have not run yet, in order.
#[derive(Debug)]
pub struct Migrator;

#[async_trait::async_trait]
impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        vec![Box::new(m20260101_000001_event_store::Migration)]
    }
}
