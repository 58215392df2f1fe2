//! The audit trail: the projection, and the data kept beside the log for a limited time.

use crate::change::{Change, either};

/// Creates the tables of the trail and fills them from the log.
pub(crate) const CHANGE: Change = Change::of(module_path!(), |backend| either(backend, SQLITE, POSTGRES));

const POSTGRES: &str = r"
CREATE TABLE audit_facts (
    id UUID PRIMARY KEY,
    happened_at BIGINT NOT NULL,
    kind TEXT NOT NULL,
    actor TEXT NOT NULL,
    project_id UUID,
    target TEXT NOT NULL,
    correlation_id UUID NOT NULL,
    position BIGINT NOT NULL
);
CREATE INDEX audit_facts_happened_at ON audit_facts (happened_at, id);
CREATE INDEX audit_facts_project ON audit_facts (project_id, happened_at, id);

INSERT INTO audit_facts (id, happened_at, kind, actor, project_id, target, correlation_id, position)
SELECT e.event_id, e.recorded_at, e.event_type, e.meta::json ->> 'actor',
    CASE WHEN s.category = 'project' THEN s.stream_id ELSE (e.meta::json ->> 'project')::uuid END,
    s.category || ':' || s.stream_id, e.correlation_id, e.position
FROM es_events e JOIN es_streams s ON s.stream_no = e.stream_no
WHERE s.category IN ('user', 'roster', 'project', 'api_key', 'agent');

CREATE TABLE security_records (
    id UUID PRIMARY KEY,
    happened_at BIGINT NOT NULL,
    kind TEXT NOT NULL,
    outcome TEXT NOT NULL,
    actor TEXT NOT NULL,
    source TEXT,
    project_id UUID,
    target TEXT,
    correlation_id UUID NOT NULL
);
CREATE INDEX security_records_happened_at ON security_records (happened_at, id);
CREATE INDEX security_records_project ON security_records (project_id, happened_at, id);

CREATE TABLE request_origins (
    correlation_id UUID PRIMARY KEY,
    source TEXT NOT NULL,
    happened_at BIGINT NOT NULL
);
CREATE INDEX request_origins_happened_at ON request_origins (happened_at);
";

const SQLITE: &str = r"
CREATE TABLE audit_facts (
    id BLOB PRIMARY KEY,
    happened_at INTEGER NOT NULL,
    kind TEXT NOT NULL,
    actor TEXT NOT NULL,
    project_id BLOB,
    target TEXT NOT NULL,
    correlation_id BLOB NOT NULL,
    position INTEGER NOT NULL
) STRICT;
CREATE INDEX audit_facts_happened_at ON audit_facts (happened_at, id);
CREATE INDEX audit_facts_project ON audit_facts (project_id, happened_at, id);

INSERT INTO audit_facts (id, happened_at, kind, actor, project_id, target, correlation_id, position)
SELECT e.event_id, e.recorded_at, e.event_type, json_extract(e.meta, '$.actor'),
    CASE WHEN s.category = 'project' THEN s.stream_id
        ELSE unhex(replace(json_extract(e.meta, '$.project'), '-', '')) END,
    s.category || ':' || lower(substr(hex(s.stream_id), 1, 8) || '-' || substr(hex(s.stream_id), 9, 4) || '-'
        || substr(hex(s.stream_id), 13, 4) || '-' || substr(hex(s.stream_id), 17, 4) || '-'
        || substr(hex(s.stream_id), 21)), e.correlation_id, e.position
FROM es_events e JOIN es_streams s ON s.stream_no = e.stream_no
WHERE s.category IN ('user', 'roster', 'project', 'api_key', 'agent');

CREATE TABLE security_records (
    id BLOB PRIMARY KEY,
    happened_at INTEGER NOT NULL,
    kind TEXT NOT NULL,
    outcome TEXT NOT NULL,
    actor TEXT NOT NULL,
    source TEXT,
    project_id BLOB,
    target TEXT,
    correlation_id BLOB NOT NULL
) STRICT;
CREATE INDEX security_records_happened_at ON security_records (happened_at, id);
CREATE INDEX security_records_project ON security_records (project_id, happened_at, id);

CREATE TABLE request_origins (
    correlation_id BLOB PRIMARY KEY,
    source TEXT NOT NULL,
    happened_at INTEGER NOT NULL
) STRICT;
CREATE INDEX request_origins_happened_at ON request_origins (happened_at);
";
