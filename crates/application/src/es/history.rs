//! What happened to aggregates, told in parts.

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

/// One thing that happened to an aggregate, in its public form.
#[derive(Debug, Clone, PartialEq)]
pub struct HistoryEntry {
    /// Its place in the one log.
    pub position: Position,
    /// Its place among the aggregate's events, from 1; the aggregate's version since.
    pub sequence: Version,
    /// Its identity.
    pub id: Uuid,
    /// What happened, for example `agent.renamed`.
    pub kind: &'static str,
    /// When.
    pub at: DateTime<Utc>,
    /// Who caused it, as the log names actors (`user:<id>`).
    pub actor: String,
    /// The rest, by name.
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

/// What an event is called in public, and its data by name.
pub type Public<A> = fn(&<A as Aggregate>::Event) -> (&'static str, Vec<(&'static str, Json)>);

impl<A: Aggregate> Repository<A> {
    /// Tells what happened to an aggregate that has come to a version, the oldest first. Events of a stream are numbered
    /// without gaps, so that no more is read of it than is told.
    ///
    /// # Errors
    /// [`PortError`] when the log cannot be read or holds a fact this program does not know.
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

/// The place among an aggregate's events that a key names; texts name the beginning.
fn sequence(key: &Key) -> Version {
    match key.value {
        KeyValue::Number(number) => Version::try_from(number).unwrap_or_default(),
        KeyValue::Text(_) => 0,
    }
}
