//! Indexes of runs that have to end, and of children, retries and forks.

use crate::change::Change;

/// Adds the indexes. Writers of runs wait until they are built; readers do not.
pub(crate) const CHANGE: Change = Change::of(module_path!(), |_| INDEXES.to_owned());

const INDEXES: &str = r"
CREATE INDEX runs_overdue ON runs (deadline, id) WHERE ready_at IS NOT NULL;
CREATE INDEX runs_stopping ON runs (created_at, id) WHERE status = 'cancelling';
CREATE INDEX runs_of_parent ON runs (parent_run_id, created_at, id) WHERE parent_run_id IS NOT NULL;
CREATE INDEX runs_retrying ON runs (retry_of, created_at, id) WHERE retry_of IS NOT NULL;
CREATE INDEX runs_forked ON runs (forked_from, created_at, id) WHERE forked_from IS NOT NULL;
";
