//! Which runs and which questions a list shows.

use chrono::{DateTime, Utc};
use devskyy_domain::{
    kernel::ids::{AgentId, RunId},
    runs::{Origin, Waiting},
};

use super::views::{ApprovalStatus, RunStatus, RunSummary};
use crate::{
    access::ListScope,
    paging::{Age, Sort},
};

/// Whose children are wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChildOf {
    /// Nobody's: what people and programs asked for.
    Nobody,
    /// A run's.
    Run(RunId),
}

/// Which runs a list shows.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct RunFilter {
    /// Those of one agent.
    pub agent: Option<AgentId>,
    /// Those that stand at one of these; anywhere without any.
    pub status: Vec<RunStatus>,
    /// Those that wait for one of these; for anything or nothing without any.
    pub waiting_for: Vec<Waiting>,
    /// Those that one run asked for, or none did.
    pub parent: Option<ChildOf>,
    /// Those that repeat one run.
    pub retry_of: Option<RunId>,
    /// Those that left one run.
    pub forked_from: Option<RunId>,
    /// Those asked for at this instant or later.
    pub created_from: Option<DateTime<Utc>>,
    /// Those asked for before this instant.
    pub created_before: Option<DateTime<Utc>>,
    /// In which order.
    pub sort: Sort<Age>,
}

impl RunFilter {
    /// Whether a run is among those, of whatever project it is.
    #[must_use]
    pub fn passes(&self, run: &RunSummary) -> bool {
        let Self { agent, status, waiting_for, parent, retry_of, forked_from, .. } = self;
        let repeats = |of| run.origin == Some(Origin::Retry { of });
        let left = |of| matches!(&run.origin, Some(Origin::Fork { from, .. }) if *from == of);
        agent.is_none_or(|agent| run.agent_id == agent)
            && (status.is_empty() || status.contains(&run.status))
            && (waiting_for.is_empty() || run.waiting_for.iter().any(|waits| waiting_for.contains(waits)))
            && parent.is_none_or(|parent| match parent {
                ChildOf::Nobody => run.parent_run_id.is_none(),
                ChildOf::Run(above) => run.parent_run_id == Some(above),
            })
            && retry_of.is_none_or(repeats)
            && forked_from.is_none_or(left)
            && self.created_from.is_none_or(|from| run.created_at >= from)
            && self.created_before.is_none_or(|before| run.created_at < before)
    }
}

/// Which questions a list shows.
#[derive(Debug, Clone, PartialEq)]
pub struct ApprovalFilter {
    /// Those of which projects.
    pub scope: ListScope,
    /// Those of one run.
    pub run: Option<RunId>,
    /// Those of which this became.
    pub status: Option<ApprovalStatus>,
}
