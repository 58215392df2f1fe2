//! Approvals of calls: the call, its replacement arguments, and when the question counts as denied.

use crate::change::{Change, either};

/// Adds the columns for questions about calls.
pub(crate) const CHANGE: Change = Change::of(module_path!(), |backend| either(backend, SQLITE, POSTGRES));

const POSTGRES: &str = "
ALTER TABLE run_approvals ADD COLUMN call TEXT;
ALTER TABLE run_approvals ADD COLUMN edit TEXT;
ALTER TABLE run_approvals ADD COLUMN expires_at BIGINT;
";

const SQLITE: &str = "
ALTER TABLE run_approvals ADD COLUMN call TEXT;
ALTER TABLE run_approvals ADD COLUMN edit TEXT;
ALTER TABLE run_approvals ADD COLUMN expires_at INTEGER;
";
