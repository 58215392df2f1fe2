use std::borrow::Cow;

use devskyy_domain::kernel::{EventSet, Version};
use uuid::Uuid;

use super::recorded::{EventContext, Position, StreamId};
use crate::error::PortError;

/// What must be true of a stream for a write to be accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Precondition {
    /// Nothing.
    Any,
    /// The stream has no event yet.
    NoStream,
    /// The stream has at least one event.
    Exists,
    /// The stream has exactly this many events.
    Version(Version),
}

/// A fact about to be recorded, its payload already encoded.
#[derive(Debug, Clone, PartialEq)]
pub struct NewEvent {
    /// Stored name.
    pub event_type: Cow<'static, str>,
    /// Shape of the payload.
    pub schema_version: u16,
    /// The payload as JSON text.
    pub data: String,
}

impl NewEvent {
    /// Encodes one of an aggregate's facts.
    ///
    /// # Errors
    /// When the payload cannot be written as JSON, which only a broken `Serialize` can cause.
    pub fn encode<E: EventSet>(event: &E) -> Result<Self, PortError> {
        let mut data = Vec::with_capacity(256);
        event
            .encode(&mut serde_json::Serializer::new(&mut data))
            .map_err(|source| PortError::bug("event codec", "encoding an event", source))?;
        let data =
            String::from_utf8(data).map_err(|source| PortError::bug("event codec", "encoding an event", source))?;
        Ok(Self { event_type: Cow::Borrowed(event.event_type()), schema_version: event.schema_version(), data })
    }
}

/// Events for one stream, and what must be true of it before. Without events it is a bare guard.
#[derive(Debug, Clone, PartialEq)]
pub struct StreamWrite {
    /// Which stream.
    pub stream: StreamId,
    /// What must be true of it.
    pub precondition: Precondition,
    /// What to record, in order.
    pub events: Vec<NewEvent>,
}

/// A value that only one owner may hold at a time, for example an agent's name within its project.
///
/// Personal values are claimed by a keyed hash, never in the clear.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Claim {
    /// What the value is unique in, for example `agent.name:<project id>`.
    pub scope: String,
    /// The normalised value.
    pub value: String,
}

/// Takes or gives back a claim, in the same transaction as the events.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ClaimChange {
    /// Takes the value for an owner; taking again what one already owns is fine.
    Take {
        /// What is claimed.
        claim: Claim,
        /// Who will own it.
        owner: Uuid,
    },
    /// Gives the value back, where that owner holds it.
    Release {
        /// What is given back.
        claim: Claim,
        /// Who owns it.
        owner: Uuid,
    },
}

impl ClaimChange {
    /// What is taken or given back.
    #[must_use]
    pub const fn claim(&self) -> &Claim {
        match self {
            Self::Take { claim, .. } | Self::Release { claim, .. } => claim,
        }
    }
}

/// Makes a repeated request an answer instead of a second effect.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Idempotency {
    /// Whose keys these are (an actor, or a reaction's name as UUIDv5); keys of different scopes never meet.
    pub scope: Uuid,
    /// The caller's key, at most 255 characters.
    pub key: String,
    /// SHA-256 of what was asked; the same key with another fingerprint is refused.
    pub fingerprint: [u8; 32],
}

/// One unit of work: all of it is recorded, or nothing.
#[derive(Debug, Clone, PartialEq)]
pub struct AppendRequest {
    /// One or more streams; no stream twice.
    pub writes: Vec<StreamWrite>,
    /// Unique values taken and given back.
    pub claims: Vec<ClaimChange>,
    /// Recognises a repeated request.
    pub idempotency: Option<Idempotency>,
    /// Stored with every event.
    pub context: EventContext,
}

/// Where one stream stands after an append.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written {
    /// Which stream.
    pub stream: StreamId,
    /// Its version after the append.
    pub version: Version,
}

/// What was recorded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Appended {
    /// Position of the first event; the log's head where nothing was written.
    pub first: Position,
    /// Position of the last event; the log's head where nothing was written.
    pub last: Position,
    /// Streams in the order of the request; empty when [`Appended::replayed`].
    pub streams: Vec<Written>,
    /// The same request had been accepted before; `first` and `last` are where it was recorded then.
    pub replayed: bool,
}

/// Why an append was not accepted. Nothing was recorded, except where it says that this is unknown.
#[derive(Debug, thiserror::Error)]
pub enum AppendError {
    /// A precondition does not hold; somebody else was faster, or the caller remembers an older state.
    #[error("stream {stream} is at version {actual}, which does not meet {expected:?}")]
    Conflict {
        /// Which stream.
        stream: StreamId,
        /// What was asked for.
        expected: Precondition,
        /// Where it stands.
        actual: Version,
    },
    /// Another owner holds a unique value.
    #[error("the value claimed in `{}` is taken", claim.scope)]
    ClaimTaken {
        /// What was claimed.
        claim: Claim,
    },
    /// The idempotency key was used for a different request.
    #[error("the idempotency key was used for a different request")]
    KeyReused,
    /// The queue of waiting writers is full; nothing was accepted.
    #[error("too many writes are waiting")]
    Overloaded,
    /// The log broke off while it recorded this, and has not told since what became of it: all of it was recorded, or
    /// nothing. The same request under its idempotency key, or under [`Precondition::Version`], has no second effect.
    #[error("it is unknown whether it was recorded")]
    Unknown(#[source] PortError),
    /// The log could not be reached or failed; nothing was recorded.
    #[error(transparent)]
    Port(#[from] PortError),
}
