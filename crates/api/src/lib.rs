//! Everything about HTTP: endpoints per version, problem documents, the OpenAPI description.
//!
//! Handlers turn requests into commands and results into responses; they take no business decisions. A
//! [`problem::Problem`] is the only way a failure leaves the process. This crate knows the application's facades and
//! no adapter.

mod app;
mod bounds;
mod docs;
mod edge;
mod endpoints;
mod extract;
mod health;
mod ids;
mod limits;
mod mount;
mod openapi;
pub mod problem;
mod settings;
mod state;
mod version;

pub use self::{
    app::app,
    edge::{InFlight, answer_to_unreadable},
    extract::{Network, RequestContext},
    health::{Check, Readiness},
    limits::{Limiter, Limits},
    openapi::openapi,
    settings::{Origins, Retirement, Settings},
    state::ApiState,
};
