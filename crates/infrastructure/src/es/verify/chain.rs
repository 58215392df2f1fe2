use std::collections::HashMap;

use devskyy_application::es::{
    Position,
    chain::{GENESIS, Hash, Link, digest},
};
use futures_util::TryStreamExt as _;
use sea_orm::{ConnectionTrait, DatabaseBackend, DatabaseTransaction, DbErr, StreamTrait as _};

use super::{
    super::{
        replay::STRETCH,
        rows::{RawEvent, SELECT_EVENT, raw},
        statements::statement,
    },
    Fault,
};
use crate::sql::{loaded, stored};

/// The hash up to which the log is intact, and the first fault after it.
pub(super) struct Walked {
    pub(super) hash: Hash,
    pub(super) fault: Option<Fault>,
}

/// The position of the newest event, or 0. Reads nothing else of it, because it may be damaged.
pub(super) async fn newest(live: &DatabaseTransaction) -> Result<Position, DbErr> {
    let sql = "SELECT position FROM es_events ORDER BY position DESC LIMIT 1";
    let row = live.query_one_raw(statement(backend(live), sql, Vec::new())).await?;
    row.map_or(Ok(0), |row| row.try_get_by_index(0).map(loaded))
}

/// Walks the log from its first event and returns the first position that was altered.
pub(super) async fn walk(
    live: &DatabaseTransaction,
    newest: Position,
    progress: &mut (impl FnMut(Position, Position) + Send),
) -> Result<Walked, DbErr> {
    let mut walker = Walker { position: 0, hash: GENESIS, streams: HashMap::new() };
    let fault = walker.walk(live, newest, progress).await?;
    Ok(Walked { hash: walker.hash, fault })
}

/// Positions count from 1. An event below would be read with its stream, but the walk would miss it.
async fn before_all(live: &DatabaseTransaction) -> Result<Option<Fault>, DbErr> {
    let sql = "SELECT position FROM es_events WHERE position < 1 ORDER BY position LIMIT 1";
    let row = live.query_one_raw(statement(backend(live), sql, Vec::new())).await?;
    let fault =
        |position: i64| Fault::Chain { position: 0, why: format!("an event is there at {position}, before all") };
    row.map(|row| row.try_get_by_index(0).map(fault)).transpose()
}

/// The transaction also implements `StreamTrait`; both return the same backend.
fn backend(live: &DatabaseTransaction) -> DatabaseBackend {
    ConnectionTrait::get_database_backend(live)
}

struct Walker {
    position: Position,
    hash: Hash,
    /// Versions by stream number.
    streams: HashMap<u64, u64>,
}

impl Walker {
    async fn walk(
        &mut self,
        live: &DatabaseTransaction,
        newest: Position,
        progress: &mut (impl FnMut(Position, Position) + Send),
    ) -> Result<Option<Fault>, DbErr> {
        // The outer join keeps events whose stream is missing.
        let sql = format!(
            "SELECT {SELECT_EVENT}, e.stream_no FROM es_events e LEFT JOIN es_streams s ON s.stream_no = e.stream_no \
             WHERE e.position > ? AND e.position <= ? ORDER BY e.position"
        );
        if let Some(fault) = before_all(live).await? {
            return Ok(Some(fault));
        }
        while self.position < newest {
            let (after, upto) = (self.position, (self.position + STRETCH).min(newest));
            let values = vec![stored(after).into(), stored(upto).into()];
            // Row by row, because a whole page of large events may not fit into memory.
            let mut rows = live.stream_raw(statement(backend(live), &sql, values)).await?;
            while let Some(row) = rows.try_next().await? {
                let position = self.position + 1;
                let Ok(event) = raw(&row) else {
                    return Ok(Some(Fault::Chain { position, why: "it cannot be read".to_owned() }));
                };
                let stream_no = loaded(row.try_get_by_index(13)?);
                if let Err(why) = self.step(&event, stream_no) {
                    return Ok(Some(Fault::Chain { position, why }));
                }
            }
            drop(rows);
            if self.position < upto {
                return Ok(Some(Fault::Chain { position: self.position + 1, why: "it is missing".to_owned() }));
            }
            progress(self.position, newest);
        }
        self.check_streams(live).await
    }

    fn step(&mut self, event: &RawEvent, stream_no: u64) -> Result<(), String> {
        if event.position != self.position + 1 {
            return Err("it is missing".to_owned());
        }
        if link(event).hash(&self.hash) != event.hash {
            return Err(format!(
                "{} version {} does not have the hash it was recorded with",
                event.category, event.version
            ));
        }
        let version = self.streams.entry(stream_no).or_default();
        if event.version != *version + 1 || (*version == 0 && stream_no != event.position) {
            return Err(format!("its stream is at version {version}, and it claims to be version {}", event.version));
        }
        *version = event.version;
        self.position = event.position;
        self.hash = event.hash;
        Ok(())
    }

    /// Compares the table of streams with the events.
    async fn check_streams(&self, live: &DatabaseTransaction) -> Result<Option<Fault>, DbErr> {
        let sql = "SELECT stream_no, version FROM es_streams ORDER BY stream_no";
        let mut rows = live.stream_raw(statement(backend(live), sql, Vec::new())).await?;
        while let Some(row) = rows.try_next().await? {
            let (stream_no, said) = (loaded(row.try_get_by_index(0)?), loaded(row.try_get_by_index(1)?));
            let counted = self.streams.get(&stream_no).copied();
            if counted != Some(said) {
                let counted = counted.unwrap_or_default();
                let why = format!("the stream that begins here has {counted} events and is listed with {said}");
                return Ok(Some(Fault::Chain { position: stream_no, why }));
            }
        }
        Ok(None)
    }
}

fn link(event: &RawEvent) -> Link<'_> {
    Link {
        position: event.position,
        category: &event.category,
        stream_id: event.stream_id,
        version: event.version,
        event_id: event.event_id,
        correlation_id: event.correlation_id,
        causation_id: event.causation_id,
        event_type: &event.event_type,
        schema_version: event.schema_version,
        recorded_at: event.recorded_at,
        data: digest(&event.data),
        meta: digest(&event.meta),
    }
}
