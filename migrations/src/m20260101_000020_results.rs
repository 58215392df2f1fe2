//! Results that are too large for events: their texts, stored beside the log, and the runs that refer to them.

use crate::change::{Change, either};

/// Creates the tables of results.
pub(crate) const CHANGE: Change = Change::of(module_path!(), |backend| either(backend, SQLITE, POSTGRES));

const POSTGRES: &str = r#"
CREATE TABLE results (
    project_id UUID NOT NULL,
    hash TEXT NOT NULL,
    content BYTEA NOT NULL,
    kept_at BIGINT NOT NULL,
    PRIMARY KEY (project_id, hash)
);
CREATE INDEX results_by_age ON results (kept_at, project_id, hash);

CREATE TABLE run_results (
    run_id UUID NOT NULL,
    hash TEXT NOT NULL,
    project_id UUID NOT NULL,
    position BIGINT NOT NULL,
    PRIMARY KEY (run_id, hash)
);
CREATE INDEX run_results_referred ON run_results (project_id, hash);
"#;

const SQLITE: &str = r#"
CREATE TABLE results (
    project_id BLOB NOT NULL,
    hash TEXT NOT NULL,
    content BLOB NOT NULL,
    kept_at INTEGER NOT NULL,
    PRIMARY KEY (project_id, hash)
) STRICT;
CREATE INDEX results_by_age ON results (kept_at, project_id, hash);

CREATE TABLE run_results (
    run_id BLOB NOT NULL,
    hash TEXT NOT NULL,
    project_id BLOB NOT NULL,
    position INTEGER NOT NULL,
    PRIMARY KEY (run_id, hash)
) STRICT;
CREATE INDEX run_results_referred ON run_results (project_id, hash);
"#;
