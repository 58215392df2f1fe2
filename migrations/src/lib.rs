//! The schema of DevSkyy, the same on SQLite and PostgreSQL: one file per change, in order.
//!
//! Each change is one transaction. On PostgreSQL it runs beside live servers; if a table it changes is locked, it is
//! rolled back and retried. It holds its locks to the end. So a change that locks a table in use (adding a column,
//! dropping an index) must be quick and separate. Slow work (filling from the log, building an index) is a later change
//! of its own, which readers do not wait for.

use sea_orm_migration::prelude::*;

pub use sea_orm_migration::MigratorTrait;

mod change;
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
mod m20260101_000029_past_of_runs;
mod m20260101_000030_orders_of_kin;
mod m20260101_000031_checkpoints;
mod m20260101_000032_password_changes;
mod m20260101_000033_unrecorded_passwords;

/// Runs pending migrations, in order.
#[derive(Debug)]
pub struct Migrator;

#[async_trait::async_trait]
impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        vec![
            Box::new(m20260101_000001_event_store::CHANGE),
            Box::new(m20260101_000002_identity::CHANGE),
            Box::new(m20260101_000003_projects::CHANGE),
            Box::new(m20260101_000004_agents::CHANGE),
            Box::new(m20260101_000005_runs::CHANGE),
            Box::new(m20260101_000006_api_keys::CHANGE),
            Box::new(m20260101_000007_invitations::CHANGE),
            Box::new(m20260101_000008_list_totals::CHANGE),
            Box::new(m20260101_000009_sign_in::CHANGE),
            Box::new(m20260101_000010_audit::CHANGE),
            Box::new(m20260101_000011_list_orders::CHANGE),
            Box::new(m20260101_000013_providers::CHANGE),
            Box::new(m20260101_000014_definitions::CHANGE),
            Box::new(m20260101_000015_call_approvals::CHANGE),
            Box::new(m20260101_000016_project_invitations::CHANGE),
            Box::new(m20260101_000018_secrets::CHANGE),
            Box::new(m20260101_000019_model_usage::CHANGE),
            Box::new(m20260101_000020_results::CHANGE),
            Box::new(m20260101_000023_approval_totals::CHANGE),
            Box::new(m20260101_000024_estimated_usage::CHANGE),
            Box::new(m20260101_000025_orders_of_runs::CHANGE),
            Box::new(m20260101_000026_orders_of_the_trail::CHANGE),
            Box::new(m20260101_000027_sight_of_runs::CHANGE),
            Box::new(m20260101_000028_set_aside::CHANGE),
            Box::new(m20260101_000029_past_of_runs::CHANGE),
            Box::new(m20260101_000030_orders_of_kin::CHANGE),
            Box::new(m20260101_000031_checkpoints::CHANGE),
            Box::new(m20260101_000032_password_changes::CHANGE),
            Box::new(m20260101_000033_unrecorded_passwords::CHANGE),
        ]
    }
}
