//! Indexes by which the audit trail of a kind or an actor continues from any key at the same cost.

use crate::change::Change;

/// Adds the indexes.
pub(crate) const CHANGE: Change = Change::of(module_path!(), |_| INDEXES.to_owned());

const INDEXES: &str = r"
CREATE INDEX audit_facts_kind ON audit_facts (kind, happened_at, id);
CREATE INDEX audit_facts_actor ON audit_facts (actor, happened_at, id);
CREATE INDEX audit_facts_project_kind ON audit_facts (project_id, kind, happened_at, id);
CREATE INDEX audit_facts_project_actor ON audit_facts (project_id, actor, happened_at, id);
CREATE INDEX security_records_kind ON security_records (kind, happened_at, id);
CREATE INDEX security_records_actor ON security_records (actor, happened_at, id);
CREATE INDEX security_records_project_kind ON security_records (project_id, kind, happened_at, id);
CREATE INDEX security_records_project_actor ON security_records (project_id, actor, happened_at, id);
";
