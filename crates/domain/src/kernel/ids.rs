//! Ids of everything that has one: UUIDs that cannot be mistaken for each other.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// An id that names an event stream.
pub trait StreamKey:
    Copy + Eq + std::hash::Hash + std::fmt::Display + std::fmt::Debug + From<Uuid> + Into<Uuid> + Send + Sync + 'static
{
    /// Short type prefix used where ids of several kinds meet, for example `agt`.
    const PREFIX: &'static str;
}

macro_rules! ids {
    ($($(#[$meta:meta])* $name:ident = $prefix:literal),+ $(,)?) => {$(
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(Uuid);

        impl From<Uuid> for $name {
            fn from(id: Uuid) -> Self { Self(id) }
        }

        impl From<$name> for Uuid {
            fn from(id: $name) -> Self { id.0 }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result { self.0.fmt(f) }
        }

        impl std::str::FromStr for $name {
            type Err = uuid::Error;
            fn from_str(raw: &str) -> Result<Self, Self::Err> { Uuid::try_parse(raw).map(Self) }
        }

        impl StreamKey for $name {
            const PREFIX: &'static str = $prefix;
        }
    )+};
}

ids! {
    /// A person or service that signs in.
    UserId = "usr",
    /// The unit of isolation and membership.
    ProjectId = "prj",
    /// A named definition that can be run.
    AgentId = "agt",
    /// One execution of one agent version on one input.
    RunId = "run",
    /// A question a run asks people.
    ApprovalId = "apr",
    /// One call to a tool, model or child run; never changes over retries and travels as `Idempotency-Key`.
    OperationId = "op",
    /// One sign-in and everything refreshed from it.
    SessionId = "ses",
    /// Those who run the platform, taken together; there is one.
    RosterId = "ros",
    /// A program's way into one project.
    ApiKeyId = "key",
    /// An invitation to belong to a project.
    InvitationId = "inv",
    /// One of the secrets an API key has had; what it is lives outside the log.
    KeySecretId = "sec",
    /// Somebody who answers for language models, as configured for a project.
    ProviderId = "prv",
    /// One of the keys a provider has been paid with; what it is lives outside the log.
    ProviderKeyId = "pky",
    /// What a project's tools prove themselves with.
    SecretId = "sct",
    /// One of the values a secret has had; what it is lives outside the log.
    SecretValueId = "scv",
    /// What a project or an agent may use; its id is the project's or the agent's own.
    BudgetId = "bud",
}
