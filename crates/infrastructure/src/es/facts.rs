//! Looks up what the planner must know, inside the transaction that will write.

use std::collections::{BTreeSet, HashMap};

use chrono::DateTime;
use devskyy_application::es::{Claim, Facts, KeyFacts, LogHead, ScopedKey, StreamFacts, StreamId, Wanted};
use sea_orm::{ConnectionTrait, DatabaseBackend, DatabaseTransaction, DbErr};
use uuid::Uuid;

use super::{
    rows::{hash, loaded},
    statements::{Rows, statement},
};

/// The prepared lookups.
#[derive(Debug)]
pub(super) struct Lookups {
    streams: Rows,
    claims: Rows,
    keys: Rows,
}

impl Lookups {
    pub(super) fn new(backend: DatabaseBackend) -> Self {
        let streams = "WITH wanted (stream_id, category) AS (VALUES ";
        let streams_tail = ") SELECT s.category, s.stream_id, s.stream_no, s.version FROM wanted w \
             JOIN es_streams s ON s.stream_id = w.stream_id AND s.category = w.category";
        let claims = "WITH wanted (scope, value) AS (VALUES ";
        let claims_tail = ") SELECT c.scope, c.value, c.owner FROM wanted w \
             JOIN es_claims c ON c.scope = w.scope AND c.value = w.value";
        let keys = "WITH wanted (scope, key) AS (VALUES ";
        let keys_tail = ") SELECT d.scope, d.key, d.fingerprint, d.first_position, d.last_position FROM wanted w \
             JOIN es_dedup d ON d.scope = w.scope AND d.key = w.key";
        Self {
            streams: Rows::new(backend, streams, 2, &["uuid", "text"], streams_tail),
            claims: Rows::new(backend, claims, 2, &["text", "text"], claims_tail),
            keys: Rows::new(backend, keys, 2, &["uuid", "text"], keys_tail),
        }
    }

    /// Everything a batch names, as of now.
    pub(super) async fn facts(&self, tx: &DatabaseTransaction, wanted: &Wanted<'_>) -> Result<Facts, DbErr> {
        Ok(Facts {
            head: head(tx).await?,
            streams: self.streams(tx, &wanted.streams).await?,
            claims: self.claims(tx, &wanted.claims).await?,
            keys: self.keys(tx, &wanted.keys).await?,
        })
    }

    async fn streams(
        &self,
        tx: &DatabaseTransaction,
        wanted: &BTreeSet<StreamId>,
    ) -> Result<HashMap<StreamId, StreamFacts>, DbErr> {
        let values = wanted.iter().flat_map(|stream| [stream.id.into(), stream.category.into()]);
        let mut found = HashMap::with_capacity(wanted.len());
        let categories: BTreeSet<&'static str> = wanted.iter().map(|stream| stream.category).collect();
        for lookup in self.streams.covering(wanted.len(), values) {
            for row in tx.query_all_raw(lookup).await? {
                let (category, id): (String, Uuid) = (row.try_get_by_index(0)?, row.try_get_by_index(1)?);
                let facts = StreamFacts {
                    stream_no: loaded(row.try_get_by_index(2)?),
                    version: loaded(row.try_get_by_index(3)?),
                };
                // The caller's own category is the text with the static lifetime.
                let known = categories.get(category.as_str());
                found.extend(known.map(|category| (StreamId { category, id }, facts)));
            }
        }
        Ok(found)
    }

    async fn claims(&self, tx: &DatabaseTransaction, wanted: &BTreeSet<&Claim>) -> Result<HashMap<Claim, Uuid>, DbErr> {
        let values = wanted.iter().flat_map(|claim| [claim.scope.as_str().into(), claim.value.as_str().into()]);
        let mut found = HashMap::new();
        for lookup in self.claims.covering(wanted.len(), values) {
            for row in tx.query_all_raw(lookup).await? {
                let claim = Claim { scope: row.try_get_by_index(0)?, value: row.try_get_by_index(1)? };
                found.insert(claim, row.try_get_by_index(2)?);
            }
        }
        Ok(found)
    }

    async fn keys(
        &self,
        tx: &DatabaseTransaction,
        wanted: &BTreeSet<(Uuid, &str)>,
    ) -> Result<HashMap<ScopedKey, KeyFacts>, DbErr> {
        let values = wanted.iter().flat_map(|(scope, key)| [(*scope).into(), (*key).into()]);
        let mut found = HashMap::new();
        for lookup in self.keys.covering(wanted.len(), values) {
            for row in tx.query_all_raw(lookup).await? {
                let facts = KeyFacts {
                    fingerprint: hash(row.try_get_by_index(2)?)?,
                    first: loaded(row.try_get_by_index(3)?),
                    last: loaded(row.try_get_by_index(4)?),
                };
                found.insert((row.try_get_by_index(0)?, row.try_get_by_index(1)?), facts);
            }
        }
        Ok(found)
    }
}

/// Where the log ends.
pub(super) async fn head(tx: &impl ConnectionTrait) -> Result<LogHead, DbErr> {
    let newest = "SELECT position, hash, recorded_at FROM es_events ORDER BY position DESC LIMIT 1";
    let row = tx.query_one_raw(statement(tx.get_database_backend(), newest, Vec::new())).await?;
    let Some(row) = row else { return Ok(LogHead::default()) };
    Ok(LogHead {
        position: loaded(row.try_get_by_index(0)?),
        hash: hash(row.try_get_by_index(1)?)?,
        recorded_at: DateTime::from_timestamp_micros(row.try_get_by_index(2)?).unwrap_or_default(),
    })
}
