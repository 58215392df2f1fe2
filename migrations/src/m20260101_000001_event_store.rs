//! The event log: its mutex, streams, events, unique claims, idempotency keys and subscriptions.

use crate::change::{Change, either};

/// Creates the tables of the event log.
pub(crate) const CHANGE: Change = Change::of(module_path!(), |backend| either(backend, SQLITE, POSTGRES));

// `data` and `meta` are texts, not jsonb, because exactly the bytes that were hashed must come back.
const POSTGRES: &str = r"
CREATE TABLE es_head (id SMALLINT PRIMARY KEY CHECK (id = 1));
INSERT INTO es_head (id) VALUES (1);

CREATE TABLE es_streams (
    stream_no BIGINT PRIMARY KEY,
    category TEXT NOT NULL,
    stream_id UUID NOT NULL,
    version BIGINT NOT NULL,
    UNIQUE (stream_id, category)
) WITH (fillfactor = 80);

CREATE TABLE es_events (
    position BIGINT PRIMARY KEY,
    stream_no BIGINT NOT NULL,
    version BIGINT NOT NULL,
    recorded_at BIGINT NOT NULL,
    event_id UUID NOT NULL,
    correlation_id UUID NOT NULL,
    causation_id UUID NOT NULL,
    schema_version SMALLINT NOT NULL,
    event_type TEXT NOT NULL,
    data TEXT NOT NULL,
    meta TEXT NOT NULL,
    hash BYTEA NOT NULL,
    UNIQUE (stream_no, version)
) WITH (autovacuum_vacuum_insert_scale_factor = 0, autovacuum_vacuum_insert_threshold = 500000);

CREATE TABLE es_claims (
    scope TEXT NOT NULL,
    value TEXT NOT NULL,
    owner UUID NOT NULL,
    PRIMARY KEY (scope, value)
);

CREATE TABLE es_dedup (
    scope UUID NOT NULL,
    key TEXT NOT NULL,
    fingerprint BYTEA NOT NULL,
    first_position BIGINT NOT NULL,
    last_position BIGINT NOT NULL,
    recorded_at BIGINT NOT NULL,
    PRIMARY KEY (scope, key)
);
CREATE INDEX es_dedup_recorded_at ON es_dedup (recorded_at);

CREATE TABLE es_subscriptions (
    name TEXT PRIMARY KEY,
    position BIGINT NOT NULL DEFAULT 0,
    owner UUID,
    fence BIGINT NOT NULL DEFAULT 0,
    lease_until BIGINT NOT NULL DEFAULT 0,
    failed_at BIGINT,
    failure TEXT
) WITH (fillfactor = 50);

CREATE FUNCTION es_events_are_final() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'events are final: they are neither changed nor deleted';
END
$$;
CREATE TRIGGER es_events_are_final BEFORE UPDATE OR DELETE ON es_events
    FOR EACH ROW EXECUTE FUNCTION es_events_are_final();
CREATE TRIGGER es_events_are_not_truncated BEFORE TRUNCATE ON es_events
    FOR EACH STATEMENT EXECUTE FUNCTION es_events_are_final();
";

const SQLITE: &str = r"
CREATE TABLE es_head (id INTEGER PRIMARY KEY CHECK (id = 1)) STRICT;
INSERT INTO es_head (id) VALUES (1);

CREATE TABLE es_streams (
    stream_no INTEGER PRIMARY KEY,
    category TEXT NOT NULL,
    stream_id BLOB NOT NULL,
    version INTEGER NOT NULL,
    UNIQUE (stream_id, category)
) STRICT;

CREATE TABLE es_events (
    position INTEGER PRIMARY KEY,
    stream_no INTEGER NOT NULL,
    version INTEGER NOT NULL,
    recorded_at INTEGER NOT NULL,
    event_id BLOB NOT NULL,
    correlation_id BLOB NOT NULL,
    causation_id BLOB NOT NULL,
    schema_version INTEGER NOT NULL,
    event_type TEXT NOT NULL,
    data TEXT NOT NULL,
    meta TEXT NOT NULL,
    hash BLOB NOT NULL,
    UNIQUE (stream_no, version)
) STRICT;

CREATE TABLE es_claims (
    scope TEXT NOT NULL,
    value TEXT NOT NULL,
    owner BLOB NOT NULL,
    PRIMARY KEY (scope, value)
) STRICT, WITHOUT ROWID;

CREATE TABLE es_dedup (
    scope BLOB NOT NULL,
    key TEXT NOT NULL,
    fingerprint BLOB NOT NULL,
    first_position INTEGER NOT NULL,
    last_position INTEGER NOT NULL,
    recorded_at INTEGER NOT NULL,
    PRIMARY KEY (scope, key)
) STRICT, WITHOUT ROWID;
CREATE INDEX es_dedup_recorded_at ON es_dedup (recorded_at);

CREATE TABLE es_subscriptions (
    name TEXT PRIMARY KEY,
    position INTEGER NOT NULL DEFAULT 0,
    owner BLOB,
    fence INTEGER NOT NULL DEFAULT 0,
    lease_until INTEGER NOT NULL DEFAULT 0,
    failed_at INTEGER,
    failure TEXT
) STRICT, WITHOUT ROWID;

CREATE TRIGGER es_events_are_not_changed BEFORE UPDATE ON es_events BEGIN
    SELECT RAISE(ABORT, 'events are final: they are neither changed nor deleted');
END;
CREATE TRIGGER es_events_are_not_deleted BEFORE DELETE ON es_events BEGIN
    SELECT RAISE(ABORT, 'events are final: they are neither changed nor deleted');
END;
";
