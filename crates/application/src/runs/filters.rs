//! Filters of the lists of runs and approvals.

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

/// Selects runs by their parent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChildOf {
    /// Runs without a parent: requested by people and programs.
    Nobody,
    /// Child runs of this run.
    Run(RunId),
}

/// The filter of a list of runs.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct RunFilter {
    /// Runs of this agent.
    pub agent: Option<AgentId>,
    /// Runs in one of these states; empty for any state.
    pub status: Vec<RunStatus>,
    /// Runs that wait for one of these; empty for no restriction.
    pub waiting_for: Vec<Waiting>,
    /// Child runs of one run, or runs without a parent.
    pub parent: Option<ChildOf>,
    /// Retries of this run.
    pub retry_of: Option<RunId>,
    /// Forks of this run.
    pub forked_from: Option<RunId>,
    /// Runs requested at this instant or later.
    pub created_from: Option<DateTime<Utc>>,
    /// Runs requested before this instant.
    pub created_before: Option<DateTime<Utc>>,
    /// The order of the list.
    pub sort: Sort<Age>,
}

impl RunFilter {
    /// Whether a run matches, regardless of its project.
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

/// The filter of a list of approvals.
#[derive(Debug, Clone, PartialEq)]
pub struct ApprovalFilter {
    /// The visible projects.
    pub scope: ListScope,
    /// Approvals of this run.
    pub run: Option<RunId>,
    /// Approvals with this status.
    pub status: Option<ApprovalStatus>,
}
