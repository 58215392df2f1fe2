use std::borrow::Cow;

use devskyy_domain::kernel::{EventSet, Version};
use uuid::Uuid;

use super::recorded::{EventContext, Position, StreamId};
use crate::error::PortError;

/// What must hold for a stream before a write to it is accepted.
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

/// An event to append, its payload already encoded.
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
    /// Encodes one of an aggregate's events.
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

/// Events for one stream and their precondition. Without events it only checks the precondition.
#[derive(Debug, Clone, PartialEq)]
pub struct StreamWrite {
    /// Which stream.
    pub stream: StreamId,
    /// What must hold for it.
    pub precondition: Precondition,
    /// What to record, in order.
    pub events: Vec<NewEvent>,
}

/// A value that only one owner may hold at a time, for example an agent's name within its project.
///
/// Personal values are claimed by a keyed hash, never in the clear.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Claim {
    /// The scope the value is unique in, for example `agent.name:<project id>`.
    pub scope: String,
    /// The normalised value.
    pub value: String,
}

/// Takes or releases a claim, in the same transaction as the events.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ClaimChange {
    /// Takes the value for an owner. Taking a value one already owns succeeds.
    Take {
        /// What is claimed.
        claim: Claim,
        /// Its new owner.
        owner: Uuid,
    },
    /// Releases the value, if that owner holds it.
    Release {
        /// What is released.
        claim: Claim,
        /// The owner that releases it.
        owner: Uuid,
    },
}

impl ClaimChange {
    /// The claim that is taken or released.
    #[must_use]
    pub const fn claim(&self) -> &Claim {
        match self {
            Self::Take { claim, .. } | Self::Release { claim, .. } => claim,
        }
    }
}

/// Makes a request safe to repeat: the repetition returns the first result and has no second effect.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Idempotency {
    /// The namespace of the key: an actor, or a reaction's name as UUIDv5.
    pub scope: Uuid,
    /// The caller's key, at most 255 characters.
    pub key: String,
    /// SHA-256 of the request. The same key with another fingerprint is refused.
    pub fingerprint: [u8; 32],
}

/// One unit of work: it is recorded as a whole or not at all.
#[derive(Debug, Clone, PartialEq)]
pub struct AppendRequest {
    /// One or more streams, each at most once.
    pub writes: Vec<StreamWrite>,
    /// Unique values to take and to release.
    pub claims: Vec<ClaimChange>,
    /// The key by which a repeated request is recognised.
    pub idempotency: Option<Idempotency>,
    /// Stored with every event.
    pub context: EventContext,
}

/// The state of one stream after an append.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written {
    /// Which stream.
    pub stream: StreamId,
    /// Its version after the append.
    pub version: Version,
}

/// The result of an append.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Appended {
    /// Position of the first event; the log's head if nothing was written.
    pub first: Position,
    /// Position of the last event; the log's head if nothing was written.
    pub last: Position,
    /// Streams in the order of the request; empty when [`Appended::replayed`].
    pub streams: Vec<Written>,
    /// Whether the same request was accepted before. `first` and `last` are then the positions recorded for it.
    pub replayed: bool,
}

/// Why an append failed. Nothing was recorded, except possibly after [`AppendError::Unknown`].
#[derive(Debug, thiserror::Error)]
pub enum AppendError {
    /// A precondition does not hold: another writer was faster, or the caller's state is outdated.
    #[error("stream {stream} is at version {actual}, which does not meet {expected:?}")]
    Conflict {
        /// Which stream.
        stream: StreamId,
        /// The precondition of the request.
        expected: Precondition,
        /// The stream's version.
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
    /// The queue of waiting writers is full. Nothing was recorded.
    #[error("too many writes are waiting")]
    Overloaded,
    /// The log failed during the append, and the outcome is unknown: all of it was recorded, or nothing. Repeating the
    /// request with its idempotency key, or under [`Precondition::Version`], has no second effect.
    #[error("it is unknown whether it was recorded")]
    Unknown(#[source] PortError),
    /// The log failed or could not be reached. Nothing was recorded.
    #[error(transparent)]
    Port(#[from] PortError),
}
