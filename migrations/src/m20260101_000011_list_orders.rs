//! Sort keys of lists and indexes on them, so that a list continues from any key at the same cost.

use crate::change::{Change, either};

/// Adds the sort key of projects and the indexes.
pub(crate) const CHANGE: Change = Change::of(module_path!(), |backend| either(backend, SQLITE, POSTGRES) + INDEXES);

const POSTGRES: &str = r#"
ALTER TABLE projects ADD COLUMN name_key TEXT NOT NULL DEFAULT '' COLLATE "C";
UPDATE projects SET name_key = lower(name);
"#;

// The database lowers only A to Z here; a rebuild of the projection lowers the rest.
const SQLITE: &str = r"
ALTER TABLE projects ADD COLUMN name_key TEXT NOT NULL DEFAULT '';
UPDATE projects SET name_key = lower(name);
";

const INDEXES: &str = r"
CREATE INDEX projects_by_name ON projects (name_key, id);
CREATE INDEX users_by_age ON users (created_at, id);
CREATE INDEX project_members_by_age ON project_members (project_id, added_at, user_id);
CREATE INDEX agents_by_change ON agents (project_id, updated_at, id);
CREATE INDEX agents_all_by_age ON agents (created_at, id);
CREATE INDEX agents_all_by_change ON agents (updated_at, id);
CREATE INDEX agents_all_by_name ON agents (name_key, id);
DROP INDEX api_keys_project_id;
CREATE INDEX api_keys_by_age ON api_keys (project_id, created_at, id);
CREATE INDEX runs_all_by_age ON runs (created_at, id);
CREATE INDEX run_approvals_all_by_age ON run_approvals (requested_at, id);
CREATE INDEX run_approvals_of_project ON run_approvals (project_id, requested_at, id);
CREATE INDEX run_approvals_of_run_by_age ON run_approvals (run_id, requested_at, id);
";
