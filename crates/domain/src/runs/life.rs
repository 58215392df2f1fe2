//! How a run begins, changes hands, waits and ends.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};

use super::{
    allowance::Spent,
    approval_event::ApprovalDecided,
    error::RunError,
    event::{
        CancelRequested, ChildEnded, OutcomeSettled, RunCancelled, RunClaimed, RunCompleted, RunExpired, RunFailed,
        RunParked, RunQueued,
    },
    next::Ending,
    run::{MAX_ANCESTORS, MAX_IN_VAIN, MAX_VALUE, Phase, Run},
    state::{Proposal, Unit},
    values::{ChildEnd, Choice, Decided, Failure, Order, Verdict, Waiting},
};
use crate::kernel::{
    Decision,
    ids::{ApprovalId, OperationId},
};

impl Run {
    /// Requests a run.
    ///
    /// # Errors
    /// When it was requested already, its deadline has passed, its input is too large, or it has too many ancestors.
    pub fn queue(&self, order: &Order, at: DateTime<Utc>) -> Decision<Self> {
        let measure = order.input.measure();
        if self.phase != Phase::Unknown {
            Err(RunError::Begun)
        } else if order.deadline <= at {
            Err(RunError::DeadlinePassed)
        } else if measure.too_deep || measure.bytes > MAX_VALUE {
            Err(RunError::InputTooLarge)
        } else if order.depth > MAX_ANCESTORS {
            Err(RunError::TooDeep)
        } else {
            Ok(vec![RunQueued { order: order.clone(), at }.into()])
        }
    }

    /// Claims the run for a worker under the fence it was leased with, which must be the next one; the previous holder
    /// can no longer append. A run that was claimed in vain too often fails: it may be what makes workers vanish.
    ///
    /// # Errors
    /// When it has ended, or has changed hands since it was leased.
    pub fn claim(&self, worker: &str, fence: u64, at: DateTime<Utc>) -> Decision<Self> {
        self.held(self.fence)?;
        if fence != self.fence + 1 {
            return Err(RunError::Superseded);
        }
        let mut events = vec![RunClaimed { fence, worker: worker.to_owned(), at }.into()];
        if self.in_vain >= MAX_IN_VAIN {
            let times = self.in_vain;
            let message = format!("{times} workers in a row took the run up and vanished before anything came of it");
            let error = Failure::new("run.not_carried_out", message);
            let cancelled = self.phase == Phase::Cancelling;
            events.push(if cancelled { RunCancelled { at }.into() } else { RunFailed { error, at }.into() });
        }
        Ok(events)
    }

    /// Releases a run that has to wait.
    ///
    /// # Errors
    /// When the worker no longer holds it.
    pub fn park(&self, fence: u64, waiting: &BTreeSet<Waiting>, until: DateTime<Utc>) -> Decision<Self> {
        self.held(fence)?;
        let waiting = waiting.iter().copied().collect();
        Ok(vec![RunParked { fence: self.fence + 1, waiting, until }.into()])
    }

    /// Releases a run that could continue; any free worker may claim it at once.
    ///
    /// # Errors
    /// When the worker no longer holds it.
    pub fn hand_over(&self, fence: u64, at: DateTime<Utc>) -> Decision<Self> {
        self.held(fence)?;
        Ok(vec![RunParked { fence: self.fence + 1, waiting: vec![], until: at }.into()])
    }

    /// Cancels the run: at once if no worker can be executing it, else as soon as its worker notices.
    ///
    /// # Errors
    /// When it has ended in another way.
    pub fn cancel(&self, by: &str, reason: Option<&str>, at: DateTime<Utc>) -> Decision<Self> {
        if matches!(self.phase, Phase::Cancelling | Phase::Cancelled) {
            return Ok(vec![]);
        }
        self.open()?;
        let (by, reason) = (by.to_owned(), reason.map(str::to_owned));
        let mut events = vec![CancelRequested { fence: self.fence + 1, by, reason, at }.into()];
        if matches!(self.phase, Phase::Queued | Phase::Waiting(_)) {
            events.push(RunCancelled { at }.into());
        }
        Ok(events)
    }

    /// Answers a question; repeating the same answer changes nothing.
    ///
    /// # Errors
    /// When there is no such question, it was answered differently, it has expired, the edit is not valid, or the run
    /// has ended.
    pub fn decide_approval(&self, approval: ApprovalId, verdict: &Decided<'_>, at: DateTime<Utc>) -> Decision<Self> {
        if self.phase == Phase::Unknown {
            return Err(RunError::Unknown);
        }
        let question = self.approvals.get(&approval).ok_or(RunError::ApprovalUnknown)?;
        let hash = verdict.edit.map(|edit| edit.arguments_hash.clone());
        if let Some(earlier) = &question.answer {
            let same = *earlier == (verdict.choice, hash);
            return if same { Ok(vec![]) } else { Err(RunError::ApprovalDecided) };
        }
        self.open()?;
        let Some(Unit::Asking { call, expires_at, .. }) = self.unit(&question.place) else {
            return Err(RunError::StepState(question.place.step.clone()));
        };
        if expires_at.is_some_and(|expiry| expiry <= at) {
            return Err(RunError::ApprovalExpired);
        }
        if let Some(edit) = verdict.edit {
            if call.is_none() || verdict.choice == Choice::Deny {
                return Err(RunError::NothingToEdit);
            }
            self.fits(edit.arguments.measure()).map_err(|_| RunError::EditTooLarge)?;
        }
        let (edit, reason) = (verdict.edit.cloned(), verdict.reason.map(str::to_owned));
        let (decision, by) = (verdict.choice, verdict.by.to_owned());
        Ok(vec![ApprovalDecided { approval, decision, edit, reason, by, at }.into()])
    }

    /// The call a question is about, if any.
    #[must_use]
    pub fn proposal(&self, approval: ApprovalId) -> Option<&Proposal> {
        match self.unit(&self.approvals.get(&approval)?.place)? {
            Unit::Asking { call, .. } => call.as_ref(),
            _ => None,
        }
    }

    /// Records how a child run ended and what it used; changes nothing if repeated, or if this run has ended.
    ///
    /// # Errors
    /// When the run never requested that child.
    pub fn end_child(&self, operation: OperationId, end: &ChildEnd, spent: Spent) -> Decision<Self> {
        let (_, unit) = self.operation(operation)?;
        let waits = matches!(unit, Unit::Child { .. }) && self.open().is_ok();
        let ended = || self.bounded(end).map(|end| ChildEnded { operation, end, spent }.into());
        Ok(if waits { ended().into_iter().collect() } else { vec![] })
    }

    /// An output that does not fit into the parent fails the step.
    fn bounded(&self, end: &ChildEnd) -> Option<ChildEnd> {
        Some(match end {
            ChildEnd::Completed { output } => match self.fits(output.measure()) {
                Ok(()) => end.clone(),
                Err(error) => ChildEnd::Failed { error },
            },
            ChildEnd::Failed { .. } => end.clone(),
        })
    }

    /// Records the outcome of a call that was unknown. After the end of the run this is only a record: nothing is
    /// called any more, and the run stays ended.
    ///
    /// # Errors
    /// When there is no such call, its outcome is not in doubt, the result is too large, or the call is to be repeated
    /// although the run has ended.
    pub fn reconcile(&self, operation: OperationId, verdict: &Verdict, by: &str, at: DateTime<Utc>) -> Decision<Self> {
        if !self.ended() || *verdict == Verdict::Retry {
            self.open()?;
        }
        let (_, unit) = self.operation(operation)?;
        if !self.doubtful(unit) {
            return Err(RunError::NotInDoubt);
        }
        if let Verdict::Succeeded { result } = verdict
            && self.fits(result.measure()).is_err()
        {
            return Err(RunError::InputTooLarge);
        }
        Ok(vec![OutcomeSettled { operation, verdict: verdict.clone(), by: by.to_owned(), at }.into()])
    }

    /// Ends the run.
    ///
    /// # Errors
    /// When the worker no longer holds it.
    pub fn finish(&self, fence: u64, ending: &Ending, at: DateTime<Utc>) -> Decision<Self> {
        self.held(fence)?;
        Ok(vec![match (ending, &self.phase) {
            (_, Phase::Cancelling) | (Ending::Cancelled, _) => RunCancelled { at }.into(),
            (Ending::Expired, _) => RunExpired { at }.into(),
            (Ending::Failed(error), _) => RunFailed { error: error.clone(), at }.into(),
            (Ending::Completed(output), _) => match self.fits(output.measure()) {
                Ok(()) => RunCompleted { output: output.clone(), at }.into(),
                Err(error) => {
                    RunFailed { error: Failure { message: format!("output: {}", error.message), ..error }, at }.into()
                }
            },
        }])
    }
}
