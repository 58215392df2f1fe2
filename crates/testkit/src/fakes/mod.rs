//! Adapters that live in memory and pass the same contracts as the real ones.

mod account_changes;
mod agents;
mod api_keys;
mod attempts;
mod audit;
mod checkpoints;
mod clock;
mod credentials;
mod event_store;
mod identity;
mod ids;
mod invitations;
mod model_server;
mod projects;
mod providers;
mod runs;
mod scripted_models;
mod workflow;

pub use account_changes::{InMemoryErasures, InMemoryInvitations};
pub use agents::InMemoryAgents;
pub use api_keys::InMemoryApiKeys;
pub use attempts::InMemoryAttempts;
pub use audit::InMemoryAudit;
pub use checkpoints::InMemoryCheckpoints;
pub use clock::FixedClock;
pub use credentials::{InMemoryAccessTokens, InMemoryBootstrap, InMemoryPasswordHasher, SequentialSecrets};
pub use event_store::InMemoryEventStore;
pub use identity::{InMemoryAccounts, InMemorySessions, InMemoryUsers};
pub use ids::SequentialIds;
pub use invitations::{InMemoryAddressees, InMemoryProjectInvitations};
pub use model_server::{ModelServer, Received};
pub use projects::{InMemoryDirectory, InMemoryProjects};
pub use providers::{FixedProbe, InMemoryProviders, NamedModels};
pub use runs::{DeclaredAgents, InMemoryRuns, ViewedAgents};
pub use scripted_models::{Heard, NoDeltas, ScriptedModels, Turn};
pub use workflow::{NamedDestinations, PathExpressions, PlainSchemas, ScriptedTools, interruptible};
