//! What a run used and where it comes from, beside where it stands.

use crate::change::{Change, either};

/// Adds the columns, which the next changes fill and put indexes on. It takes the table for itself, so it does nothing that takes
/// long, and what else needs that is done here: an index that is replaced goes.
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
