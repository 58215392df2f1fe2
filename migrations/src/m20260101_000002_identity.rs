//! People: users, derived from the log, and their personal and secret data beside it.

use crate::change::{Change, either};

/// Creates the tables of the identity context.
pub(crate) const CHANGE: Change = Change::of(module_path!(), |backend| either(backend, SQLITE, POSTGRES));

const POSTGRES: &str = r#"
CREATE TABLE users (
    id UUID PRIMARY KEY,
    role TEXT NOT NULL,
    status TEXT NOT NULL,
    personal_project UUID NOT NULL,
    created_at BIGINT NOT NULL,
    version BIGINT NOT NULL,
    position BIGINT NOT NULL
);
CREATE INDEX users_admins ON users (role) WHERE role = 'admin';

CREATE TABLE user_profiles (
    user_id UUID PRIMARY KEY,
    email TEXT NOT NULL,
    email_digest BYTEA NOT NULL,
    name TEXT NOT NULL,
    created_at BIGINT NOT NULL
);
CREATE INDEX user_profiles_email_digest ON user_profiles (email_digest);

CREATE TABLE credentials (
    user_id UUID PRIMARY KEY,
    password_hash TEXT NOT NULL,
    changed_at BIGINT NOT NULL
);

CREATE TABLE sessions (
    id UUID PRIMARY KEY,
    user_id UUID NOT NULL,
    opened_at BIGINT NOT NULL,
    ends_at BIGINT NOT NULL,
    revoked_at BIGINT
);
CREATE INDEX sessions_user_id ON sessions (user_id);
CREATE INDEX sessions_ends_at ON sessions (ends_at);

CREATE TABLE refresh_tokens (
    digest BYTEA PRIMARY KEY,
    session_id UUID NOT NULL,
    valid_until BIGINT NOT NULL,
    used_at BIGINT
);
CREATE INDEX refresh_tokens_session_id ON refresh_tokens (session_id);

CREATE TABLE signing_keys (
    kid TEXT PRIMARY KEY,
    public_key BYTEA NOT NULL,
    sealed_private_key BYTEA NOT NULL,
    created_at BIGINT NOT NULL
);
"#;

const SQLITE: &str = r#"
CREATE TABLE users (
    id BLOB PRIMARY KEY,
    role TEXT NOT NULL,
    status TEXT NOT NULL,
    personal_project BLOB NOT NULL,
    created_at INTEGER NOT NULL,
    version INTEGER NOT NULL,
    position INTEGER NOT NULL
) STRICT;
CREATE INDEX users_admins ON users (role) WHERE role = 'admin';

CREATE TABLE user_profiles (
    user_id BLOB PRIMARY KEY,
    email TEXT NOT NULL,
    email_digest BLOB NOT NULL,
    name TEXT NOT NULL,
    created_at INTEGER NOT NULL
) STRICT;
CREATE INDEX user_profiles_email_digest ON user_profiles (email_digest);

CREATE TABLE credentials (
    user_id BLOB PRIMARY KEY,
    password_hash TEXT NOT NULL,
    changed_at INTEGER NOT NULL
) STRICT;

CREATE TABLE sessions (
    id BLOB PRIMARY KEY,
    user_id BLOB NOT NULL,
    opened_at INTEGER NOT NULL,
    ends_at INTEGER NOT NULL,
    revoked_at INTEGER
) STRICT;
CREATE INDEX sessions_user_id ON sessions (user_id);
CREATE INDEX sessions_ends_at ON sessions (ends_at);

CREATE TABLE refresh_tokens (
    digest BLOB PRIMARY KEY,
    session_id BLOB NOT NULL,
    valid_until INTEGER NOT NULL,
    used_at INTEGER
) STRICT;
CREATE INDEX refresh_tokens_session_id ON refresh_tokens (session_id);

CREATE TABLE signing_keys (
    kid TEXT PRIMARY KEY,
    public_key BLOB NOT NULL,
    sealed_private_key BLOB NOT NULL,
    created_at INTEGER NOT NULL
) STRICT;
"#;
