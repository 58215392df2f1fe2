//! Indexes in the orders in which runs are claimed, time out and are listed by state.

use crate::change::Change;

/// Adds the indexes.
pub(crate) const CHANGE: Change = Change::of(module_path!(), |_| INDEXES.to_owned());

// A run that has ended is never ready: the first two only hold open runs.
const INDEXES: &str = r"
CREATE INDEX runs_in_turn ON runs (project_id, priority, ready_at, id) WHERE ready_at IS NOT NULL;
CREATE INDEX runs_by_deadline ON runs (project_id, deadline) WHERE ready_at IS NOT NULL;
CREATE INDEX runs_by_status ON runs (project_id, status, created_at, id);
";
