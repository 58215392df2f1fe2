//! Agents and their versions, derived from the log.

use crate::change::{Change, either};

/// Creates the tables of the agents context.
pub(crate) const CHANGE: Change = Change::of(module_path!(), |backend| either(backend, SQLITE, POSTGRES));

const POSTGRES: &str = r#"
CREATE TABLE agents (
    id UUID PRIMARY KEY,
    project_id UUID NOT NULL,
    name TEXT NOT NULL,
    name_key TEXT NOT NULL COLLATE "C",
    kind TEXT NOT NULL,
    capabilities TEXT NOT NULL,
    description TEXT NOT NULL,
    status TEXT NOT NULL,
    current_version INTEGER,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    version BIGINT NOT NULL,
    position BIGINT NOT NULL
);
CREATE INDEX agents_by_age ON agents (project_id, created_at, id);
CREATE INDEX agents_by_name ON agents (project_id, name_key, id);

CREATE TABLE agent_versions (
    agent_id UUID NOT NULL,
    number INTEGER NOT NULL,
    definition TEXT NOT NULL,
    published_at BIGINT NOT NULL,
    published_by TEXT NOT NULL,
    position BIGINT NOT NULL,
    PRIMARY KEY (agent_id, number)
);
"#;

const SQLITE: &str = r#"
CREATE TABLE agents (
    id BLOB PRIMARY KEY,
    project_id BLOB NOT NULL,
    name TEXT NOT NULL,
    name_key TEXT NOT NULL,
    kind TEXT NOT NULL,
    capabilities TEXT NOT NULL,
    description TEXT NOT NULL,
    status TEXT NOT NULL,
    current_version INTEGER,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    version INTEGER NOT NULL,
    position INTEGER NOT NULL
) STRICT;
CREATE INDEX agents_by_age ON agents (project_id, created_at, id);
CREATE INDEX agents_by_name ON agents (project_id, name_key, id);

CREATE TABLE agent_versions (
    agent_id BLOB NOT NULL,
    number INTEGER NOT NULL,
    definition TEXT NOT NULL,
    published_at INTEGER NOT NULL,
    published_by TEXT NOT NULL,
    position INTEGER NOT NULL,
    PRIMARY KEY (agent_id, number)
) STRICT;
"#;
