//! Writes what the planner decided: one statement on PostgreSQL, one per table on SQLite.

use devskyy_application::es::{Plan, PlannedEvent};
use sea_orm::{DatabaseBackend, Statement, Value};

use super::{
    rows::{EVENT_COLUMNS, stored, values},
    statements::{Columns, Composer, Kind, names},
};

/// A table and how rows get into it.
struct Table {
    name: &'static str,
    columns: &'static Columns,
    /// What becomes of a row that is there already; without it that is an error.
    conflict: &'static str,
}

const EVENTS: Table = Table { name: "es_events", columns: EVENT_COLUMNS, conflict: "" };

const STREAMS: Table = Table {
    name: "es_streams",
    columns: &[
        ("stream_no", Kind::Number),
        ("category", Kind::Text),
        ("stream_id", Kind::Id),
        ("version", Kind::Number),
    ],
    conflict: " ON CONFLICT (stream_no) DO UPDATE SET version = excluded.version",
};

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

/// The statements that record a plan, to be executed in order inside the transaction that looked its facts up.
pub(super) fn statements(backend: DatabaseBackend, plan: Plan) -> Vec<Statement> {
    let mut writes = Writes { backend, composer: Composer::new(backend), parts: 0, done: Vec::new() };
    writes.insert(&EVENTS, plan.events.into_iter().map(|event: PlannedEvent| values(event)).collect());
    let streams = plan.streams.iter().map(|(stream, facts)| {
        [stored(facts.stream_no).into(), stream.category.into(), stream.id.into(), stored(facts.version).into()]
    });
    writes.insert(&STREAMS, streams.collect());
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

/// Changes to several tables. No two touch the same row, so their order does not matter.
struct Writes {
    backend: DatabaseBackend,
    composer: Composer,
    parts: usize,
    done: Vec<Statement>,
}

impl Writes {
    fn insert<const N: usize>(&mut self, table: &Table, rows: Vec<[Value; N]>) {
        let mut rows = rows.into_iter();
        while rows.len() > 0 {
            let some: Vec<_> = rows.by_ref().take(Composer::most_rows(self.backend)).collect();
            let columns = names(table.columns);
            let composer = self.part();
            composer.push("INSERT INTO ").push(table.name).push(" (").push(&columns).push(") SELECT ").push(&columns);
            composer.push(" FROM ");
            composer.rows(table.columns, some.into_iter());
            composer.push(" WHERE TRUE").push(table.conflict);
        }
    }

    /// Begins the next change: on PostgreSQL beside the ones before, else in a statement of its own.
    fn part(&mut self) -> &mut Composer {
        if self.backend == DatabaseBackend::Postgres {
            let opening = if self.parts == 0 { "WITH" } else { ")," };
            let name = format!("{opening} p{} AS (", self.parts);
            self.composer.push(&name);
        } else if self.parts > 0 {
            self.flush();
        }
        self.parts += 1;
        &mut self.composer
    }

    fn flush(&mut self) {
        let composer = std::mem::replace(&mut self.composer, Composer::new(self.backend));
        self.done.push(composer.finish());
    }

    fn finish(mut self) -> Vec<Statement> {
        if self.parts > 0 {
            if self.backend == DatabaseBackend::Postgres {
                self.composer.push(") SELECT 1");
            }
            self.flush();
        }
        self.done
    }
}
