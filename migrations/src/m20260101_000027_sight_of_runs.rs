//! The usage and the origin of runs, beside their state.

use crate::change::{Change, either};

/// Adds the columns, which later changes fill and index. It locks the table exclusively, so it does nothing slow, and
/// does everything else that needs that lock: it drops the index to be replaced.
pub(crate) const CHANGE: Change = Change::of(module_path!(), |backend| either(backend, SQLITE, POSTGRES));

const POSTGRES: &str = r"
ALTER TABLE runs
    ADD COLUMN tokens_input BIGINT NOT NULL DEFAULT 0,
    ADD COLUMN tokens_output BIGINT NOT NULL DEFAULT 0,
    ADD COLUMN tokens_cache_read BIGINT NOT NULL DEFAULT 0,
    ADD COLUMN tokens_cache_write BIGINT NOT NULL DEFAULT 0,
    ADD COLUMN tokens_reasoning BIGINT NOT NULL DEFAULT 0,
    ADD COLUMN cost_micros BIGINT,
    ADD COLUMN retry_of UUID,
    ADD COLUMN forked_from UUID,
    ADD COLUMN fork_step TEXT;
DROP INDEX runs_by_deadline;
";

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
DROP INDEX runs_by_deadline;
";
