//! API keys, derived from the log, and the digests of their secrets and their last uses beside it.

use crate::change::{Change, either};

/// Creates the tables of API keys.
pub(crate) const CHANGE: Change = Change::of(module_path!(), |backend| either(backend, SQLITE, POSTGRES));

const POSTGRES: &str = r#"
CREATE TABLE api_keys (
    id UUID PRIMARY KEY,
    project_id UUID NOT NULL,
    issuer_id UUID NOT NULL,
    name TEXT NOT NULL,
    role TEXT NOT NULL,
    scopes TEXT NOT NULL,
    secret_id UUID NOT NULL,
    previous_secret_id UUID,
    previous_until BIGINT,
    expires_at BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    rotated_at BIGINT,
    revoked_at BIGINT,
    version BIGINT NOT NULL,
    position BIGINT NOT NULL
);
CREATE INDEX api_keys_project_id ON api_keys (project_id, created_at);

CREATE TABLE api_key_secrets (
    id UUID PRIMARY KEY,
    key_id UUID NOT NULL,
    digest BYTEA NOT NULL,
    created_at BIGINT NOT NULL
);

CREATE TABLE api_key_uses (
    key_id UUID PRIMARY KEY,
    used_at BIGINT NOT NULL
);
"#;

const SQLITE: &str = r#"
CREATE TABLE api_keys (
    id BLOB PRIMARY KEY,
    project_id BLOB NOT NULL,
    issuer_id BLOB NOT NULL,
    name TEXT NOT NULL,
    role TEXT NOT NULL,
    scopes TEXT NOT NULL,
    secret_id BLOB NOT NULL,
    previous_secret_id BLOB,
    previous_until INTEGER,
    expires_at INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    rotated_at INTEGER,
    revoked_at INTEGER,
    version INTEGER NOT NULL,
    position INTEGER NOT NULL
) STRICT;
CREATE INDEX api_keys_project_id ON api_keys (project_id, created_at);

CREATE TABLE api_key_secrets (
    id BLOB PRIMARY KEY,
    key_id BLOB NOT NULL,
    digest BLOB NOT NULL,
    created_at INTEGER NOT NULL
) STRICT;

CREATE TABLE api_key_uses (
    key_id BLOB PRIMARY KEY,
    used_at INTEGER NOT NULL
) STRICT;
"#;
