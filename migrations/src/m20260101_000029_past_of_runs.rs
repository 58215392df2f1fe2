//! The usage and origin of runs that the log already holds.

use crate::change::{Change, either};

/// Fills the columns in one pass through the log. Only rows are locked, and only once everything is summed up: appends
/// to these runs wait only for the write.
pub(crate) const CHANGE: Change = Change::of(module_path!(), |backend| either(backend, SQLITE, POSTGRES));

// `jsonb` cannot hold NUL, but an answer may: the escape is removed from the text before it is parsed, if it is one.
const POSTGRES: &str = r#"
UPDATE runs SET tokens_input = told.input, tokens_output = told.output, tokens_cache_read = told.cache_read,
    tokens_cache_write = told.cache_write, tokens_reasoning = told.reasoning, cost_micros = told.cost,
    retry_of = told.retry_of, forked_from = told.forked_from, fork_step = told.fork_step
FROM (
    SELECT s.stream_id AS run,
        LEAST(SUM(COALESCE((a.data -> 'usage' ->> 'input')::numeric, 0)), 1000000000000000) AS input,
        LEAST(SUM(COALESCE((a.data -> 'usage' ->> 'output')::numeric, 0)), 1000000000000000) AS output,
        LEAST(SUM(COALESCE((a.data -> 'usage' ->> 'cache_read')::numeric, 0)), 1000000000000000) AS cache_read,
        LEAST(SUM(COALESCE((a.data -> 'usage' ->> 'cache_write')::numeric, 0)), 1000000000000000) AS cache_write,
        LEAST(SUM(COALESCE((a.data -> 'usage' ->> 'reasoning')::numeric, 0)), 1000000000000000) AS reasoning,
        CASE WHEN COUNT(a.data ->> 'cost_micros') > 0
            THEN LEAST(SUM((a.data ->> 'cost_micros')::numeric), 1000000000000000) END AS cost,
        (MAX(a.data ->> 'of') FILTER (WHERE a.event_type = 'run.retried'))::uuid AS retry_of,
        (MAX(a.data ->> 'from') FILTER (WHERE a.event_type = 'run.forked'))::uuid AS forked_from,
        MAX(a.data ->> 'step') FILTER (WHERE a.event_type = 'run.forked') AS fork_step
    FROM (
        SELECT e.stream_no, e.event_type, regexp_replace(e.data, '(?<!\\)((\\\\)*)\\u0000', '\1', 'g')::jsonb AS data
        FROM es_events e WHERE e.event_type IN ('run.model_answered', 'run.retried', 'run.forked')
    ) a
    JOIN es_streams s ON s.stream_no = a.stream_no
    GROUP BY 1
) told
WHERE runs.id = told.run;
"#;

const SQLITE: &str = r"
UPDATE runs SET tokens_input = told.input, tokens_output = told.output, tokens_cache_read = told.cache_read,
    tokens_cache_write = told.cache_write, tokens_reasoning = told.reasoning, cost_micros = told.cost,
    retry_of = told.retry_of, forked_from = told.forked_from, fork_step = told.fork_step
FROM (
    SELECT run, MIN(SUM(input), 1000000000000000) AS input, MIN(SUM(output), 1000000000000000) AS output,
        MIN(SUM(cache_read), 1000000000000000) AS cache_read, MIN(SUM(cache_write), 1000000000000000) AS cache_write,
        MIN(SUM(reasoning), 1000000000000000) AS reasoning, MIN(SUM(cost), 1000000000000000) AS cost,
        unhex(MAX(retry_of), '-') AS retry_of, unhex(MAX(forked_from), '-') AS forked_from, MAX(fork_step) AS fork_step
    FROM (
        SELECT s.stream_id AS run,
            MIN(COALESCE(json_extract(e.data, '$.usage.input'), 0), 1000000000000000) AS input,
            MIN(COALESCE(json_extract(e.data, '$.usage.output'), 0), 1000000000000000) AS output,
            MIN(COALESCE(json_extract(e.data, '$.usage.cache_read'), 0), 1000000000000000) AS cache_read,
            MIN(COALESCE(json_extract(e.data, '$.usage.cache_write'), 0), 1000000000000000) AS cache_write,
            MIN(COALESCE(json_extract(e.data, '$.usage.reasoning'), 0), 1000000000000000) AS reasoning,
            MIN(json_extract(e.data, '$.cost_micros'), 1000000000000000) AS cost,
            CASE e.event_type WHEN 'run.retried' THEN json_extract(e.data, '$.of') END AS retry_of,
            CASE e.event_type WHEN 'run.forked' THEN json_extract(e.data, '$.from') END AS forked_from,
            CASE e.event_type WHEN 'run.forked' THEN json_extract(e.data, '$.step') END AS fork_step
        FROM es_events e JOIN es_streams s ON s.stream_no = e.stream_no
        WHERE e.event_type IN ('run.model_answered', 'run.retried', 'run.forked')
    )
    GROUP BY run
) AS told
WHERE runs.id = told.run;
";
