use std::{borrow::Cow, fmt, net::IpAddr};

use chrono::{DateTime, Utc};
use devskyy_domain::kernel::{Aggregate, DecodeError, EventSet, Version, ids::ProjectId};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::actor_name::{ActorName, SYSTEM};

/// An event's place in the log, from 1 and without gaps; 0 is before the first.
pub type Position = u64;

/// Names one stream: the kind of aggregate and which one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct StreamId {
    /// Kind of aggregate, for example `agent`.
    pub category: &'static str,
    /// Which one of its kind.
    pub id: Uuid,
}

impl StreamId {
    /// The stream of one aggregate.
    pub fn of<A: Aggregate>(id: A::Id) -> Self {
        Self { category: A::CATEGORY, id: id.into() }
    }
}

impl fmt::Display for StreamId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.category, self.id)
    }
}

/// Who caused an event, in which request, and for which project. Stored with each event, so it never holds a secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EventContext {
    /// An [`ActorName`].
    pub actor: String,
    /// The project the event belongs to, if any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub project: Option<ProjectId>,
    /// Shared by all events that result from one request.
    #[serde(skip)]
    pub correlation_id: Uuid,
    /// The event or request that is the direct cause of this event.
    #[serde(skip)]
    pub causation_id: Uuid,
    /// The client's address. It is personal data and therefore never stored with an event.
    #[serde(skip)]
    pub source: Option<IpAddr>,
    /// W3C `traceparent` of the request.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub traceparent: Option<String>,
}

impl EventContext {
    /// The context of events that a part of the platform records in reaction to an event: that event is their cause,
    /// the request is the same.
    #[must_use]
    pub fn reaction(by: &str, to: &RecordedEvent) -> Self {
        Self { actor: ActorName::System(by).to_string(), causation_id: to.event_id, ..to.context.clone() }
    }

    /// Whether a part of the platform acted by itself, for example the command line.
    #[must_use]
    pub fn by_system(&self) -> bool {
        self.actor.starts_with(SYSTEM)
    }
}

/// An event as recorded in the log.
#[derive(Debug, Clone, PartialEq)]
pub struct RecordedEvent {
    /// Its place in the log.
    pub position: Position,
    /// Kind of aggregate, for example `agent`.
    pub category: Cow<'static, str>,
    /// Which one of its kind.
    pub stream_id: Uuid,
    /// Its place in its stream, from 1.
    pub version: Version,
    /// Identity of the event, derived from stream and version.
    pub event_id: Uuid,
    /// Stored name, for example `agent.renamed`.
    pub event_type: Cow<'static, str>,
    /// Shape of the payload.
    pub schema_version: u16,
    /// The payload as JSON text, byte for byte as it was hashed.
    pub data: String,
    /// Actor, project, cause and trace.
    pub context: EventContext,
    /// When it was recorded, to the microsecond; never earlier than the event before.
    pub recorded_at: DateTime<Utc>,
    /// SHA-256, chained to the previous event's.
    pub hash: [u8; 32],
}

impl RecordedEvent {
    /// Decodes the payload as one of an aggregate's events and upgrades old schema versions.
    ///
    /// # Errors
    /// [`DecodeError`] when the type or version is unknown or the payload is damaged.
    pub fn decode<E: EventSet>(&self) -> Result<E, DecodeError> {
        E::decode(&self.event_type, self.schema_version, &mut serde_json::Deserializer::from_str(&self.data))
    }
}

/// A stretch of the log.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Page {
    /// Matching events in order of position.
    pub events: Vec<RecordedEvent>,
    /// Every position up to this one has been looked at; the next read continues after it.
    pub scanned_to: Position,
    /// The hash of the event at that position, if this read saw it, even if the filter excludes it.
    pub hash: Option<[u8; 32]>,
}
