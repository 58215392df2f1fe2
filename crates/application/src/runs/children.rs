use std::sync::Arc;

use super::archived::ARCHIVED;
use crate::{
    access::Access,
    budgets::Ledger,
    error::{Error, PortError, Refused},
    es::{EventContext, EventStore, Reaction, Reader, RecordedEvent, Repository},
    ports::Clock,
};
use async_trait::async_trait;
use devskyy_domain::{
    kernel::{
        Aggregate, Json,
        ids::{OperationId, RunId},
    },
    runs::{ChildEnd, Failure, Phase, Run, RunError, RunEvent},
};

/// Reports the end of child runs to their parent, cancels the child runs of a run that has ended or is being cancelled,
/// releases budget reservations of model calls that will get no answer, and cancels a run that was recorded after its
/// project was archived.
///
/// Every effect is a decision of the run or budget it concerns, so processing an event twice changes nothing.
pub struct ChildRuns {
    runs: Repository<Run>,
    ledger: Arc<Ledger>,
    access: Access,
    clock: Arc<dyn Clock>,
}

impl ChildRuns {
    /// Its name, and the categories it reads.
    pub const READER: Reader = Reader { name: "runs.children", categories: &[Run::CATEGORY] };

    /// Creates the reaction from the log, the ledger and the projects.
    #[must_use]
    pub fn new(store: Arc<dyn EventStore>, ledger: Arc<Ledger>, access: Access, clock: Arc<dyn Clock>) -> Self {
        Self { runs: Repository::new(store), ledger, access, clock }
    }

    /// The project may have been archived and its runs listed between the request for a run and its record.
    async fn stop_late(&self, context: &EventContext, event: &RecordedEvent) -> Result<(), Error> {
        let RunEvent::Queued(queued) = event.decode().map_err(PortError::from)? else { return Ok(()) };
        // A child is created by its parent, whose cancellation cancels it.
        if queued.order.parent.is_some() || !self.access.archived(queued.order.project).await? {
            return Ok(());
        }
        stop(&self.runs, self.clock.as_ref(), context, RunId::from(event.stream_id), ARCHIVED).await
    }

    async fn tell_parent(&self, context: &EventContext, run: &Run) -> Result<(), Error> {
        let parent = run.order().and_then(|order| order.parent);
        let (Some(parent), Some(end)) = (parent, end(run)) else { return Ok(()) };
        let told = self
            .runs
            .update(context.clone(), parent.run, None, |above| above.end_child(parent.operation, &end, run.spent()))
            .await;
        settled(told.map(|_| ()))
    }

    async fn stop_children(&self, context: &EventContext, run: &Run) -> Result<(), Error> {
        let mut stopped = Ok(());
        for child in run.open_children() {
            let reason = "the run that waited for it has ended";
            // A failure to cancel one run must not keep the others from being cancelled.
            stopped = stopped.and(stop(&self.runs, self.clock.as_ref(), context, child, reason).await);
        }
        stopped
    }

    /// Releases all reservations of a run that has ended; a released reservation stays released.
    async fn give_back(&self, context: &EventContext, run: &Run) -> Result<(), Error> {
        let open: Vec<OperationId> = run.open_questions().collect();
        let Some(order) = run.order().filter(|_| run.ended() && !open.is_empty()) else { return Ok(()) };
        let budgets: Vec<_> = order.budgets().collect();
        self.ledger.release(context, &budgets, &open).await
    }
}

/// Cancels a run, if it has not ended.
pub(super) async fn stop(
    runs: &Repository<Run>,
    clock: &dyn Clock,
    context: &EventContext,
    run: RunId,
    reason: &str,
) -> Result<(), Error> {
    let now = clock.now();
    let stopped = runs.update(context.clone(), run, None, |run| run.cancel(&context.actor, Some(reason), now)).await;
    settled(stopped.map(|_| ()))
}

/// Some refusals mean that there is nothing left to do.
fn settled(outcome: Result<(), Error>) -> Result<(), Error> {
    let done = [RunError::Ended, RunError::OperationUnknown, RunError::Unknown];
    match outcome {
        Err(Error::Refused(Refused { code, .. }))
            if done.iter().any(|error| Refused::from(error.clone()).code == code) =>
        {
            Ok(())
        }
        other => other,
    }
}

/// How the run ended, as its parent records it.
fn end(run: &Run) -> Option<ChildEnd> {
    let failed = |code: &str, message: &str| Some(ChildEnd::Failed { error: Failure::new(code, message) });
    match run.phase() {
        Phase::Completed => {
            Some(ChildEnd::Completed { output: run.output().cloned().unwrap_or_else(|| Json::Null.into()) })
        }
        Phase::Failed(error) => {
            failed("run.child_failed", &format!("the child run failed: {}: {}", error.code, error.message))
        }
        Phase::Cancelled => failed("run.child_cancelled", "the child run was cancelled"),
        Phase::Expired => failed("run.child_expired", "the child run reached its deadline"),
        Phase::Unknown | Phase::Queued | Phase::Running | Phase::Waiting(_) | Phase::Cancelling => None,
    }
}

#[async_trait]
impl Reaction for ChildRuns {
    fn reader(&self) -> Reader {
        Self::READER
    }

    async fn handle(&self, event: &RecordedEvent) -> Result<(), Error> {
        let context = EventContext::reaction(self.name(), event);
        match event.event_type.as_ref() {
            "run.queued" => return self.stop_late(&context, event).await,
            "run.completed" | "run.failed" | "run.cancelled" | "run.expired" | "run.cancel_requested" => {}
            _ => return Ok(()),
        }
        let run = self.runs.load(RunId::from(event.stream_id)).await?.state;
        let told = self.tell_parent(&context, &run).await;
        let stopped = self.stop_children(&context, &run).await;
        let given = self.give_back(&context, &run).await;
        told.and(stopped).and(given)
    }
}
