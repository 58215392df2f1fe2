//! The health of the process, for probes and people.

use std::sync::Arc;

use actix_web::{HttpResponse, get, http::StatusCode, web::Data};
use async_trait::async_trait;
use serde::Serialize;
use utoipa::ToSchema;

use crate::mount::Mount;

/// A dependency of the platform.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Check {
    /// The name, for example `database`.
    #[schema(example = "database")]
    pub name: &'static str,
    /// Whether it is as it must be.
    pub ok: bool,
    /// Whether no request can be served without it.
    #[serde(skip)]
    pub vital: bool,
    /// What is wrong, without internal details.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
}

/// Knows whether requests can be served now.
#[async_trait]
pub trait Readiness: Send + Sync {
    /// Checks everything that is needed.
    async fn checks(&self) -> Vec<Check>;

    /// Returns once the server is asked to stop; open streams end then.
    async fn draining(&self) {
        std::future::pending().await
    }
}

/// The one that all endpoints use.
pub(crate) type SharedReadiness = Arc<dyn Readiness>;

/// The health of the platform.
#[derive(Debug, Serialize, ToSchema)]
struct Health {
    /// `healthy`, or `degraded` when something is not as it must be.
    #[schema(example = "healthy")]
    status: &'static str,
    /// Version of the program.
    #[schema(example = "0.1.0")]
    version: &'static str,
    /// What was checked.
    checks: Vec<Check>,
}

impl Health {
    fn of(checks: Vec<Check>) -> Self {
        let well = checks.iter().all(|check| check.ok);
        Self { status: if well { "healthy" } else { "degraded" }, version: env!("CARGO_PKG_VERSION"), checks }
    }

    /// Whether requests can be served, whatever the state of the rest.
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

/// Show the health of the platform.
#[utoipa::path(tag = "health", responses((status = 200, description = "The process runs; `status` and `checks` show its state", body = Health)))]
#[get("/health")]
async fn health(readiness: Data<SharedReadiness>) -> HttpResponse {
    HttpResponse::Ok().json(Health::of(readiness.checks().await))
}

/// Check that the process responds; nothing else is checked.
#[utoipa::path(tag = "health", responses((status = 200, description = "It answers", body = Live)))]
#[get("/health/live")]
async fn live() -> HttpResponse {
    HttpResponse::Ok().json(Live { status: "live" })
}

/// Check whether requests can be served.
#[utoipa::path(
    tag = "health",
    responses(
        (status = 200, description = "Requests can be served", body = Health),
        (status = 503, description = "Send requests elsewhere; `checks` shows the reason", body = Health)
    )
)]
#[get("/health/ready")]
async fn ready(readiness: Data<SharedReadiness>) -> HttpResponse {
    let found = Health::of(readiness.checks().await);
    let status = if found.ready() { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    HttpResponse::build(status).json(found)
}
