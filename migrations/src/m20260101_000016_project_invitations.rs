//! Project invitations: the projection, and the recipients beside the log.

use crate::change::{Change, either};

/// Creates the tables of project invitations.
pub(crate) const CHANGE: Change = Change::of(module_path!(), |backend| either(backend, SQLITE, POSTGRES));

const POSTGRES: &str = r"
CREATE TABLE project_invitations (
    id UUID PRIMARY KEY,
    project_id UUID NOT NULL,
    role TEXT NOT NULL,
    status TEXT NOT NULL,
    invited_by TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    position BIGINT NOT NULL
);
CREATE INDEX project_invitations_of_project ON project_invitations (project_id, status, expires_at);

CREATE TABLE invitation_addressees (
    invitation_id UUID PRIMARY KEY,
    email TEXT NOT NULL,
    token_digest BYTEA NOT NULL,
    created_at BIGINT NOT NULL
);
CREATE INDEX invitation_addressees_of_email ON invitation_addressees (email, created_at);
CREATE INDEX invitation_addressees_by_age ON invitation_addressees (created_at);
";

const SQLITE: &str = r"
CREATE TABLE project_invitations (
    id BLOB PRIMARY KEY,
    project_id BLOB NOT NULL,
    role TEXT NOT NULL,
    status TEXT NOT NULL,
    invited_by TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    position INTEGER NOT NULL
) STRICT;
CREATE INDEX project_invitations_of_project ON project_invitations (project_id, status, expires_at);

CREATE TABLE invitation_addressees (
    invitation_id BLOB PRIMARY KEY,
    email TEXT NOT NULL,
    token_digest BLOB NOT NULL,
    created_at INTEGER NOT NULL
) STRICT;
CREATE INDEX invitation_addressees_of_email ON invitation_addressees (email, created_at);
CREATE INDEX invitation_addressees_by_age ON invitation_addressees (created_at);
";
