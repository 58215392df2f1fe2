//! Sign-in: the live refresh token of a session, when signing keys become active, and counters of attempts.

use sea_orm_migration::sea_orm::DatabaseBackend;

use crate::change::Change;

/// Adds the data of token refresh, key rotation and throttling.
pub(crate) const CHANGE: Change = Change::of(module_path!(), |backend| {
    let (bytes, integer, end) = match backend {
        DatabaseBackend::Postgres => ("BYTEA", "BIGINT", ""),
        _ => ("BLOB", "INTEGER", " STRICT"),
    };
    SCRIPT.replace("BYTES", bytes).replace("NUMBER", integer).replace("END_OF_TABLE", end)
});

/// The live token of an active session is the unused one.
const SCRIPT: &str = "
ALTER TABLE sessions ADD COLUMN current_token BYTES;
ALTER TABLE sessions ADD COLUMN previous_token BYTES;
ALTER TABLE sessions ADD COLUMN last_used_at NUMBER NOT NULL DEFAULT 0;
UPDATE sessions SET
    last_used_at = opened_at,
    current_token = (
        SELECT digest FROM refresh_tokens WHERE session_id = sessions.id AND used_at IS NULL
        ORDER BY valid_until DESC LIMIT 1
    );
ALTER TABLE refresh_tokens DROP COLUMN used_at;

ALTER TABLE signing_keys ADD COLUMN signs_from NUMBER NOT NULL DEFAULT 0;
UPDATE signing_keys SET signs_from = created_at;

CREATE TABLE sign_in_allowances (
    allowance BYTES PRIMARY KEY,
    used NUMBER NOT NULL,
    ends_at NUMBER NOT NULL
)END_OF_TABLE;
CREATE INDEX sign_in_allowances_ends_at ON sign_in_allowances (ends_at);

CREATE TABLE known_sources (
    source BYTES PRIMARY KEY,
    seen_at NUMBER NOT NULL
)END_OF_TABLE;
CREATE INDEX known_sources_seen_at ON known_sources (seen_at);
";
