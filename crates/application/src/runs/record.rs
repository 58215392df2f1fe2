//! The projected state of runs and their questions: one fold that every adapter of the views shares, so that they
//! cannot differ.

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

/// A run as the projection keeps it.
#[derive(Debug, Clone, PartialEq)]
pub struct RunRecord {
    /// What lists show.
    pub summary: RunSummary,
    /// The fence of whoever may add to it now.
    pub fence: u64,
    /// When a worker may take it, if nobody holds it; never, once it has ended. Of a run that waits for nothing it is an instant
    /// that is past by the queue's clock, whatever clocks its events were made by, and its place among the others.
    pub ready_at: Option<DateTime<Utc>>,
}

impl RunRecord {
    /// A run nobody has worked on.
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

    /// Takes in what happened next.
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
                // Behind what is due already: a run that is handed over again and again keeps nobody waiting.
                self.ready_at = Some(parked.until.min(recorded.recorded_at));
                self.running();
            }
            RunEvent::Parked(parked) => {
                self.fence = parked.fence;
                self.ready_at = Some(parked.until);
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

    /// A worker may take it at once; the older run goes first. Whoever asked for it may have a clock that is ahead, and the time of a
    /// log that was ahead once stands still until the clock has caught up: the earlier of the two is past.
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

/// The run that one was made from, as its own event tells.
fn origin(event: &RunEvent) -> Option<Origin> {
    match event {
        RunEvent::Retried(retried) => Some(Origin::Retry { of: retried.of }),
        RunEvent::Forked(forked) => Some(Origin::Fork { from: forked.from, step: forked.step.clone() }),
        _ => None,
    }
}

/// What an event changes about questions.
#[derive(Debug, Clone, PartialEq)]
pub enum ApprovalChange {
    /// A new one.
    Asked(Box<ApprovalView>),
    /// An answer.
    Decided {
        /// Which question.
        id: ApprovalId,
        /// What became of it.
        status: ApprovalStatus,
        /// When.
        at: DateTime<Utc>,
        /// Who answered.
        by: String,
        /// Why, for the record.
        reason: Option<String>,
        /// Arguments to call with instead.
        edit: Option<Edit>,
    },
    /// Nobody answered in time.
    Expired {
        /// Which question.
        id: ApprovalId,
        /// When.
        at: DateTime<Utc>,
    },
    /// The run ended; what is still open will not be answered.
    Withdrawn,
}

impl ApprovalChange {
    /// What an event of a run changes about its questions.
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

    /// The question after the change.
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
