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

/// Answers questions about runs, as of the newest event. Absence is an answer, not an error.
#[async_trait]
pub trait RunViews: Send + Sync {
    /// Finds one run, wherever it lives; who may see it is the handler's question.
    ///
    /// # Errors
    /// [`PortError`] when the answer cannot be had.
    async fn find(&self, run: RunId) -> Result<Option<RunSummary>, PortError>;

    /// Runs that pass a filter.
    ///
    /// # Errors
    /// [`PortError`] when the answer cannot be had.
    async fn list(&self, scope: ListScope, filter: &RunFilter, part: &Part) -> Result<PageOf<RunSummary>, PortError>;

    /// Finds one question.
    ///
    /// # Errors
    /// [`PortError`] when the answer cannot be had.
    async fn approval(&self, approval: ApprovalId) -> Result<Option<ApprovalView>, PortError>;

    /// Questions that pass a filter, oldest first.
    ///
    /// # Errors
    /// [`PortError`] when the answer cannot be had.
    async fn approvals(&self, filter: &ApprovalFilter, part: &Part) -> Result<PageOf<ApprovalView>, PortError>;
}

/// Tells what models used, as of the newest answer.
#[async_trait]
pub trait UsageViews: Send + Sync {
    /// What was used of what a filter wants: together, and one part of it kind by kind, all as of the same moment.
    ///
    /// # Errors
    /// [`PortError`] when the answer cannot be had.
    async fn usage(&self, filter: &UsageFilter, part: &Part) -> Result<ProjectUsage, PortError>;
}

/// A run a worker may work on for a while.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Claim {
    /// Which run.
    pub run: RunId,
    /// The fence the worker is expected to claim it with.
    pub fence: u64,
}

/// What a worker asks of the queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Appetite {
    /// Most runs it takes to carry them on.
    pub most: usize,
    /// Most runs it takes beyond those only to end them.
    pub ending: usize,
    /// Most runs of one project that all workers together hold at once; any number without it.
    pub per_project: Option<usize>,
    /// Most runs of one project that it holds itself at once, so that others find room at it; any number without it.
    pub own_share: Option<usize>,
    /// How long they are its own without a sign of life.
    pub lease: Duration,
}

/// What a look at the queue gave.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Claims {
    /// Runs that are now this worker's: those that only have to end, then the others, the next in turn first.
    pub runs: Vec<Claim>,
    /// When it was, by the store's own clock, which says what is due.
    pub at: DateTime<Utc>,
    /// How long until something else becomes claimable by the mere passing of time.
    pub next_due: Option<Duration>,
    /// Whether something is due that must wait until a run of its project lets go.
    pub held_back: bool,
}

/// Hands out runs that are ready, each to one worker at a time. All times are the store's own clock.
///
/// Projects take turns: whose runs are held least gets the next worker, so that nobody's backlog is another's wait. Within
/// a project the urgent go first, then the old.
///
/// What is to stop and what is overdue only has to end. It goes before everything else, whatever its project and its priority,
/// counts for no share, and finds room at a worker that has none for anything else: stop means stop, and every run ends.
///
/// A run is claimable when it is due and nobody holds a lease on it, the lease lapsed, or the lease is older than the
/// run's fence. Runs of a project that is suspended or archived are not handed out, but for those that are to stop or whose
/// deadline has passed. Leases are never the truth about a run: they only keep workers from getting in each other's way.
#[async_trait]
pub trait RunQueue: Send + Sync {
    /// Leases due runs to a worker.
    ///
    /// # Errors
    /// [`PortError`] when the queue cannot be reached.
    async fn claim(&self, worker: &str, appetite: Appetite) -> Result<Claims, PortError>;

    /// Extends a lease, under the fence the worker holds now; false when the run has passed on.
    ///
    /// # Errors
    /// [`PortError`] when the queue cannot be reached.
    async fn renew(&self, worker: &str, claim: Claim, lease: Duration) -> Result<bool, PortError>;

    /// Gives a lease back, so that nobody has to wait for its end; one of another worker or fence is left alone.
    ///
    /// # Errors
    /// [`PortError`] when the queue cannot be reached.
    async fn release(&self, worker: &str, claim: Claim) -> Result<(), PortError>;
}

/// Keeps the results that are too large for events: the JSON text of each once per project, under its hash.
///
/// A text means nothing until an event refers to its hash, so it is kept, durably, before that event is recorded.
#[async_trait]
pub trait ResultStore: Send + Sync {
    /// Keeps a text. One that is there already is only noted as kept at this instant.
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

    /// What is kept under a hash in a project, as it is found: whether it still has that hash is for the reader to see.
    ///
    /// # Errors
    /// [`PortError`] when it cannot be read.
    async fn find(&self, project: ProjectId, hash: ResultHash) -> Result<Option<Vec<u8>>, PortError>;

    /// Deletes the texts no event refers to that were last kept before an instant, and says how many.
    ///
    /// # Errors
    /// [`PortError`] when they cannot be deleted.
    async fn sweep(&self, before: DateTime<Utc>) -> Result<u64, PortError>;
}

/// An agent as far as starting a run of it goes.
#[derive(Debug, Clone, PartialEq)]
pub struct RunnableAgent {
    /// The project it belongs to.
    pub project: ProjectId,
    /// Its present version and what that does; `None` while it must not be run.
    pub current: Option<(u32, Arc<Definition>)>,
}

/// Knows what agents do.
#[async_trait]
pub trait RunnableAgents: Send + Sync {
    /// The agent as it stands; `None` where there is none.
    ///
    /// # Errors
    /// [`PortError`] when the answer cannot be had.
    async fn find(&self, agent: AgentId) -> Result<Option<RunnableAgent>, PortError>;

    /// What a version does, whatever has become of the agent since.
    ///
    /// # Errors
    /// [`PortError`] when the answer cannot be had.
    async fn definition(&self, agent: AgentId, version: u32) -> Result<Option<Arc<Definition>>, PortError>;
}
