//! Events that subscriptions have quarantined to retry them later.

use crate::change::{Change, either};

/// Creates the table of quarantined events.
pub(crate) const CHANGE: Change = Change::of(module_path!(), |backend| either(backend, SQLITE, POSTGRES));

const POSTGRES: &str = r#"
CREATE TABLE es_set_aside (
    name TEXT NOT NULL,
    position BIGINT NOT NULL,
    failures BIGINT NOT NULL,
    failure TEXT NOT NULL,
    due_at BIGINT NOT NULL,
    PRIMARY KEY (name, position)
);
"#;

const SQLITE: &str = r#"
CREATE TABLE es_set_aside (
    name TEXT NOT NULL,
    position INTEGER NOT NULL,
    failures INTEGER NOT NULL,
    failure TEXT NOT NULL,
    due_at INTEGER NOT NULL,
    PRIMARY KEY (name, position)
) STRICT;
"#;
