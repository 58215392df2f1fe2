//! The lengths of lists, maintained so that they need not be counted.

use sea_orm_migration::sea_orm::DatabaseBackend;

use crate::change::Change;

/// Creates the table and fills it from the existing rows.
pub(crate) const CHANGE: Change = Change::of(module_path!(), |backend| {
    let (table, nobody, person) = match backend {
        DatabaseBackend::Postgres => (POSTGRES, "'00000000-0000-0000-0000-000000000000'::uuid", PERSON_ON_POSTGRES),
        _ => (SQLITE, "x'00000000000000000000000000000000'", PERSON_ON_SQLITE),
    };
    table.to_owned() + &FILL.replace("{all}", nobody).replace("{person}", person)
});

const POSTGRES: &str = r"
CREATE TABLE list_totals (
    list TEXT NOT NULL,
    of_id UUID NOT NULL,
    total BIGINT NOT NULL,
    position BIGINT NOT NULL,
    PRIMARY KEY (list, of_id)
) WITH (fillfactor = 50);
";

const SQLITE: &str = r"
CREATE TABLE list_totals (
    list TEXT NOT NULL,
    of_id BLOB NOT NULL,
    total INTEGER NOT NULL,
    position INTEGER NOT NULL,
    PRIMARY KEY (list, of_id)
) STRICT, WITHOUT ROWID;
";

const PERSON_ON_POSTGRES: &str = "COALESCE(e.data::jsonb ->> 'owner', e.data::jsonb ->> 'user')::uuid";
const PERSON_ON_SQLITE: &str =
    "unhex(replace(COALESCE(json_extract(e.data, '$.owner'), json_extract(e.data, '$.user')), '-', ''))";

// A stream's number is the position of its first event.
const FILL: &str = r"
INSERT INTO list_totals SELECT 'users', {all}, COUNT(*), MAX(s.stream_no)
    FROM es_streams s WHERE s.category = 'user' HAVING COUNT(*) > 0;
INSERT INTO list_totals SELECT 'projects', {all}, COUNT(*), MAX(s.stream_no)
    FROM es_streams s WHERE s.category = 'project' HAVING COUNT(*) > 0;
INSERT INTO list_totals
    SELECT 'projects', {person}, SUM(CASE e.event_type WHEN 'project.member_removed' THEN -1 ELSE 1 END), MAX(e.position)
    FROM es_events e WHERE e.event_type IN ('project.created', 'project.member_added', 'project.member_removed')
    GROUP BY {person};
INSERT INTO list_totals
    SELECT 'members', s.stream_id, SUM(CASE e.event_type WHEN 'project.member_removed' THEN -1 ELSE 1 END), MAX(e.position)
    FROM es_events e JOIN es_streams s ON s.stream_no = e.stream_no
    WHERE e.event_type IN ('project.created', 'project.member_added', 'project.member_removed')
    GROUP BY s.stream_id;
INSERT INTO list_totals SELECT 'api_keys', k.project_id, COUNT(*), MAX(s.stream_no)
    FROM api_keys k JOIN es_streams s ON s.stream_id = k.id AND s.category = 'api_key' GROUP BY k.project_id;
INSERT INTO list_totals SELECT 'agents', {all}, COUNT(*), MAX(s.stream_no)
    FROM es_streams s WHERE s.category = 'agent' HAVING COUNT(*) > 0;
INSERT INTO list_totals SELECT 'agents', a.project_id, COUNT(*), MAX(s.stream_no)
    FROM agents a JOIN es_streams s ON s.stream_id = a.id AND s.category = 'agent' GROUP BY a.project_id;
INSERT INTO list_totals SELECT 'versions', v.agent_id, COUNT(*), MAX(v.position)
    FROM agent_versions v GROUP BY v.agent_id;
INSERT INTO list_totals SELECT 'runs', {all}, COUNT(*), MAX(s.stream_no)
    FROM es_streams s WHERE s.category = 'run' HAVING COUNT(*) > 0;
INSERT INTO list_totals SELECT 'runs', r.project_id, COUNT(*), MAX(s.stream_no)
    FROM runs r JOIN es_streams s ON s.stream_id = r.id AND s.category = 'run' GROUP BY r.project_id;
";
