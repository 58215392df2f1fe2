//! Looks up the planner's facts, inside the transaction that will write.

use std::collections::{BTreeSet, HashMap};

use chrono::{DateTime, Utc};
use devskyy_application::es::{Claim, Facts, KeyFacts, LogHead, StreamFacts, StreamId, Wanted};
use sea_orm::{ConnectionTrait, DatabaseBackend, DatabaseTransaction, DbErr, QueryResult, Statement, Value};

use super::{
    rows::hash,
    statements::{Columns, Composer, Kind, statement},
};
use crate::sql::{sound_instant, sound_number};

/// The newest event, in the columns that all lookups share: kind, two numbers, bytes, an id and two texts.
const HEAD: &str = "SELECT 0 AS kind, h.position AS a, h.recorded_at AS b, h.hash AS bytes, CAST(NULL AS UUID) AS id, \
     CAST(NULL AS TEXT) AS one, CAST(NULL AS TEXT) AS two \
     FROM (SELECT position, recorded_at, hash FROM es_events ORDER BY position DESC LIMIT 1) h";

/// The time of PostgreSQL's host, in the same columns.
const NOW: &str =
    " UNION ALL SELECT 4, CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000000 AS BIGINT), 0, NULL, NULL, NULL, NULL";

/// A lookup of many keys in one table.
struct Lookup {
    /// The columns after `SELECT`; the table is `t`.
    columns: &'static str,
    table: &'static str,
    keys: &'static Columns,
    on: &'static str,
}

const STREAMS: Lookup = Lookup {
    columns: "1, t.stream_no, t.version, NULL, t.stream_id, t.category, NULL",
    table: "es_streams",
    keys: &[("stream_id", Kind::Id), ("category", Kind::Text)],
    on: "t.stream_id = w.stream_id AND t.category = w.category",
};

const CLAIMS: Lookup = Lookup {
    columns: "2, 0, 0, NULL, t.owner, t.scope, t.value",
    table: "es_claims",
    keys: &[("scope", Kind::Text), ("value", Kind::Text)],
    on: "t.scope = w.scope AND t.value = w.value",
};

const KEYS: Lookup = Lookup {
    columns: "3, t.first_position, t.last_position, t.fingerprint, t.scope, t.key, NULL",
    table: "es_dedup",
    keys: &[("scope", Kind::Id), ("key", Kind::Text)],
    on: "t.scope = w.scope AND t.key = w.key",
};

/// What was read under the mutex.
#[derive(Default)]
pub(super) struct Ground {
    /// The facts of a batch.
    pub(super) facts: Facts,
    /// The database's time, if requested.
    pub(super) now: Option<DateTime<Utc>>,
}

/// Reads the facts of a batch and, if `timed`, the database's time.
pub(super) async fn facts(tx: &DatabaseTransaction, wanted: &Wanted<'_>, timed: bool) -> Result<Ground, DbErr> {
    // Maps a stored category to the caller's text, which has a static lifetime.
    let categories: BTreeSet<&'static str> = wanted.streams.iter().map(|stream| stream.category).collect();
    let facts = Facts { streams: HashMap::with_capacity(wanted.streams.len()), ..Facts::default() };
    let mut ground = Ground { facts, now: None };
    for lookup in lookups(tx.get_database_backend(), wanted, timed) {
        for row in tx.query_all_raw(lookup).await? {
            take_in(&mut ground, &categories, &row)?;
        }
    }
    Ok(ground)
}

/// One statement for everything, or several if the engine's limits require it.
fn lookups(backend: DatabaseBackend, wanted: &Wanted<'_>, timed: bool) -> Vec<Statement> {
    let streams = wanted.streams.iter().map(|stream| [stream.id.into(), stream.category.into()]);
    let claims = wanted.claims.iter().map(|claim| [claim.scope.as_str().into(), claim.value.as_str().into()]);
    let keys = wanted.keys.iter().map(|(scope, key)| [(*scope).into(), (*key).into()]);
    let rows: [(Lookup, Vec<[Value; 2]>); 3] =
        [(STREAMS, streams.collect()), (CLAIMS, claims.collect()), (KEYS, keys.collect())];
    let mut composer = Composer::new(backend);
    composer.push(HEAD);
    if timed {
        composer.push(NOW);
    }
    let mut statements = Vec::with_capacity(1);
    for (lookup, rows) in rows {
        let mut rows = rows.into_iter();
        while rows.len() > 0 {
            let some = rows.len().min(Composer::most_rows(backend));
            if !composer.fits(some, 2) {
                statements.push(std::mem::replace(&mut composer, Composer::new(backend)).finish());
            }
            lookup.add(&mut composer, backend, rows.by_ref().take(some));
        }
    }
    statements.push(composer.finish());
    statements
}

impl Lookup {
    /// Forces one index search per key on both engines, whatever their statistics say about the table.
    fn add(&self, composer: &mut Composer, backend: DatabaseBackend, rows: impl ExactSizeIterator<Item = [Value; 2]>) {
        if !composer.is_empty() {
            composer.push(" UNION ALL ");
        }
        composer.push("SELECT ").push(self.columns).push(" FROM ");
        composer.rows(self.keys, rows);
        match backend {
            DatabaseBackend::Postgres => {
                composer.push(" CROSS JOIN LATERAL (SELECT * FROM ").push(self.table).push(" t WHERE ");
                composer.push(self.on).push(" LIMIT 1) t")
            }
            _ => composer.push(" CROSS JOIN ").push(self.table).push(" t WHERE ").push(self.on),
        };
    }
}

fn take_in(ground: &mut Ground, categories: &BTreeSet<&'static str>, row: &QueryResult) -> Result<(), DbErr> {
    let facts = &mut ground.facts;
    let (a, b) = (row.try_get_by_index::<i64>(1)?, row.try_get_by_index::<i64>(2)?);
    match row.try_get_by_index::<i32>(0)? {
        0 => facts.head = log_head(a, row.try_get_by_index(3)?, b)?,
        1 => {
            let (id, category): (_, String) = (row.try_get_by_index(4)?, row.try_get_by_index(5)?);
            let known = categories.get(category.as_str());
            let stream = StreamFacts { stream_no: sound_number(a)?, version: sound_number(b)? };
            facts.streams.extend(known.map(|category| (StreamId { category, id }, stream)));
        }
        2 => {
            let claim = Claim { scope: row.try_get_by_index(5)?, value: row.try_get_by_index(6)? };
            facts.claims.insert(claim, row.try_get_by_index(4)?);
        }
        4 => ground.now = Some(sound_instant(a)?),
        _ => {
            let (first, last) = (sound_number(a)?, sound_number(b)?);
            let used = KeyFacts { fingerprint: hash(row.try_get_by_index(3)?)?, first, last };
            facts.keys.insert((row.try_get_by_index(4)?, row.try_get_by_index(5)?), used);
        }
    }
    Ok(())
}

fn log_head(position: i64, bytes: Vec<u8>, recorded_at: i64) -> Result<LogHead, DbErr> {
    Ok(LogHead { position: sound_number(position)?, hash: hash(bytes)?, recorded_at: sound_instant(recorded_at)? })
}

/// The end of the log.
pub(super) async fn head(tx: &impl ConnectionTrait) -> Result<LogHead, DbErr> {
    let newest = "SELECT position, hash, recorded_at FROM es_events ORDER BY position DESC LIMIT 1";
    let row = tx.query_one_raw(statement(tx.get_database_backend(), newest, Vec::new())).await?;
    let Some(row) = row else { return Ok(LogHead::default()) };
    log_head(row.try_get_by_index(0)?, row.try_get_by_index(1)?, row.try_get_by_index(2)?)
}
