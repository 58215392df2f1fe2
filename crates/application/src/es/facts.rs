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

/// Where the log ends.
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

/// Where one stream stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StreamFacts {
    /// Its number: the position of its first event.
    pub stream_no: Position,
    /// How many events it has.
    pub version: Version,
}

/// An idempotency key as one scope holds it.
pub type ScopedKey = (Uuid, String);

/// How an idempotency key was used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeyFacts {
    /// What was asked.
    pub fingerprint: Hash,
    /// Position of the first event it led to.
    pub first: Position,
    /// Position of the last event it led to.
    pub last: Position,
}

/// What a log adapter looks up, under its mutex, before planning a batch.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Facts {
    /// Where the log ends.
    pub head: LogHead,
    /// The named streams that exist.
    pub streams: HashMap<StreamId, StreamFacts>,
    /// Owners of the named claims that are held.
    pub claims: HashMap<Claim, Uuid>,
    /// The named keys that were used.
    pub keys: HashMap<ScopedKey, KeyFacts>,
}

/// What an adapter has to look up to plan a batch.
#[derive(Debug, Default)]
pub struct Wanted<'a> {
    /// Streams that are written or guarded.
    pub streams: BTreeSet<StreamId>,
    /// Claims that are taken or given back.
    pub claims: BTreeSet<&'a Claim>,
    /// Idempotency keys.
    pub keys: BTreeSet<(Uuid, &'a str)>,
}

impl<'a> Wanted<'a> {
    /// Collects what a batch names, each once.
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

/// An event with the columns only the log itself needs.
#[derive(Debug, Clone, PartialEq)]
pub struct PlannedEvent {
    /// The event as readers will see it.
    pub recorded: RecordedEvent,
    /// Number of its stream.
    pub stream_no: Position,
    /// Its context as the stored and hashed text.
    pub meta: std::sync::Arc<str>,
}

/// An idempotency key to remember.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlannedKey {
    /// Scope and key.
    pub key: ScopedKey,
    /// How it was used.
    pub facts: KeyFacts,
    /// When.
    pub recorded_at: DateTime<Utc>,
}

/// Why one request of a batch is turned down; nothing of it is recorded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Rejection {
    /// A precondition does not hold.
    Conflict {
        /// Which stream.
        stream: StreamId,
        /// What was asked for.
        expected: Precondition,
        /// Where it stands.
        actual: Version,
    },
    /// Another owner holds a unique value.
    ClaimTaken(Claim),
    /// The idempotency key was used for a different request.
    KeyReused,
    /// The request itself is not one the log can record.
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

/// What to write for a batch, and what to answer.
#[derive(Debug, Clone, PartialEq)]
pub struct Plan {
    /// Events in order of position.
    pub events: Vec<PlannedEvent>,
    /// Where the written streams stand afterwards.
    pub streams: BTreeMap<StreamId, StreamFacts>,
    /// Owners of changed claims afterwards; `None` where given back.
    pub claims: BTreeMap<Claim, Option<Uuid>>,
    /// Keys to remember.
    pub keys: Vec<PlannedKey>,
    /// One answer per request, in order.
    pub outcomes: Vec<Result<Appended, Rejection>>,
    /// Where the log ends afterwards.
    pub head: LogHead,
}

impl Plan {
    /// Whether nothing has to be written.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.events.is_empty() && self.claims.is_empty() && self.keys.is_empty()
    }
}
