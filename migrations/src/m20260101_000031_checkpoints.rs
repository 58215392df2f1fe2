//! Detection of a rewound log, and of failures that delay a subscription.

use crate::change::{Change, either};

/// Adds the columns. Of older checkpoints only the position is known.
pub(crate) const CHANGE: Change = Change::of(module_path!(), |backend| either(backend, SQLITE, POSTGRES));

// The first bytes of a hash distinguish events at the same position.
const POSTGRES: &str = r"
ALTER TABLE es_subscriptions ADD COLUMN hash BYTEA, ADD COLUMN delayed_at BIGINT, ADD COLUMN delay TEXT;
";

const SQLITE: &str = r"
ALTER TABLE es_subscriptions ADD COLUMN hash BLOB;
ALTER TABLE es_subscriptions ADD COLUMN delayed_at INTEGER;
ALTER TABLE es_subscriptions ADD COLUMN delay TEXT;
";
