//! How a worker appends to a run: on top of exactly the version it has seen, or not at all.

use std::{collections::BTreeMap, ops::ControlFlow, time::Duration};

use devskyy_domain::{
    budgets::BudgetError,
    kernel::{
        Aggregate, Decision,
        ids::{OperationId, RunId},
    },
    runs::{Order, Run, RunError, RunEvent},
};
use uuid::Uuid;

use super::execution::{Execution, Stop};
use crate::{
    budgets::Posted,
    error::PortError,
    es::{AppendError, AppendRequest, Precondition, Repository, StreamId, StreamWrite, walk},
};

/// Child runs that begin in the same append.
pub(super) type Orders = BTreeMap<OperationId, Order>;

/// The outcome of a commit.
pub(super) enum Committed {
    /// It is recorded.
    Recorded(Vec<RunEvent>),
    /// Nothing is recorded: a budget needs an estimate of a call first.
    Unestimated,
    /// Nothing is recorded: this call does not fit a budget.
    Exhausted(OperationId, BudgetError),
}

/// How often an append is tried before the run is released for now.
pub(super) const ATTEMPTS: u32 = 8;

impl Execution {
    /// Records a decision; makes it again on the new state if another writer appended to the run meanwhile.
    pub(super) async fn commit(
        &mut self,
        orders: &Orders,
        decide: impl Fn(&Run) -> Decision<Run>,
    ) -> Result<Committed, Stop> {
        for attempt in 0..ATTEMPTS {
            if let Some(committed) = self.attempt(attempt, orders, &decide).await? {
                return Ok(committed);
            }
        }
        Err(Stop::Broken(PortError::transient("event store", "recording progress", "the run is contended")))
    }

    /// Records a decision unless another writer appended to the run meanwhile; returns whether it was recorded.
    pub(super) async fn commit_once(&mut self, decide: impl Fn(&Run) -> Decision<Run>) -> Result<bool, Stop> {
        Ok(self.attempt(0, &Orders::new(), &decide).await?.is_some())
    }

    pub(super) async fn attempt(
        &mut self,
        attempt: u32,
        orders: &Orders,
        decide: &impl Fn(&Run) -> Decision<Run>,
    ) -> Result<Option<Committed>, Stop> {
        let events = decide(&self.loaded.state).map_err(Stop::from)?;
        if events.is_empty() {
            return Ok(Some(Committed::Recorded(events)));
        }
        match self.append(&events, orders).await? {
            Ok(Posted::Appended(_)) => {
                self.loaded.version += events.len() as u64;
                events.iter().for_each(|event| self.loaded.state.apply(event));
                Ok(Some(Committed::Recorded(events)))
            }
            Ok(Posted::Unestimated) => Ok(Some(Committed::Unestimated)),
            Ok(Posted::Exhausted { operation, error }) => Ok(Some(Committed::Exhausted(operation, error))),
            Err(AppendError::Conflict { .. }) => self.refresh().await.map(|()| None),
            Err(AppendError::Overloaded) => self.back_off(attempt).await.map(|()| None),
            Err(AppendError::Port(error)) if error.retryable => {
                tracing::warn!(run = %self.id, error = ?error, "an append failed");
                self.back_off(attempt).await.map(|()| None)
            }
            Err(AppendError::Unknown(error)) => {
                tracing::warn!(run = %self.id, error = ?error, "an append may have been recorded");
                self.back_off(attempt).await?;
                Ok(self.recorded(events).await?.map(Committed::Recorded))
            }
            Err(AppendError::Port(error)) => Err(Stop::Broken(error)),
            Err(error @ (AppendError::ClaimTaken { .. } | AppendError::KeyReused)) => {
                Err(Stop::Broken(PortError::bug("event store", "recording progress", error)))
            }
        }
    }

    /// Appends; through the ledger if a model call is involved.
    async fn append(&mut self, events: &[RunEvent], orders: &Orders) -> Result<Result<Posted, AppendError>, Stop> {
        let request = self.request(events, orders)?;
        Ok(match self.posting(events) {
            None => self.ports.store.append(request).await.map(Posted::Appended),
            Some(posting) => self.ports.ledger.post(request, &posting).await,
        })
    }

    fn request(&self, events: &[RunEvent], orders: &Orders) -> Result<AppendRequest, Stop> {
        let precondition = Precondition::Version(self.loaded.version);
        let mut writes = vec![Repository::<Run>::write(self.id, precondition, events)?];
        for event in events {
            let RunEvent::ChildRequested(asked) = event else { continue };
            let Some(order) = orders.get(&asked.operation) else { continue };
            writes.push(self.child(asked.operation, order)?);
        }
        Ok(AppendRequest { writes, claims: vec![], idempotency: None, context: self.context.clone() })
    }

    fn child(&self, operation: OperationId, order: &Order) -> Result<StreamWrite, Stop> {
        let events = Run::default().queue(order, self.ports.clock.now()).map_err(Stop::from)?;
        let id = RunId::from(Uuid::from(operation));
        Ok(Repository::<Run>::write(id, Precondition::NoStream, &events)?)
    }

    /// Whether an append without a response has been recorded; other events are folded in.
    async fn recorded(&mut self, events: Vec<RunEvent>) -> Result<Option<Vec<RunEvent>>, Stop> {
        let stream = StreamId::of::<Run>(self.id);
        let (mut own, mut same) = (events.iter(), true);
        walk(self.ports.store.as_ref(), stream, self.loaded.version, |stored| {
            let Some(own) = own.next() else { return Ok(ControlFlow::Break(())) };
            same &= stored.decode::<RunEvent>().is_ok_and(|event| event == *own);
            Ok(if same { ControlFlow::Continue(()) } else { ControlFlow::Break(()) })
        })
        .await?;
        same &= own.next().is_none();
        self.refresh().await?;
        Ok(same.then_some(events))
    }

    async fn back_off(&mut self, attempt: u32) -> Result<(), Stop> {
        self.ports.clock.sleep(Duration::from_millis(50 << attempt.min(5))).await;
        Ok(())
    }

    /// Folds in what other writers appended; stops if the run has changed hands.
    pub(super) async fn refresh(&mut self) -> Result<(), Stop> {
        self.runs.refresh(self.id, &mut self.loaded).await?;
        let run = &self.loaded.state;
        if self.fence.is_some_and(|fence| run.ended() || run.fence() != fence) { Err(Stop::Lost) } else { Ok(()) }
    }
}

impl From<RunError> for Stop {
    fn from(error: RunError) -> Self {
        match error {
            RunError::Superseded | RunError::Ended | RunError::Cancelling | RunError::Unknown => Self::Lost,
            error => Self::Broken(PortError::bug("run worker", "recording progress", error)),
        }
    }
}

impl From<PortError> for Stop {
    fn from(error: PortError) -> Self {
        Self::Broken(error)
    }
}
