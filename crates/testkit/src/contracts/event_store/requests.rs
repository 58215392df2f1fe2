use std::borrow::Cow;

use devskyy_application::es::{
    AppendError, AppendRequest, Appended, Claim, ClaimChange, EventContext, EventStore, Idempotency, NewEvent,
    Precondition, RecordedEvent, StreamId, StreamWrite,
};
use uuid::Uuid;

/// The stream of lamp `n`.
#[must_use]
pub const fn lamp(n: u64) -> StreamId {
    stream("lamp", n)
}

/// Stream `n` of a category.
#[must_use]
pub const fn stream(category: &'static str, n: u64) -> StreamId {
    StreamId { category, id: Uuid::from_u64_pair(0x0199_0000_0000_7000, 0x8000_0000_0000_0000 | n) }
}

/// A context with all members set.
#[must_use]
pub fn context() -> EventContext {
    EventContext {
        actor: "user:0199aaaa-0000-7000-8000-000000000001".to_owned(),
        project: Some(Uuid::from_u64_pair(0x0199_bbbb_0000_7000, 0x8000_0000_0000_0001).into()),
        correlation_id: Uuid::from_u64_pair(0x0199_cccc_0000_7000, 0x8000_0000_0000_0001),
        causation_id: Uuid::from_u64_pair(0x0199_dddd_0000_7000, 0x8000_0000_0000_0001),
        source: None,
        traceparent: Some("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01".to_owned()),
    }
}

/// An idempotency key in scope `n` with a fingerprint of `asked`.
#[must_use]
pub fn key(scope: u128, key: &str, asked: u8) -> Idempotency {
    Idempotency { scope: Uuid::from_u128(scope), key: key.to_owned(), fingerprint: [asked; 32] }
}

/// The note in a test event's payload.
#[must_use]
pub fn text_of(event: &RecordedEvent) -> &str {
    event.data.trim_start_matches("{\"note\":\"").trim_end_matches("\"}")
}

/// A request under construction.
#[derive(Debug, Clone)]
pub struct Request(AppendRequest);

impl Default for Request {
    fn default() -> Self {
        Self(AppendRequest { writes: Vec::new(), claims: Vec::new(), idempotency: None, context: context() })
    }
}

impl Request {
    /// A request that appends notes to one stream, whatever its version.
    #[must_use]
    pub fn to(stream: StreamId, notes: &[&str]) -> Self {
        Self::default().and(stream, Precondition::Any, notes)
    }

    /// A request that appends notes to one stream under a precondition.
    #[must_use]
    pub fn when(stream: StreamId, precondition: Precondition, notes: &[&str]) -> Self {
        Self::default().and(stream, precondition, notes)
    }

    /// Adds another stream.
    #[must_use]
    pub fn and(mut self, stream: StreamId, precondition: Precondition, notes: &[&str]) -> Self {
        let event = |note: &&str| NewEvent {
            event_type: Cow::Borrowed("lamp.noted"),
            schema_version: 1,
            data: format!("{{\"note\":\"{note}\"}}"),
        };
        self.0.writes.push(StreamWrite { stream, precondition, events: notes.iter().map(event).collect() });
        self
    }

    /// Claims a value in the scope `lamp.name`.
    #[must_use]
    pub fn taking(mut self, value: &str, owner: u128) -> Self {
        self.0.claims.push(ClaimChange::Take { claim: named(value), owner: Uuid::from_u128(owner) });
        self
    }

    /// Releases a value in the scope `lamp.name`.
    #[must_use]
    pub fn releasing(mut self, value: &str, owner: u128) -> Self {
        self.0.claims.push(ClaimChange::Release { claim: named(value), owner: Uuid::from_u128(owner) });
        self
    }

    /// Sets the idempotency key.
    #[must_use]
    pub fn under(mut self, idempotency: Idempotency) -> Self {
        self.0.idempotency = Some(idempotency);
        self
    }

    /// The request itself.
    #[must_use]
    pub fn build(self) -> AppendRequest {
        self.0
    }

    /// Sends the request to a log.
    ///
    /// # Errors
    /// Errors of the log.
    pub async fn ask(self, store: &dyn EventStore) -> Result<Appended, AppendError> {
        store.append(self.0).await
    }
}

fn named(value: &str) -> Claim {
    Claim { scope: "lamp.name".to_owned(), value: value.to_owned() }
}
