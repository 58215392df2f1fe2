//! What a run used and where it comes from, beside where it stands; and indexes of what has to end, of children, retries and
//! forks.

use sea_orm_migration::prelude::*;

use crate::run_script;

/// Adds the columns, fills them from what the log holds already, and adds the indexes.
#[derive(Debug, DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        run_script(manager, SQLITE, POSTGRES).await?;
        manager.get_connection().execute_unprepared(INDEXES).await.map(|_| ())
    }

    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }
}

const INDEXES: &str = r"
DROP INDEX runs_by_deadline;
CREATE INDEX runs_overdue ON runs (deadline, id) WHERE ready_at IS NOT NULL;
CREATE INDEX runs_stopping ON runs (created_at, id) WHERE status = 'cancelling';
CREATE INDEX runs_of_parent ON runs (parent_run_id, created_at, id) WHERE parent_run_id IS NOT NULL;
CREATE INDEX runs_retrying ON runs (retry_of, created_at, id) WHERE retry_of IS NOT NULL;
CREATE INDEX runs_forked ON runs (forked_from, created_at, id) WHERE forked_from IS NOT NULL;
";

// An answer may hold NUL, which `jsonb` does not: the escape is taken out of the text before it is read, where it is one.
const POSTGRES: &str = r#"
ALTER TABLE runs ADD COLUMN tokens_input BIGINT NOT NULL DEFAULT 0;
ALTER TABLE runs ADD COLUMN tokens_output BIGINT NOT NULL DEFAULT 0;
ALTER TABLE runs ADD COLUMN tokens_cache_read BIGINT NOT NULL DEFAULT 0;
ALTER TABLE runs ADD COLUMN tokens_cache_write BIGINT NOT NULL DEFAULT 0;
ALTER TABLE runs ADD COLUMN tokens_reasoning BIGINT NOT NULL DEFAULT 0;
ALTER TABLE runs ADD COLUMN cost_micros BIGINT;
ALTER TABLE runs ADD COLUMN retry_of UUID;
ALTER TABLE runs ADD COLUMN forked_from UUID;
ALTER TABLE runs ADD COLUMN fork_step TEXT;

UPDATE runs SET tokens_input = used.input, tokens_output = used.output, tokens_cache_read = used.cache_read,
    tokens_cache_write = used.cache_write, tokens_reasoning = used.reasoning, cost_micros = used.cost
FROM (
    SELECT s.stream_id AS run,
        LEAST(SUM(COALESCE((a.data -> 'usage' ->> 'input')::numeric, 0)), 1000000000000000) AS input,
        LEAST(SUM(COALESCE((a.data -> 'usage' ->> 'output')::numeric, 0)), 1000000000000000) AS output,
        LEAST(SUM(COALESCE((a.data -> 'usage' ->> 'cache_read')::numeric, 0)), 1000000000000000) AS cache_read,
        LEAST(SUM(COALESCE((a.data -> 'usage' ->> 'cache_write')::numeric, 0)), 1000000000000000) AS cache_write,
        LEAST(SUM(COALESCE((a.data -> 'usage' ->> 'reasoning')::numeric, 0)), 1000000000000000) AS reasoning,
        CASE WHEN COUNT(a.data ->> 'cost_micros') > 0
            THEN LEAST(SUM((a.data ->> 'cost_micros')::numeric), 1000000000000000) END AS cost
    FROM (
        SELECT e.stream_no, regexp_replace(e.data, '(?<!\\)((\\\\)*)\\u0000', '\1', 'g')::jsonb AS data
        FROM es_events e WHERE e.event_type = 'run.model_answered'
    ) a
    JOIN es_streams s ON s.stream_no = a.stream_no
    GROUP BY 1
) used
WHERE runs.id = used.run;

UPDATE runs SET retry_of = (e.data::jsonb ->> 'of')::uuid
FROM es_events e JOIN es_streams s ON s.stream_no = e.stream_no
WHERE e.event_type = 'run.retried' AND s.stream_id = runs.id;

UPDATE runs SET forked_from = (e.data::jsonb ->> 'from')::uuid, fork_step = e.data::jsonb ->> 'step'
FROM es_events e JOIN es_streams s ON s.stream_no = e.stream_no
WHERE e.event_type = 'run.forked' AND s.stream_id = runs.id;
"#;

const SQLITE: &str = r"
ALTER TABLE runs ADD COLUMN tokens_input INTEGER NOT NULL DEFAULT 0;
ALTER TABLE runs ADD COLUMN tokens_output INTEGER NOT NULL DEFAULT 0;
ALTER TABLE runs ADD COLUMN tokens_cache_read INTEGER NOT NULL DEFAULT 0;
ALTER TABLE runs ADD COLUMN tokens_cache_write INTEGER NOT NULL DEFAULT 0;
ALTER TABLE runs ADD COLUMN tokens_reasoning INTEGER NOT NULL DEFAULT 0;
ALTER TABLE runs ADD COLUMN cost_micros INTEGER;
ALTER TABLE runs ADD COLUMN retry_of BLOB;
ALTER TABLE runs ADD COLUMN forked_from BLOB;
ALTER TABLE runs ADD COLUMN fork_step TEXT;

UPDATE runs SET tokens_input = used.input, tokens_output = used.output, tokens_cache_read = used.cache_read,
    tokens_cache_write = used.cache_write, tokens_reasoning = used.reasoning, cost_micros = used.cost
FROM (
    SELECT run, MIN(SUM(input), 1000000000000000) AS input, MIN(SUM(output), 1000000000000000) AS output,
        MIN(SUM(cache_read), 1000000000000000) AS cache_read, MIN(SUM(cache_write), 1000000000000000) AS cache_write,
        MIN(SUM(reasoning), 1000000000000000) AS reasoning, MIN(SUM(cost), 1000000000000000) AS cost
    FROM (
        SELECT s.stream_id AS run,
            MIN(COALESCE(json_extract(e.data, '$.usage.input'), 0), 1000000000000000) AS input,
            MIN(COALESCE(json_extract(e.data, '$.usage.output'), 0), 1000000000000000) AS output,
            MIN(COALESCE(json_extract(e.data, '$.usage.cache_read'), 0), 1000000000000000) AS cache_read,
            MIN(COALESCE(json_extract(e.data, '$.usage.cache_write'), 0), 1000000000000000) AS cache_write,
            MIN(COALESCE(json_extract(e.data, '$.usage.reasoning'), 0), 1000000000000000) AS reasoning,
            MIN(json_extract(e.data, '$.cost_micros'), 1000000000000000) AS cost
        FROM es_events e JOIN es_streams s ON s.stream_no = e.stream_no
        WHERE e.event_type = 'run.model_answered'
    )
    GROUP BY run
) AS used
WHERE runs.id = used.run;

UPDATE runs SET retry_of = unhex(json_extract(e.data, '$.of'), '-')
FROM es_events e JOIN es_streams s ON s.stream_no = e.stream_no
WHERE e.event_type = 'run.retried' AND s.stream_id = runs.id;

UPDATE runs SET forked_from = unhex(json_extract(e.data, '$.from'), '-'), fork_step = json_extract(e.data, '$.step')
FROM es_events e JOIN es_streams s ON s.stream_no = e.stream_no
WHERE e.event_type = 'run.forked' AND s.stream_id = runs.id;
";
