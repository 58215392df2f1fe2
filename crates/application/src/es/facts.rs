use std::collections::{BTreeMap, BTreeSet, HashMap};

use chrono::{DateTime, Utc};
use devskyy_domain::kernel::Version;
use uuid::Uuid;

use super::{
    append::{AppendError, AppendRequest, Appended, Claim, ClaimChange, Precondition},
    chain::{GENESIS, Hash},
    recorded::{Position, RecordedEvent, StreamId},
};
use crate::error::PortError;

/// The end of the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LogHead {
    /// Position of the newest event; 0 when there is none.
    pub position: Position,
    /// Its hash.
    pub hash: Hash,
    /// When it was recorded.
    pub recorded_at: DateTime<Utc>,
}

impl Default for LogHead {
    fn default() -> Self {
        Self { position: 0, hash: GENESIS, recorded_at: DateTime::UNIX_EPOCH }
    }
}

/// The state of one stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StreamFacts {
    /// Its number: the position of its first event.
    pub stream_no: Position,
    /// How many events it has.
    pub version: Version,
}

/// An idempotency key within its scope.
pub type ScopedKey = (Uuid, String);

/// The request an idempotency key was used for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeyFacts {
    /// Fingerprint of the request.
    pub fingerprint: Hash,
    /// Position of the first event it recorded.
    pub first: Position,
    /// Position of the last event it recorded.
    pub last: Position,
}

/// What a log adapter looks up, under its mutex, before it plans a batch.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Facts {
    /// The end of the log.
    pub head: LogHead,
    /// Those of the batch's streams that exist.
    pub streams: HashMap<StreamId, StreamFacts>,
    /// Owners of those of the batch's claims that are held.
    pub claims: HashMap<Claim, Uuid>,
    /// Those of the batch's keys that were used.
    pub keys: HashMap<ScopedKey, KeyFacts>,
}

/// What an adapter has to look up to plan a batch.
#[derive(Debug, Default)]
pub struct Wanted<'a> {
    /// Streams that are written or checked.
    pub streams: BTreeSet<StreamId>,
    /// Claims that are taken or released.
    pub claims: BTreeSet<&'a Claim>,
    /// Idempotency keys.
    pub keys: BTreeSet<(Uuid, &'a str)>,
}

impl<'a> Wanted<'a> {
    /// Collects what a batch refers to, without duplicates.
    pub fn of(requests: impl IntoIterator<Item = &'a AppendRequest>) -> Self {
        let mut wanted = Self::default();
        for request in requests {
            wanted.streams.extend(request.writes.iter().map(|write| write.stream));
            wanted.claims.extend(request.claims.iter().map(ClaimChange::claim));
            wanted.keys.extend(request.idempotency.iter().map(|idempotency| (idempotency.scope, &*idempotency.key)));
        }
        wanted
    }
}

/// An event with the columns that only the log itself needs.
#[derive(Debug, Clone, PartialEq)]
pub struct PlannedEvent {
    /// The event as readers see it.
    pub recorded: RecordedEvent,
    /// Number of its stream.
    pub stream_no: Position,
    /// Its context as stored and hashed text.
    pub meta: std::sync::Arc<str>,
}

/// An idempotency key to store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlannedKey {
    /// Scope and key.
    pub key: ScopedKey,
    /// The request it was used for.
    pub facts: KeyFacts,
    /// When.
    pub recorded_at: DateTime<Utc>,
}

/// Why one request of a batch is rejected. Nothing of it is recorded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Rejection {
    /// A precondition does not hold.
    Conflict {
        /// Which stream.
        stream: StreamId,
        /// The precondition of the request.
        expected: Precondition,
        /// The stream's version.
        actual: Version,
    },
    /// Another owner holds a unique value.
    ClaimTaken(Claim),
    /// The idempotency key was used for a different request.
    KeyReused,
    /// The log cannot record such a request.
    Malformed(&'static str),
}

impl From<Rejection> for AppendError {
    fn from(rejection: Rejection) -> Self {
        match rejection {
            Rejection::Conflict { stream, expected, actual } => Self::Conflict { stream, expected, actual },
            Rejection::ClaimTaken(claim) => Self::ClaimTaken { claim },
            Rejection::KeyReused => Self::KeyReused,
            Rejection::Malformed(why) => Self::Port(PortError::bug("event store", "appending events", why)),
        }
    }
}

/// What to write for a batch, and the outcome of each request.
#[derive(Debug, Clone, PartialEq)]
pub struct Plan {
    /// Events in order of position.
    pub events: Vec<PlannedEvent>,
    /// The written streams' state afterwards.
    pub streams: BTreeMap<StreamId, StreamFacts>,
    /// Owners of the changed claims afterwards; `None` for released ones.
    pub claims: BTreeMap<Claim, Option<Uuid>>,
    /// Keys to store.
    pub keys: Vec<PlannedKey>,
    /// One outcome per request, in order.
    pub outcomes: Vec<Result<Appended, Rejection>>,
    /// The end of the log afterwards.
    pub head: LogHead,
}

impl Plan {
    /// Whether there is nothing to write.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.events.is_empty() && self.claims.is_empty() && self.keys.is_empty()
    }
}
