//! The number of questions of runs, maintained so that it need not be counted.

use sea_orm_migration::sea_orm::DatabaseBackend;

use crate::change::Change;

/// Fills in the totals from the existing rows.
pub(crate) const CHANGE: Change = Change::of(module_path!(), |backend| {
    let all = match backend {
        DatabaseBackend::Postgres => "'00000000-0000-0000-0000-000000000000'::uuid",
        _ => "x'00000000000000000000000000000000'",
    };
    FILL.replace("{all}", all)
});

const FILL: &str = r"
INSERT INTO list_totals SELECT 'approvals', {all}, COUNT(*), MAX(e.position)
    FROM es_events e WHERE e.event_type = 'run.approval_requested' HAVING COUNT(*) > 0;
INSERT INTO list_totals SELECT 'approvals', r.project_id, COUNT(*), MAX(e.position)
    FROM es_events e JOIN es_streams s ON s.stream_no = e.stream_no JOIN runs r ON r.id = s.stream_id
    WHERE e.event_type = 'run.approval_requested' GROUP BY r.project_id;
";
