//! The history of aggregates, in pages.

use chrono::{DateTime, Utc};
use devskyy_domain::kernel::{Aggregate, Json, Version};
use uuid::Uuid;

use super::{
    recorded::{Position, RecordedEvent, StreamId},
    repository::Repository,
};
use crate::{
    error::PortError,
    paging::{Key, KeyValue, PageOf, Part},
};

/// One event of an aggregate, in its public form.
#[derive(Debug, Clone, PartialEq)]
pub struct HistoryEntry {
    /// Its position in the log.
    pub position: Position,
    /// Its number within the aggregate's stream, from 1; also the aggregate's version after it.
    pub sequence: Version,
    /// Its identity.
    pub id: Uuid,
    /// Its public type, for example `agent.renamed`.
    pub kind: &'static str,
    /// When it was recorded.
    pub at: DateTime<Utc>,
    /// Who caused it, as an [`ActorName`](super::ActorName) (`user:<id>`).
    pub actor: String,
    /// Its data by name.
    pub data: Json,
}

impl HistoryEntry {
    fn of<A: Aggregate>(recorded: &RecordedEvent, public: Public<A>) -> Result<Self, PortError> {
        let (kind, data) = public(&recorded.decode()?);
        Ok(Self {
            position: recorded.position,
            sequence: recorded.version,
            id: recorded.event_id,
            kind,
            at: recorded.recorded_at,
            actor: recorded.context.actor.clone(),
            data: data.into_iter().map(|(name, value)| (name.to_owned(), value)).collect(),
        })
    }

    fn key(&self) -> Key {
        Key::by_number(i64::try_from(self.sequence).unwrap_or(i64::MAX), self.id)
    }
}

/// The public type of an event, and its data by name.
pub type Public<A> = fn(&<A as Aggregate>::Event) -> (&'static str, Vec<(&'static str, Json)>);

impl<A: Aggregate> Repository<A> {
    /// Returns a part of the history of an aggregate at a given version, oldest event first. Versions of a stream have
    /// no gaps, so only the requested part is read.
    ///
    /// # Errors
    /// [`PortError`] when the log cannot be read or holds an event this program does not know.
    pub async fn tell(
        &self,
        id: A::Id,
        version: Version,
        part: &Part,
        public: Public<A>,
    ) -> Result<PageOf<HistoryEntry>, PortError> {
        let (after, most) = match part {
            Part::Page(page) => (page.offset(), page.page_size),
            Part::Keyset(wanted) => (wanted.after.as_ref().map_or(0, sequence), wanted.limit + 1),
        };
        let (mut told, mut known, last) = (Vec::new(), after, version.min(after.saturating_add(most)));
        while known < last {
            let left = usize::try_from(last - known).unwrap_or(usize::MAX);
            let events = self.store.read_stream(StreamId::of::<A>(id), known, left).await?;
            known = events.last().map_or(last, |newest| newest.version);
            let some: Result<Vec<_>, _> =
                events.iter().map(|recorded| HistoryEntry::of::<A>(recorded, public)).collect();
            told.extend(some?);
        }
        Ok(match part {
            Part::Page(_) => PageOf::of_total(told, version),
            Part::Keyset(wanted) => PageOf::up_to(told, wanted.limit, HistoryEntry::key),
        })
    }
}

/// The sequence number in a key. A text key means the beginning.
fn sequence(key: &Key) -> Version {
    match key.value {
        KeyValue::Number(number) => Version::try_from(number).unwrap_or_default(),
        KeyValue::Text(_) => 0,
    }
}
