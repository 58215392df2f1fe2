//! Secrets of project tools, derived from the log, and their sealed values beside it.

use crate::change::{Change, either};

/// Creates the tables of secrets.
pub(crate) const CHANGE: Change = Change::of(module_path!(), |backend| either(backend, SQLITE, POSTGRES));

const POSTGRES: &str = r#"
CREATE TABLE secrets (
    id UUID PRIMARY KEY,
    project_id UUID NOT NULL,
    name TEXT NOT NULL,
    hosts TEXT NOT NULL,
    value_id UUID,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    version BIGINT NOT NULL,
    position BIGINT NOT NULL
);
CREATE INDEX secrets_project_id ON secrets (project_id, created_at, id);
CREATE INDEX secrets_name ON secrets (project_id, name);

CREATE TABLE secret_values (
    id UUID PRIMARY KEY,
    secret_id UUID NOT NULL,
    sealed BYTEA NOT NULL,
    created_at BIGINT NOT NULL
);
"#;

const SQLITE: &str = r#"
CREATE TABLE secrets (
    id BLOB PRIMARY KEY,
    project_id BLOB NOT NULL,
    name TEXT NOT NULL,
    hosts TEXT NOT NULL,
    value_id BLOB,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    version INTEGER NOT NULL,
    position INTEGER NOT NULL
) STRICT;
CREATE INDEX secrets_project_id ON secrets (project_id, created_at, id);
CREATE INDEX secrets_name ON secrets (project_id, name);

CREATE TABLE secret_values (
    id BLOB PRIMARY KEY,
    secret_id BLOB NOT NULL,
    sealed BLOB NOT NULL,
    created_at INTEGER NOT NULL
) STRICT;
"#;
