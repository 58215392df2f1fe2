//! Typed ids: UUIDs that cannot be mistaken for each other.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// An id that identifies an event stream.
pub trait StreamKey:
    Copy + Eq + std::hash::Hash + std::fmt::Display + std::fmt::Debug + From<Uuid> + Into<Uuid> + Send + Sync + 'static
{
    /// Short type prefix for contexts in which ids of several kinds appear, for example `agt`.
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
    /// A question a run asks a person.
    ApprovalId = "apr",
    /// One call to a tool, a model or a child run; stays the same over retries and is sent as `Idempotency-Key`.
    OperationId = "op",
    /// A login session, with every token refreshed from it.
    SessionId = "ses",
    /// The operators of the platform as a group; there is exactly one.
    RosterId = "ros",
    /// A program's credential for one project.
    ApiKeyId = "key",
    /// An invitation to join a project.
    InvitationId = "inv",
    /// One of the secrets of an API key; its value is stored outside the log.
    KeySecretId = "sec",
    /// A provider of language models, as configured for a project.
    ProviderId = "prv",
    /// One of the API keys of a provider; its value is stored outside the log.
    ProviderKeyId = "pky",
    /// A credential that a project's tools use.
    SecretId = "sct",
    /// One of the values of a secret; the value itself is stored outside the log.
    SecretValueId = "scv",
    /// The spending limits of a project or an agent; its id is that of the project or the agent.
    BudgetId = "bud",
}
