use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use devskyy_domain::{
    definition::Definition,
    kernel::ids::{AgentId, ApprovalId, ProjectId, RunId},
    runs::ResultHash,
};

use super::{
    filters::{ApprovalFilter, RunFilter},
    usage::{ProjectUsage, UsageFilter},
    views::{ApprovalView, RunSummary},
};
use crate::{
    access::ListScope,
    error::PortError,
    paging::{PageOf, Part},
};

/// Queries over runs, as of the newest event. Absence is `None`, not an error.
#[async_trait]
pub trait RunViews: Send + Sync {
    /// Finds one run in any project; the handler checks permissions.
    ///
    /// # Errors
    /// [`PortError`] when the query fails.
    async fn find(&self, run: RunId) -> Result<Option<RunSummary>, PortError>;

    /// Runs that match a filter.
    ///
    /// # Errors
    /// [`PortError`] when the query fails.
    async fn list(&self, scope: ListScope, filter: &RunFilter, part: &Part) -> Result<PageOf<RunSummary>, PortError>;

    /// Finds one approval.
    ///
    /// # Errors
    /// [`PortError`] when the query fails.
    async fn approval(&self, approval: ApprovalId) -> Result<Option<ApprovalView>, PortError>;

    /// Approvals that match a filter, oldest first.
    ///
    /// # Errors
    /// [`PortError`] when the query fails.
    async fn approvals(&self, filter: &ApprovalFilter, part: &Part) -> Result<PageOf<ApprovalView>, PortError>;
}

/// Queries over model usage, as of the newest answer.
#[async_trait]
pub trait UsageViews: Send + Sync {
    /// The total usage that matches a filter, and one page of its groups, all as of the same moment.
    ///
    /// # Errors
    /// [`PortError`] when the query fails.
    async fn usage(&self, filter: &UsageFilter, part: &Part) -> Result<ProjectUsage, PortError>;
}

/// A run that is leased to a worker.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Claim {
    /// The run.
    pub run: RunId,
    /// The fence under which the worker has to record its claim.
    pub fence: u64,
}

/// A worker's request to the queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Appetite {
    /// Maximum number of runs to execute.
    pub most: usize,
    /// Maximum number of additional runs that only have to end.
    pub ending: usize,
    /// Maximum number of runs of one project that all workers together hold at once; `None` for no limit.
    pub per_project: Option<usize>,
    /// Maximum number of runs of one project that this worker holds at once; `None` for no limit.
    pub own_share: Option<usize>,
    /// Duration of the lease.
    pub lease: Duration,
}

/// The queue's response.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Claims {
    /// The leased runs: first those that only have to end, then the others, in the order of their turn.
    pub runs: Vec<Claim>,
    /// The time of the look by the store's own clock, which decides what is due.
    pub at: DateTime<Utc>,
    /// Time until another run becomes claimable without any event.
    pub next_due: Option<Duration>,
    /// Whether a due run has to wait until its project holds fewer runs.
    pub held_back: bool,
}

/// Leases runs that are ready, each to one worker at a time. All times are those of the store's own clock.
///
/// Projects take turns: the project whose runs hold the fewest leases is served first, so that one backlog does not
/// delay another. Within a project, priority comes first, then age.
///
/// Runs that are being cancelled or are overdue only have to end. They precede all others, whatever their project and
/// priority, count towards no share, and are leased even to a worker without free slots.
///
/// A run is claimable when it is due and has no lease, the lease has lapsed, or the lease is older than the run's
/// fence. Runs of a suspended or archived project are not leased, except those that only have to end. Leases are never
/// the truth about a run: they only keep workers out of each other's way.
#[async_trait]
pub trait RunQueue: Send + Sync {
    /// Leases due runs to a worker.
    ///
    /// # Errors
    /// [`PortError`] when the queue cannot be reached.
    async fn claim(&self, worker: &str, appetite: Appetite) -> Result<Claims, PortError>;

    /// Extends a lease under the worker's current fence; returns false if the run has passed to another worker.
    ///
    /// # Errors
    /// [`PortError`] when the queue cannot be reached.
    async fn renew(&self, worker: &str, claim: Claim, lease: Duration) -> Result<bool, PortError>;

    /// Releases a lease before it lapses; one of another worker or fence is left alone.
    ///
    /// # Errors
    /// [`PortError`] when the queue cannot be reached.
    async fn release(&self, worker: &str, claim: Claim) -> Result<(), PortError>;
}

/// Stores results that are too large for events: the JSON text of each once per project, under its hash.
///
/// A text has no meaning until an event refers to its hash. It must be stored durably before that event is recorded.
#[async_trait]
pub trait ResultStore: Send + Sync {
    /// Stores a text. If it is stored already, only the time is updated.
    ///
    /// # Errors
    /// [`PortError`] when it cannot be written.
    async fn keep(
        &self,
        project: ProjectId,
        hash: ResultHash,
        text: &[u8],
        now: DateTime<Utc>,
    ) -> Result<(), PortError>;

    /// The text stored under a hash in a project, unverified: the caller checks that it still has that hash.
    ///
    /// # Errors
    /// [`PortError`] when it cannot be read.
    async fn find(&self, project: ProjectId, hash: ResultHash) -> Result<Option<Vec<u8>>, PortError>;

    /// Deletes texts that no event refers to and that were last stored before an instant; returns their number.
    ///
    /// # Errors
    /// [`PortError`] when they cannot be deleted.
    async fn sweep(&self, before: DateTime<Utc>) -> Result<u64, PortError>;
}

/// An agent, as far as it matters for starting a run.
#[derive(Debug, Clone, PartialEq)]
pub struct RunnableAgent {
    /// The project it belongs to.
    pub project: ProjectId,
    /// Its current version and definition; `None` while it must not be run.
    pub current: Option<(u32, Arc<Definition>)>,
}

/// Looks up agents and their definitions.
#[async_trait]
pub trait RunnableAgents: Send + Sync {
    /// The agent in its current state; `None` if it does not exist.
    ///
    /// # Errors
    /// [`PortError`] when the query fails.
    async fn find(&self, agent: AgentId) -> Result<Option<RunnableAgent>, PortError>;

    /// The definition of a version, whatever the agent's current state is.
    ///
    /// # Errors
    /// [`PortError`] when the query fails.
    async fn definition(&self, agent: AgentId, version: u32) -> Result<Option<Arc<Definition>>, PortError>;
}
