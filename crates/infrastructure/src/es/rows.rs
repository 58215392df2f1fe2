//! Mapping of events to rows.

use std::borrow::Cow;

use devskyy_application::{
    error::PortError,
    es::{EventContext, PlannedEvent, RecordedEvent},
};
use sea_orm::{DatabaseBackend, DbErr, QueryResult, TryGetable, Value};
use uuid::Uuid;

use super::statements::{Columns, Kind};
use crate::sql::{Port, micros, sound_instant, sound_number, stored};

/// Columns of `es_events` in the order of [`values`].
pub(super) const EVENT_COLUMNS: &Columns = &[
    ("position", Kind::Number),
    ("stream_no", Kind::Number),
    ("version", Kind::Number),
    ("recorded_at", Kind::Number),
    ("event_id", Kind::Id),
    ("correlation_id", Kind::Id),
    ("causation_id", Kind::Id),
    ("schema_version", Kind::Small),
    ("event_type", Kind::Text),
    ("data", Kind::Text),
    ("meta", Kind::Text),
    ("hash", Kind::Bytes),
];

/// The columns that [`event`](Decoder::event) reads; `e` are the events and `s` their streams.
pub(super) const SELECT_EVENT: &str = "e.position, s.category, s.stream_id, e.version, e.recorded_at, e.event_id, \
     e.correlation_id, e.causation_id, e.schema_version, e.event_type, e.data, e.meta, e.hash";

/// The `FROM` clause of [`SELECT_EVENT`]: events first, one stream for each. Without it PostgreSQL, lacking statistics,
/// may scan all events of all streams of a category for each page.
pub(super) const fn events_with_streams(backend: DatabaseBackend) -> &'static str {
    match backend {
        DatabaseBackend::Postgres => {
            "es_events e CROSS JOIN LATERAL \
             (SELECT category, stream_id FROM es_streams WHERE stream_no = e.stream_no LIMIT 1) s"
        }
        _ => "es_events e CROSS JOIN es_streams s ON s.stream_no = e.stream_no",
    }
}

/// A planned event's columns.
pub(super) fn values(event: PlannedEvent) -> [Value; 12] {
    let PlannedEvent { recorded, stream_no, meta } = event;
    [
        stored(recorded.position).into(),
        stored(stream_no).into(),
        stored(recorded.version).into(),
        micros(recorded.recorded_at).into(),
        recorded.event_id.into(),
        recorded.context.correlation_id.into(),
        recorded.context.causation_id.into(),
        i16::try_from(recorded.schema_version).unwrap_or(i16::MAX).into(),
        recorded.event_type.into_owned().into(),
        recorded.data.into(),
        meta.as_ref().into(),
        recorded.hash.to_vec().into(),
    ]
}

/// Decodes rows of [`SELECT_EVENT`].
///
/// Consecutive events mostly share their context, which is then not parsed again.
#[derive(Debug, Default)]
pub(super) struct Decoder {
    meta: String,
    context: Option<EventContext>,
}

impl Decoder {
    /// # Errors
    /// A permanent [`PortError`] with the position, when the row is damaged.
    pub(super) fn event(&mut self, row: &QueryResult) -> Result<RecordedEvent, PortError> {
        self.decoded(row).map_err(|error| {
            let position = row.try_get_by_index::<i64>(0).unwrap_or_default();
            PortError { source: format!("event {position}: {}", error.source).into(), ..error }
        })
    }

    fn decoded(&mut self, row: &QueryResult) -> Result<RecordedEvent, PortError> {
        let raw = raw(row).map_err(damaged)?;
        let mut context = self.context(&raw.meta)?;
        context.correlation_id = raw.correlation_id;
        context.causation_id = raw.causation_id;
        Ok(RecordedEvent {
            position: raw.position,
            category: Cow::Owned(raw.category),
            stream_id: raw.stream_id,
            version: raw.version,
            event_id: raw.event_id,
            event_type: Cow::Owned(raw.event_type),
            schema_version: raw.schema_version,
            data: raw.data,
            context,
            recorded_at: sound_instant(raw.recorded_at).map_err(damaged)?,
            hash: raw.hash,
        })
    }

    pub(super) fn context(&mut self, meta: &str) -> Result<EventContext, PortError> {
        if let Some(known) = self.context.as_ref().filter(|_| self.meta == meta) {
            return Ok(known.clone());
        }
        let context: EventContext = serde_json::from_str(meta)
            .map_err(|error| PortError::bug("event store", "reading an event's context", error))?;
        meta.clone_into(&mut self.meta);
        self.context = Some(context.clone());
        Ok(context)
    }
}

/// An event exactly as stored, for verification.
pub(super) struct RawEvent {
    pub(super) position: u64,
    pub(super) category: String,
    pub(super) stream_id: Uuid,
    pub(super) version: u64,
    pub(super) recorded_at: i64,
    pub(super) event_id: Uuid,
    pub(super) correlation_id: Uuid,
    pub(super) causation_id: Uuid,
    pub(super) schema_version: u16,
    pub(super) event_type: String,
    pub(super) data: String,
    pub(super) meta: String,
    pub(super) hash: [u8; 32],
}

/// Reads [`SELECT_EVENT`] without interpreting it.
pub(super) fn raw(row: &QueryResult) -> Result<RawEvent, DbErr> {
    Ok(RawEvent {
        position: sound_number(at::<i64>(row, 0)?)?,
        category: at(row, 1)?,
        stream_id: at(row, 2)?,
        version: sound_number(at::<i64>(row, 3)?)?,
        recorded_at: at(row, 4)?,
        event_id: at(row, 5)?,
        correlation_id: at(row, 6)?,
        causation_id: at(row, 7)?,
        schema_version: sound_number(at::<i16>(row, 8)?)?,
        event_type: at(row, 9)?,
        data: at(row, 10)?,
        meta: at(row, 11)?,
        hash: hash(at(row, 12)?)?,
    })
}

/// The error for a row that cannot be read.
pub(super) fn damaged(error: DbErr) -> PortError {
    Port("event store").failed("reading an event")(error)
}

/// A stored digest.
pub(super) fn hash(bytes: Vec<u8>) -> Result<[u8; 32], DbErr> {
    bytes.try_into().map_err(|_| DbErr::Type("a stored hash does not have 32 bytes".to_owned()))
}

fn at<T: TryGetable>(row: &QueryResult, index: usize) -> Result<T, DbErr> {
    row.try_get_by_index(index)
}
