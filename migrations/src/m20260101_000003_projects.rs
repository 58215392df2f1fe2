//! Projects and their members, derived from the log.

use crate::change::{Change, either};

/// Creates the tables of the projects context.
pub(crate) const CHANGE: Change = Change::of(module_path!(), |backend| either(backend, SQLITE, POSTGRES));

const POSTGRES: &str = r#"
CREATE TABLE projects (
    id UUID PRIMARY KEY,
    name TEXT NOT NULL,
    slug TEXT NOT NULL,
    status TEXT NOT NULL,
    personal_of UUID,
    created_at BIGINT NOT NULL,
    version BIGINT NOT NULL,
    position BIGINT NOT NULL
);
CREATE UNIQUE INDEX projects_personal_of ON projects (personal_of) WHERE personal_of IS NOT NULL;
CREATE INDEX projects_created_at ON projects (created_at, id);

CREATE TABLE project_members (
    project_id UUID NOT NULL,
    user_id UUID NOT NULL,
    role TEXT NOT NULL,
    added_at BIGINT NOT NULL,
    position BIGINT NOT NULL,
    PRIMARY KEY (project_id, user_id)
);
CREATE INDEX project_members_user_id ON project_members (user_id, project_id);
"#;

const SQLITE: &str = r#"
CREATE TABLE projects (
    id BLOB PRIMARY KEY,
    name TEXT NOT NULL,
    slug TEXT NOT NULL,
    status TEXT NOT NULL,
    personal_of BLOB,
    created_at INTEGER NOT NULL,
    version INTEGER NOT NULL,
    position INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX projects_personal_of ON projects (personal_of) WHERE personal_of IS NOT NULL;
CREATE INDEX projects_created_at ON projects (created_at, id);

CREATE TABLE project_members (
    project_id BLOB NOT NULL,
    user_id BLOB NOT NULL,
    role TEXT NOT NULL,
    added_at INTEGER NOT NULL,
    position INTEGER NOT NULL,
    PRIMARY KEY (project_id, user_id)
) STRICT;
CREATE INDEX project_members_user_id ON project_members (user_id, project_id);
"#;
