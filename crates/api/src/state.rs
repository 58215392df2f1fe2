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

/// What the endpoints answer with; built once, shared by all workers.
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
    /// What projects and agents may use.
    pub budgets: Arc<Budgets>,
    /// Who did what.
    pub audit: Arc<Audit>,
    /// Notes sign-ins and denials.
    pub security: SecurityLog,
    /// Seals cursors.
    pub mint: Arc<dyn TokenMint>,
    /// Requests under idempotency keys that are being answered.
    pub in_flight: InFlight,
    /// Counts requests.
    pub limiter: Arc<Limiter>,
    /// Makes request ids.
    pub ids: Arc<dyn IdGenerator>,
    /// Tells the time.
    pub clock: Arc<dyn Clock>,
    /// Knows whether requests can be served.
    pub readiness: Arc<dyn Readiness>,
    /// Bounds at the edge.
    pub settings: Settings,
}
