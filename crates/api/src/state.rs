use std::sync::Arc;

use devskyy_application::{
    agents::Agents,
    audit::{Audit, SecurityLog},
    budgets::Budgets,
    identity::{ApiKeys, Identity, TokenMint},
    models::Providers,
    ports::{Clock, IdGenerator},
    projects::Projects,
    runs::Runs,
    secrets::ProjectSecrets,
};

use crate::{edge::InFlight, health::Readiness, limits::Limiter, settings::Settings};

/// What the endpoints need; built once, shared by all workers.
#[derive(Clone)]
pub struct ApiState {
    /// Signing up, in and out.
    pub identity: Arc<Identity>,
    /// API keys.
    pub keys: Arc<ApiKeys>,
    /// Providers of models.
    pub providers: Arc<Providers>,
    /// Secrets of tools.
    pub secrets: Arc<ProjectSecrets>,
    /// Projects and members.
    pub projects: Arc<Projects>,
    /// Agents and their versions.
    pub agents: Arc<Agents>,
    /// Runs, their events and the questions they ask.
    pub runs: Arc<Runs>,
    /// Budgets of projects and agents.
    pub budgets: Arc<Budgets>,
    /// The audit trail.
    pub audit: Arc<Audit>,
    /// Records sign-ins and denials.
    pub security: SecurityLog,
    /// Seals cursors.
    pub mint: Arc<dyn TokenMint>,
    /// Requests under idempotency keys that are being answered.
    pub in_flight: InFlight,
    /// Counts requests.
    pub limiter: Arc<Limiter>,
    /// Makes request ids.
    pub ids: Arc<dyn IdGenerator>,
    /// The clock.
    pub clock: Arc<dyn Clock>,
    /// Whether requests can be served.
    pub readiness: Arc<dyn Readiness>,
    /// Limits at the edge.
    pub settings: Settings,
}
