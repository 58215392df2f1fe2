//! Runs, their questions, and the leases of workers.

use crate::change::{Change, either};

/// Creates the tables of the runs context.
pub(crate) const CHANGE: Change = Change::of(module_path!(), |backend| either(backend, SQLITE, POSTGRES));

// `run_leases` is operational state: nothing is derived from it, and it is not a projection.
const POSTGRES: &str = r"
CREATE TABLE runs (
    id UUID PRIMARY KEY,
    project_id UUID NOT NULL,
    agent_id UUID NOT NULL,
    agent_version INTEGER NOT NULL,
    status TEXT NOT NULL,
    waiting_for TEXT NOT NULL,
    priority SMALLINT NOT NULL,
    error TEXT,
    parent_run_id UUID,
    requested_by TEXT NOT NULL,
    deadline BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    started_at BIGINT,
    ended_at BIGINT,
    fence BIGINT NOT NULL,
    ready_at BIGINT,
    version BIGINT NOT NULL,
    position BIGINT NOT NULL
) WITH (fillfactor = 80);
CREATE INDEX runs_by_age ON runs (project_id, created_at, id);
CREATE INDEX runs_of_agent ON runs (agent_id, created_at, id);
CREATE INDEX runs_ready ON runs (ready_at) WHERE ready_at IS NOT NULL;

CREATE TABLE run_approvals (
    id UUID PRIMARY KEY,
    run_id UUID NOT NULL,
    project_id UUID NOT NULL,
    step TEXT NOT NULL,
    element INTEGER,
    prompt TEXT NOT NULL,
    data TEXT NOT NULL,
    status TEXT NOT NULL,
    requested_at BIGINT NOT NULL,
    decided_at BIGINT,
    decided_by TEXT,
    reason TEXT,
    position BIGINT NOT NULL
);
CREATE INDEX run_approvals_of_run ON run_approvals (run_id, status);
CREATE INDEX run_approvals_by_age ON run_approvals (project_id, status, requested_at, id);

CREATE TABLE run_leases (
    run_id UUID PRIMARY KEY,
    owner TEXT NOT NULL,
    fence BIGINT NOT NULL,
    lease_until BIGINT NOT NULL
) WITH (fillfactor = 50);
";

const SQLITE: &str = r"
CREATE TABLE runs (
    id BLOB PRIMARY KEY,
    project_id BLOB NOT NULL,
    agent_id BLOB NOT NULL,
    agent_version INTEGER NOT NULL,
    status TEXT NOT NULL,
    waiting_for TEXT NOT NULL,
    priority INTEGER NOT NULL,
    error TEXT,
    parent_run_id BLOB,
    requested_by TEXT NOT NULL,
    deadline INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    started_at INTEGER,
    ended_at INTEGER,
    fence INTEGER NOT NULL,
    ready_at INTEGER,
    version INTEGER NOT NULL,
    position INTEGER NOT NULL
) STRICT;
CREATE INDEX runs_by_age ON runs (project_id, created_at, id);
CREATE INDEX runs_of_agent ON runs (agent_id, created_at, id);
CREATE INDEX runs_ready ON runs (ready_at) WHERE ready_at IS NOT NULL;

CREATE TABLE run_approvals (
    id BLOB PRIMARY KEY,
    run_id BLOB NOT NULL,
    project_id BLOB NOT NULL,
    step TEXT NOT NULL,
    element INTEGER,
    prompt TEXT NOT NULL,
    data TEXT NOT NULL,
    status TEXT NOT NULL,
    requested_at INTEGER NOT NULL,
    decided_at INTEGER,
    decided_by TEXT,
    reason TEXT,
    position INTEGER NOT NULL
) STRICT;
CREATE INDEX run_approvals_of_run ON run_approvals (run_id, status);
CREATE INDEX run_approvals_by_age ON run_approvals (project_id, status, requested_at, id);

CREATE TABLE run_leases (
    run_id BLOB PRIMARY KEY,
    owner TEXT NOT NULL,
    fence INTEGER NOT NULL,
    lease_until INTEGER NOT NULL
) STRICT;
";
