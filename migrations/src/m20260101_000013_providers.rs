//! Model providers, derived from the log, and their sealed keys beside it.

use crate::change::{Change, either};

/// Creates the tables of providers.
pub(crate) const CHANGE: Change = Change::of(module_path!(), |backend| either(backend, SQLITE, POSTGRES));

const POSTGRES: &str = r#"
CREATE TABLE providers (
    id UUID PRIMARY KEY,
    project_id UUID NOT NULL,
    name TEXT NOT NULL,
    kind TEXT NOT NULL,
    base_url TEXT NOT NULL,
    models TEXT NOT NULL,
    prices TEXT NOT NULL,
    prices_version BIGINT NOT NULL,
    key_state TEXT NOT NULL,
    key_id UUID,
    status TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    version BIGINT NOT NULL,
    position BIGINT NOT NULL
);
CREATE INDEX providers_project_id ON providers (project_id, created_at, id);
CREATE INDEX providers_name ON providers (project_id, name);

CREATE TABLE provider_keys (
    id UUID PRIMARY KEY,
    provider_id UUID NOT NULL,
    sealed BYTEA NOT NULL,
    hint TEXT NOT NULL,
    created_at BIGINT NOT NULL
);
"#;

const SQLITE: &str = r#"
CREATE TABLE providers (
    id BLOB PRIMARY KEY,
    project_id BLOB NOT NULL,
    name TEXT NOT NULL,
    kind TEXT NOT NULL,
    base_url TEXT NOT NULL,
    models TEXT NOT NULL,
    prices TEXT NOT NULL,
    prices_version INTEGER NOT NULL,
    key_state TEXT NOT NULL,
    key_id BLOB,
    status TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    version INTEGER NOT NULL,
    position INTEGER NOT NULL
) STRICT;
CREATE INDEX providers_project_id ON providers (project_id, created_at, id);
CREATE INDEX providers_name ON providers (project_id, name);

CREATE TABLE provider_keys (
    id BLOB PRIMARY KEY,
    provider_id BLOB NOT NULL,
    sealed BLOB NOT NULL,
    hint TEXT NOT NULL,
    created_at INTEGER NOT NULL
) STRICT;
"#;
