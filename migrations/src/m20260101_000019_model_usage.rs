//! The usage of models, by project, day, model and agent.

use crate::change::{Change, either};

/// Creates the table and fills it from the log.
pub(crate) const CHANGE: Change = Change::of(module_path!(), |backend| either(backend, SQLITE, POSTGRES));

// Sums are capped at 10^15, as in the projection. `day` counts from 1970-01-01.
//
// `jsonb` cannot hold NUL, but an answer may: the escape is removed from the text before it is parsed, if it is one.
const POSTGRES: &str = r#"
CREATE TABLE model_usage (
    project_id UUID NOT NULL,
    day INTEGER NOT NULL,
    model TEXT COLLATE "C" NOT NULL,
    agent_id UUID NOT NULL,
    calls BIGINT NOT NULL,
    unpriced_calls BIGINT NOT NULL,
    input BIGINT NOT NULL,
    output BIGINT NOT NULL,
    cache_read BIGINT NOT NULL,
    cache_write BIGINT NOT NULL,
    reasoning BIGINT NOT NULL,
    cost_micros BIGINT NOT NULL,
    position BIGINT NOT NULL,
    PRIMARY KEY (project_id, day, model, agent_id)
) WITH (fillfactor = 50);

INSERT INTO model_usage (project_id, day, model, agent_id, calls, unpriced_calls, input, output, cache_read, cache_write,
    reasoning, cost_micros, position)
SELECT r.project_id, (a.recorded_at / 86400000000)::int, left(a.data ->> 'answered_by', 256), r.agent_id,
    COUNT(*), SUM(CASE WHEN a.data ->> 'cost_micros' IS NULL THEN 1 ELSE 0 END),
    LEAST(SUM(COALESCE((a.data -> 'usage' ->> 'input')::numeric, 0)), 1000000000000000),
    LEAST(SUM(COALESCE((a.data -> 'usage' ->> 'output')::numeric, 0)), 1000000000000000),
    LEAST(SUM(COALESCE((a.data -> 'usage' ->> 'cache_read')::numeric, 0)), 1000000000000000),
    LEAST(SUM(COALESCE((a.data -> 'usage' ->> 'cache_write')::numeric, 0)), 1000000000000000),
    LEAST(SUM(COALESCE((a.data -> 'usage' ->> 'reasoning')::numeric, 0)), 1000000000000000),
    LEAST(SUM(COALESCE((a.data ->> 'cost_micros')::numeric, 0)), 1000000000000000),
    MAX(a.position)
FROM (
    SELECT e.stream_no, e.recorded_at, e.position,
        regexp_replace(e.data, '(?<!\\)((\\\\)*)\\u0000', '\1', 'g')::jsonb AS data
    FROM es_events e WHERE e.event_type = 'run.model_answered'
) a
JOIN es_streams s ON s.stream_no = a.stream_no
JOIN runs r ON r.id = s.stream_id
GROUP BY 1, 2, 3, 4;
"#;

const SQLITE: &str = r"
CREATE TABLE model_usage (
    project_id BLOB NOT NULL,
    day INTEGER NOT NULL,
    model TEXT NOT NULL,
    agent_id BLOB NOT NULL,
    calls INTEGER NOT NULL,
    unpriced_calls INTEGER NOT NULL,
    input INTEGER NOT NULL,
    output INTEGER NOT NULL,
    cache_read INTEGER NOT NULL,
    cache_write INTEGER NOT NULL,
    reasoning INTEGER NOT NULL,
    cost_micros INTEGER NOT NULL,
    position INTEGER NOT NULL,
    PRIMARY KEY (project_id, day, model, agent_id)
) STRICT, WITHOUT ROWID;

INSERT INTO model_usage (project_id, day, model, agent_id, calls, unpriced_calls, input, output, cache_read, cache_write,
    reasoning, cost_micros, position)
SELECT project_id, day, model, agent_id, COUNT(*), SUM(unpriced),
    MIN(SUM(input), 1000000000000000), MIN(SUM(output), 1000000000000000), MIN(SUM(cache_read), 1000000000000000),
    MIN(SUM(cache_write), 1000000000000000), MIN(SUM(reasoning), 1000000000000000),
    MIN(SUM(cost_micros), 1000000000000000), MAX(position)
FROM (
    SELECT r.project_id, e.recorded_at / 86400000000 AS day,
        substr(json_extract(e.data, '$.answered_by'), 1, 256) AS model, r.agent_id,
        json_extract(e.data, '$.cost_micros') IS NULL AS unpriced,
        MIN(COALESCE(json_extract(e.data, '$.usage.input'), 0), 1000000000000000) AS input,
        MIN(COALESCE(json_extract(e.data, '$.usage.output'), 0), 1000000000000000) AS output,
        MIN(COALESCE(json_extract(e.data, '$.usage.cache_read'), 0), 1000000000000000) AS cache_read,
        MIN(COALESCE(json_extract(e.data, '$.usage.cache_write'), 0), 1000000000000000) AS cache_write,
        MIN(COALESCE(json_extract(e.data, '$.usage.reasoning'), 0), 1000000000000000) AS reasoning,
        MIN(COALESCE(json_extract(e.data, '$.cost_micros'), 0), 1000000000000000) AS cost_micros,
        e.position
    FROM es_events e
    JOIN es_streams s ON s.stream_no = e.stream_no
    JOIN runs r ON r.id = s.stream_id
    WHERE e.event_type = 'run.model_answered'
)
GROUP BY project_id, day, model, agent_id;
";
