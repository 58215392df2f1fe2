//! What tells whether the log still holds what a subscription dealt with, and what it is held up by.

use crate::change::{Change, either};

/// Adds the columns. Of checkpoints from before nothing is known but their place.
pub(crate) const CHANGE: Change = Change::of(module_path!(), |backend| either(backend, SQLITE, POSTGRES));

// The first bytes of a hash tell two events at one place apart.
const POSTGRES: &str = r"
ALTER TABLE es_subscriptions ADD COLUMN hash BYTEA, ADD COLUMN delayed_at BIGINT, ADD COLUMN delay TEXT;
";

const SQLITE: &str = r"
ALTER TABLE es_subscriptions ADD COLUMN hash BLOB;
ALTER TABLE es_subscriptions ADD COLUMN delayed_at INTEGER;
ALTER TABLE es_subscriptions ADD COLUMN delay TEXT;
";
