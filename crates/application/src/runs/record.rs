//! The projected state of runs and their approvals: one fold shared by all adapters, so that they cannot differ.

use chrono::{DateTime, Utc};
use devskyy_domain::{
    kernel::{
        Json,
        ids::{ApprovalId, RunId},
    },
    runs::{ApprovalDecided, ApprovalRequested, Edit, Origin, RunEvent, RunQueued},
};

use super::views::{ApprovalStatus, ApprovalView, RunStatus, RunSummary, TokenCount};
use crate::es::RecordedEvent;

/// A run as the projection stores it.
#[derive(Debug, Clone, PartialEq)]
pub struct RunRecord {
    /// The summary shown in lists.
    pub summary: RunSummary,
    /// The fence that may currently append to it.
    pub fence: u64,
    /// When a worker may claim it, unless it is leased; `None` once it has ended. For a run that waits for nothing it
    /// is an instant in the past by the queue's clock, whatever the clocks of its events, and decides its rank.
    pub ready_at: Option<DateTime<Utc>>,
}

impl RunRecord {
    /// A run that no worker has claimed yet.
    #[must_use]
    pub fn begun(id: RunId, queued: &RunQueued, recorded: &RecordedEvent) -> Self {
        let order = &queued.order;
        let summary = RunSummary {
            id,
            project_id: order.project,
            agent_id: order.agent,
            agent_version: order.agent_version,
            status: RunStatus::Queued,
            waiting_for: Vec::new(),
            priority: order.priority,
            error: None,
            parent_run_id: order.parent.map(|parent| parent.run),
            origin: None,
            tokens: TokenCount::default(),
            cost_micros: None,
            requested_by: recorded.context.actor.clone(),
            deadline: order.deadline,
            created_at: queued.at,
            started_at: None,
            ended_at: None,
            version: recorded.version,
        };
        let mut record = Self { summary, fence: 0, ready_at: None };
        record.ready(recorded);
        record
    }

    /// Applies the next event.
    pub fn apply(&mut self, event: &RunEvent, recorded: &RecordedEvent) {
        self.summary.version = recorded.version;
        if let Some(bill) = event.bill() {
            self.summary.use_up(&bill);
        }
        match event {
            RunEvent::Claimed(claimed) => {
                self.fence = claimed.fence;
                self.summary.started_at.get_or_insert(claimed.at);
                if matches!(self.summary.status, RunStatus::Queued | RunStatus::Waiting) {
                    self.running();
                }
            }
            RunEvent::Parked(parked) if parked.waiting.is_empty() => {
                self.fence = parked.fence;
                // Behind what is due already, so that a run that is handed over repeatedly delays no other.
                self.ready_at = Some(parked.until.min(recorded.recorded_at));
                self.running();
            }
            RunEvent::Parked(parked) => {
                (self.fence, self.ready_at) = (parked.fence, Some(parked.until));
                self.summary.status = RunStatus::Waiting;
                self.summary.waiting_for.clone_from(&parked.waiting);
            }
            RunEvent::CancelRequested(cancel) => {
                self.fence = cancel.fence;
                self.ready(recorded);
                self.summary.status = RunStatus::Cancelling;
                self.summary.waiting_for.clear();
            }
            RunEvent::ApprovalDecided(_) | RunEvent::ChildEnded(_) | RunEvent::OutcomeSettled(_) => {
                if self.summary.status == RunStatus::Waiting {
                    self.running();
                    self.ready(recorded);
                }
            }
            RunEvent::Retried(_) | RunEvent::Forked(_) => self.summary.origin = origin(event),
            _ => self.end(event),
        }
    }

    /// Makes the run claimable at once; older runs go first. The clock of the requester, or the log's time, may be
    /// ahead of the queue's clock, so the earlier of the two is used: it is in the past.
    fn ready(&mut self, recorded: &RecordedEvent) {
        self.ready_at = Some(self.summary.created_at.min(recorded.recorded_at));
    }

    fn running(&mut self) {
        self.summary.status = RunStatus::Running;
        self.summary.waiting_for.clear();
    }

    fn end(&mut self, event: &RunEvent) {
        let (status, error, at) = match event {
            RunEvent::Completed(completed) => (RunStatus::Completed, None, completed.at),
            RunEvent::Failed(failed) => (RunStatus::Failed, Some(failed.error.clone()), failed.at),
            RunEvent::Cancelled(cancelled) => (RunStatus::Cancelled, None, cancelled.at),
            RunEvent::Expired(expired) => (RunStatus::Expired, None, expired.at),
            _ => return,
        };
        self.summary.status = status;
        self.summary.error = error;
        self.summary.ended_at = Some(at);
        self.summary.waiting_for.clear();
        self.ready_at = None;
    }
}

/// The run it was made from, if the event names one.
fn origin(event: &RunEvent) -> Option<Origin> {
    match event {
        RunEvent::Retried(retried) => Some(Origin::Retry { of: retried.of }),
        RunEvent::Forked(forked) => Some(Origin::Fork { from: forked.from, step: forked.step.clone() }),
        _ => None,
    }
}

/// The effect of an event on approvals.
#[derive(Debug, Clone, PartialEq)]
pub enum ApprovalChange {
    /// A new approval.
    Asked(Box<ApprovalView>),
    /// An answer.
    Decided {
        /// The approval.
        id: ApprovalId,
        /// Its new status.
        status: ApprovalStatus,
        /// When.
        at: DateTime<Utc>,
        /// Who answered.
        by: String,
        /// The reason, for the record.
        reason: Option<String>,
        /// Edited arguments to call with instead.
        edit: Option<Edit>,
    },
    /// It expired.
    Expired {
        /// The approval.
        id: ApprovalId,
        /// When.
        at: DateTime<Utc>,
    },
    /// The run ended; open approvals can no longer be answered.
    Withdrawn,
}

impl ApprovalChange {
    /// The effect of a run's event on its approvals, if any.
    #[must_use]
    pub fn of(run: &RunSummary, event: &RunEvent) -> Option<Self> {
        match event {
            RunEvent::ApprovalRequested(asked) => Some(Self::Asked(Box::new(question(run, asked)))),
            RunEvent::ApprovalDecided(ApprovalDecided { approval, decision, edit, reason, by, at }) => {
                Some(Self::Decided {
                    id: *approval,
                    status: ApprovalStatus::decided(*decision),
                    at: *at,
                    by: by.clone(),
                    reason: reason.clone(),
                    edit: edit.clone(),
                })
            }
            RunEvent::ApprovalExpired(expired) => Some(Self::Expired { id: expired.approval, at: expired.at }),
            RunEvent::Completed(_) | RunEvent::Failed(_) | RunEvent::Cancelled(_) | RunEvent::Expired(_) => {
                Some(Self::Withdrawn)
            }
            _ => None,
        }
    }

    /// Applies the change to the approval's view.
    pub fn apply(&self, view: &mut ApprovalView) {
        match self {
            Self::Asked(asked) => view.clone_from(asked),
            Self::Expired { at, .. } => {
                view.status = ApprovalStatus::Expired;
                view.decided_at = Some(*at);
            }
            Self::Decided { status, at, by, reason, edit, .. } => {
                view.status = *status;
                view.edit.clone_from(edit);
                view.decided_at = Some(*at);
                view.decided_by = Some(by.clone());
                view.reason.clone_from(reason);
            }
            Self::Withdrawn => {
                if view.status == ApprovalStatus::Open {
                    view.status = ApprovalStatus::Withdrawn;
                }
            }
        }
    }
}

fn question(run: &RunSummary, asked: &ApprovalRequested) -> ApprovalView {
    let data: Json = asked.data.clone();
    ApprovalView {
        id: asked.approval,
        run_id: run.id,
        project_id: run.project_id,
        place: asked.place.clone(),
        prompt: asked.prompt.clone(),
        data,
        call: asked.call.clone(),
        edit: None,
        expires_at: asked.expires_at,
        status: ApprovalStatus::Open,
        requested_at: asked.at,
        decided_at: None,
        decided_by: None,
        reason: None,
    }
}
