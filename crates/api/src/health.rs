//! What probes and people ask of the process.

use std::sync::Arc;

use actix_web::{HttpResponse, get, http::StatusCode, web::Data};
use async_trait::async_trait;
use serde::Serialize;
use utoipa::ToSchema;

use crate::mount::Mount;

/// One thing the platform needs in order to work.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Check {
    /// What, for example `database`.
    #[schema(example = "database")]
    pub name: &'static str,
    /// Whether it is as it must be.
    pub ok: bool,
    /// Whether no request can be served without it.
    #[serde(skip)]
    pub vital: bool,
    /// What is wrong, in words fit for strangers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
}

/// Knows whether requests can be served now.
#[async_trait]
pub trait Readiness: Send + Sync {
    /// Looks at everything that is needed.
    async fn checks(&self) -> Vec<Check>;

    /// Returns once the server has been asked to stop; open streams end then.
    async fn draining(&self) {
        std::future::pending().await
    }
}

/// The one all endpoints ask.
pub(crate) type SharedReadiness = Arc<dyn Readiness>;

/// How the platform is.
#[derive(Debug, Serialize, ToSchema)]
struct Health {
    /// `healthy`, or `degraded` when something is not as it must be.
    #[schema(example = "healthy")]
    status: &'static str,
    /// Version of the program.
    #[schema(example = "0.1.0")]
    version: &'static str,
    /// What was looked at.
    checks: Vec<Check>,
}

impl Health {
    fn of(checks: Vec<Check>) -> Self {
        let well = checks.iter().all(|check| check.ok);
        Self { status: if well { "healthy" } else { "degraded" }, version: env!("CARGO_PKG_VERSION"), checks }
    }

    /// Whether requests can be served, however well the rest is.
    fn ready(&self) -> bool {
        self.checks.iter().all(|check| check.ok || !check.vital)
    }
}

/// That the process answers.
#[derive(Debug, Serialize, ToSchema)]
struct Live {
    /// Always `live`.
    #[schema(example = "live")]
    status: &'static str,
}

pub(crate) fn configure(config: &mut impl Mount) {
    config.service(health).service(live).service(ready);
}

/// Tell how the platform is.
#[utoipa::path(tag = "health", responses((status = 200, description = "It runs; `status` and `checks` say how well", body = Health)))]
#[get("/health")]
async fn health(readiness: Data<SharedReadiness>) -> HttpResponse {
    HttpResponse::Ok().json(Health::of(readiness.checks().await))
}

/// Tell that the process answers; touches nothing else.
#[utoipa::path(tag = "health", responses((status = 200, description = "It answers", body = Live)))]
#[get("/health/live")]
async fn live() -> HttpResponse {
    HttpResponse::Ok().json(Live { status: "live" })
}

/// Tell whether requests can be served now.
#[utoipa::path(
    tag = "health",
    responses(
        (status = 200, description = "Requests can be served", body = Health),
        (status = 503, description = "Send requests elsewhere; `checks` says why", body = Health)
    )
)]
#[get("/health/ready")]
async fn ready(readiness: Data<SharedReadiness>) -> HttpResponse {
    let found = Health::of(readiness.checks().await);
    let status = if found.ready() { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    HttpResponse::build(status).json(found)
}
