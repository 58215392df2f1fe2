//! Password changes that the log does not hold yet.

use crate::change::{Change, either};

/// Adds the column. Older changes count as recorded.
pub(crate) const CHANGE: Change = Change::of(module_path!(), |backend| either(backend, SQLITE, POSTGRES));

const POSTGRES: &str = r"
ALTER TABLE credentials ADD COLUMN unrecorded_since BIGINT;
";

const SQLITE: &str = r"
ALTER TABLE credentials ADD COLUMN unrecorded_since INTEGER;
";
