//! The number of counted answers that did not report their usage.

use crate::change::{Change, either};

/// Adds the count and fills it from the log.
pub(crate) const CHANGE: Change = Change::of(module_path!(), |backend| either(backend, SQLITE, POSTGRES));

// The `LIKE` only narrows the events down: within a JSON string the quotes are escaped, and a nested member of that
// name is not at the top level.
//
// `jsonb` cannot hold NUL, but an answer may: the escape is removed from the text before it is parsed, if it is one.
const POSTGRES: &str = r#"
ALTER TABLE model_usage ADD COLUMN estimated_calls BIGINT NOT NULL DEFAULT 0;

UPDATE model_usage SET estimated_calls = counted.calls
FROM (
    SELECT r.project_id, (a.recorded_at / 86400000000)::int AS day, left(a.data ->> 'answered_by', 256) AS model, r.agent_id,
        COUNT(*) AS calls
    FROM (
        SELECT e.stream_no, e.recorded_at, regexp_replace(e.data, '(?<!\\)((\\\\)*)\\u0000', '\1', 'g')::jsonb AS data
        FROM es_events e WHERE e.event_type = 'run.model_answered' AND e.data LIKE '%"estimated":true%'
    ) a
    JOIN es_streams s ON s.stream_no = a.stream_no
    JOIN runs r ON r.id = s.stream_id
    WHERE a.data ->> 'estimated' = 'true'
    GROUP BY 1, 2, 3, 4
) counted
WHERE model_usage.project_id = counted.project_id AND model_usage.day = counted.day AND model_usage.model = counted.model
    AND model_usage.agent_id = counted.agent_id;
"#;

const SQLITE: &str = r#"
ALTER TABLE model_usage ADD COLUMN estimated_calls INTEGER NOT NULL DEFAULT 0;

UPDATE model_usage SET estimated_calls = counted.calls
FROM (
    SELECT r.project_id, e.recorded_at / 86400000000 AS day,
        substr(json_extract(e.data, '$.answered_by'), 1, 256) AS model, r.agent_id, COUNT(*) AS calls
    FROM es_events e
    JOIN es_streams s ON s.stream_no = e.stream_no
    JOIN runs r ON r.id = s.stream_id
    WHERE e.event_type = 'run.model_answered' AND e.data LIKE '%"estimated":true%'
        AND json_extract(e.data, '$.estimated')
    GROUP BY r.project_id, 2, 3, r.agent_id
) AS counted
WHERE model_usage.project_id = counted.project_id AND model_usage.day = counted.day AND model_usage.model = counted.model
    AND model_usage.agent_id = counted.agent_id;
"#;
