//! Invitations to open an account, by digest.

use crate::change::{Change, either};

/// Creates the table of invitations.
pub(crate) const CHANGE: Change = Change::of(module_path!(), |backend| either(backend, SQLITE, POSTGRES));

const POSTGRES: &str = r#"
CREATE TABLE invitations (
    digest BYTEA PRIMARY KEY,
    expires_at BIGINT NOT NULL
);
"#;

const SQLITE: &str = r#"
CREATE TABLE invitations (
    digest BLOB PRIMARY KEY,
    expires_at INTEGER NOT NULL
) STRICT;
"#;
