//! Writes a plan, in one round trip if the engine allows.

use devskyy_application::es::{Plan, StreamFacts, StreamId};
use sea_orm::{DatabaseBackend, Statement, Value};

use super::{
    rows::{EVENT_COLUMNS, values},
    statements::{Columns, Composer, Kind, names},
};
use crate::sql::stored;

/// A table and how rows are inserted into it.
struct Table {
    name: &'static str,
    columns: &'static Columns,
    /// The `ON CONFLICT` clause; without one a conflict is an error.
    conflict: &'static str,
}

const EVENTS: Table = Table { name: "es_events", columns: EVENT_COLUMNS, conflict: "" };

const STREAM: &Columns =
    &[("stream_no", Kind::Number), ("category", Kind::Text), ("stream_id", Kind::Id), ("version", Kind::Number)];

/// Streams that begin in the batch. Looking for a conflicting row would cost as much as the insert.
const NEW_STREAMS: Table = Table { name: "es_streams", columns: STREAM, conflict: "" };

const STREAMS: Table =
    Table { conflict: " ON CONFLICT (stream_no) DO UPDATE SET version = excluded.version", ..NEW_STREAMS };

const CLAIMS: Table = Table {
    name: "es_claims",
    columns: &[("scope", Kind::Text), ("value", Kind::Text), ("owner", Kind::Id)],
    conflict: " ON CONFLICT (scope, value) DO UPDATE SET owner = excluded.owner",
};

const KEYS: Table = Table {
    name: "es_dedup",
    columns: &[
        ("scope", Kind::Id),
        ("key", Kind::Text),
        ("fingerprint", Kind::Bytes),
        ("first_position", Kind::Number),
        ("last_position", Kind::Number),
        ("recorded_at", Kind::Number),
    ],
    conflict: "",
};

/// The statement that records a plan, inside the transaction that read its facts; `None` if there is nothing to record.
pub(super) fn statement(backend: DatabaseBackend, plan: Plan) -> Option<Statement> {
    let mut writes = Writes { backend, composer: Composer::new(backend), parts: 0 };
    let first = plan.events.first().map_or(u64::MAX, |event| event.recorded.position);
    writes.insert(&EVENTS, plan.events.into_iter().map(values).collect());
    let (new, known): (Vec<_>, Vec<_>) = plan.streams.iter().partition(|(_, facts)| facts.stream_no >= first);
    writes.insert(&NEW_STREAMS, new.into_iter().map(stream).collect());
    writes.insert(&STREAMS, known.into_iter().map(stream).collect());
    let taken = plan.claims.iter().filter_map(|(claim, owner)| {
        Some([claim.scope.as_str().into(), claim.value.as_str().into(), (*owner)?.into()])
    });
    writes.insert(&CLAIMS, taken.collect());
    for (claim, _) in plan.claims.iter().filter(|(_, owner)| owner.is_none()) {
        writes.part().push("DELETE FROM es_claims WHERE scope = ").bind(claim.scope.as_str());
        writes.composer.push(" AND value = ").bind(claim.value.as_str());
    }
    let keys = plan.keys.iter().map(|key| {
        [
            key.key.0.into(),
            key.key.1.as_str().into(),
            key.facts.fingerprint.to_vec().into(),
            stored(key.facts.first).into(),
            stored(key.facts.last).into(),
            key.recorded_at.timestamp_micros().into(),
        ]
    });
    writes.insert(&KEYS, keys.collect());
    writes.finish()
}

fn stream((stream, facts): (&StreamId, &StreamFacts)) -> [Value; 4] {
    [stored(facts.stream_no).into(), stream.category.into(), stream.id.into(), stored(facts.version).into()]
}

/// Changes to several tables. No two touch the same row, so their order does not matter.
struct Writes {
    backend: DatabaseBackend,
    composer: Composer,
    parts: usize,
}

impl Writes {
    fn insert<const N: usize>(&mut self, table: &Table, rows: Vec<[Value; N]>) {
        let mut rows = rows.into_iter();
        while rows.len() > 0 {
            let some = rows.len().min(Composer::most_rows(self.backend));
            let columns = names(table.columns);
            let composer = self.part();
            composer.push("INSERT INTO ").push(table.name).push(" (").push(&columns).push(") SELECT ").push(&columns);
            composer.push(" FROM ");
            composer.rows(table.columns, rows.by_ref().take(some));
            composer.push(" WHERE TRUE").push(table.conflict);
        }
    }

    /// Begins the next change. PostgreSQL runs it beside the previous ones in one statement. On SQLite it follows in
    /// the same text: the driver runs the statements in turn and binds to each its own values.
    fn part(&mut self) -> &mut Composer {
        let opening = match (self.backend, self.parts) {
            (DatabaseBackend::Postgres, 0) => "WITH p0 AS (".to_owned(),
            (DatabaseBackend::Postgres, n) => format!("), p{n} AS ("),
            (_, 0) => String::new(),
            _ => "; ".to_owned(),
        };
        self.composer.push(&opening);
        self.parts += 1;
        &mut self.composer
    }

    fn finish(mut self) -> Option<Statement> {
        if self.parts == 0 {
            return None;
        }
        if self.backend == DatabaseBackend::Postgres {
            self.composer.push(") SELECT 1");
        }
        Some(self.composer.finish())
    }
}
