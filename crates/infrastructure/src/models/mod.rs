//! Language models over HTTP: two APIs with common transport and error handling; and the providers of projects on SQL,
//! their keys sealed beside the log.

mod anthropic;
mod calls;
mod configured;
mod endpoint;
mod entity;
mod failure;
mod openai;
mod projection;
mod provider;
mod schema;
mod sse;
mod status;
mod untaken;
mod vault;
mod views;
mod wire;

pub use configured::{ConfiguredProviders, HttpProviderProbe, PlatformProvider};
pub use endpoint::{Endpoint, Patience};
pub use projection::ProvidersProjection;
pub use provider::ProviderModels;
pub use vault::SqlProviderVault;
pub use views::SqlProviders;
pub use wire::Wire;
