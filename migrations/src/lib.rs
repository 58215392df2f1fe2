//! The schema of DevSkyy, the same on SQLite and PostgreSQL: one file for each change, in the order in which they are made.
//!
//! Each is one transaction. On PostgreSQL it is made beside servers that go on, and taken back and tried again where somebody
//! holds a table that it changes: what changes a table in use comes first in a script, and what takes long after it.

use sea_orm_migration::{prelude::*, sea_orm::DatabaseBackend};

pub use sea_orm_migration::MigratorTrait;

mod m20260101_000001_event_store;
mod m20260101_000002_identity;
mod m20260101_000003_projects;
mod m20260101_000004_agents;
mod m20260101_000005_runs;
mod m20260101_000006_api_keys;
mod m20260101_000007_invitations;
mod m20260101_000008_list_totals;
mod m20260101_000009_sign_in;
mod m20260101_000010_audit;
mod m20260101_000011_list_orders;
mod m20260101_000013_providers;
mod m20260101_000014_definitions;
mod m20260101_000015_call_approvals;
mod m20260101_000016_project_invitations;
mod m20260101_000018_secrets;
mod m20260101_000019_model_usage;
mod m20260101_000020_results;
mod m20260101_000023_approval_totals;
mod m20260101_000024_estimated_usage;
mod m20260101_000025_orders_of_runs;
mod m20260101_000026_orders_of_the_trail;
mod m20260101_000027_sight_of_runs;
mod m20260101_000028_set_aside;
mod m20260101_000031_checkpoints;

/// Runs a script in the dialect of the engine.
async fn run_script(manager: &SchemaManager<'_>, sqlite: &str, postgres: &str) -> Result<(), DbErr> {
    let script = if manager.get_database_backend() == DatabaseBackend::Postgres { postgres } else { sqlite };
    manager.get_connection().execute_unprepared(script).await.map(|_| ())
}

/// Runs the migrations that have not run yet, in order.
#[derive(Debug)]
pub struct Migrator;

#[async_trait::async_trait]
impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        vec![
            Box::new(m20260101_000001_event_store::Migration),
            Box::new(m20260101_000002_identity::Migration),
            Box::new(m20260101_000003_projects::Migration),
            Box::new(m20260101_000004_agents::Migration),
            Box::new(m20260101_000005_runs::Migration),
            Box::new(m20260101_000006_api_keys::Migration),
            Box::new(m20260101_000007_invitations::Migration),
            Box::new(m20260101_000008_list_totals::Migration),
            Box::new(m20260101_000009_sign_in::Migration),
            Box::new(m20260101_000010_audit::Migration),
            Box::new(m20260101_000011_list_orders::Migration),
            Box::new(m20260101_000013_providers::Migration),
            Box::new(m20260101_000014_definitions::Migration),
            Box::new(m20260101_000015_call_approvals::Migration),
            Box::new(m20260101_000016_project_invitations::Migration),
            Box::new(m20260101_000018_secrets::Migration),
            Box::new(m20260101_000019_model_usage::Migration),
            Box::new(m20260101_000020_results::Migration),
            Box::new(m20260101_000023_approval_totals::Migration),
            Box::new(m20260101_000024_estimated_usage::Migration),
            Box::new(m20260101_000025_orders_of_runs::Migration),
            Box::new(m20260101_000026_orders_of_the_trail::Migration),
            Box::new(m20260101_000027_sight_of_runs::Migration),
            Box::new(m20260101_000028_set_aside::Migration),
            Box::new(m20260101_000031_checkpoints::Migration),
        ]
    }
}
