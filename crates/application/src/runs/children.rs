use std::sync::Arc;

use super::{
    PROJECTS,
    ports::RunViews,
    views::{RunFilter, RunStatus},
};
use crate::{
    access::ListScope,
    budgets::Ledger,
    error::{Error, Refused},
    es::{EventContext, EventStore, Reaction, RecordedEvent, Repository},
    paging::{Age, Beyond, KeysetRequest, Part, Sort},
    ports::Clock,
};
use async_trait::async_trait;
use devskyy_domain::{
    kernel::{
        Aggregate, Json,
        ids::{OperationId, ProjectId, RunId},
    },
    runs::{ChildEnd, Failure, Phase, Run, RunError},
};

/// Most runs looked at in one go.
const AT_ONCE: u64 = 100;

/// Tells a run how its child runs ended, stops the child runs of a run that ends or is being stopped, and gives back what
/// budgets keep for questions to models that it will get no answer to. Stops the runs of a project that is archived.
///
/// Every effect is a decision of the run or the budget it concerns, so seeing an event twice changes nothing.
pub struct ChildRuns {
    runs: Repository<Run>,
    views: Arc<dyn RunViews>,
    ledger: Arc<Ledger>,
    clock: Arc<dyn Clock>,
}

impl ChildRuns {
    /// The reaction over the log and the ledger.
    #[must_use]
    pub fn new(
        store: Arc<dyn EventStore>,
        views: Arc<dyn RunViews>,
        ledger: Arc<Ledger>,
        clock: Arc<dyn Clock>,
    ) -> Self {
        Self { runs: Repository::new(store), views, ledger, clock }
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
        for child in run.open_children() {
            self.stop(context, child, "the run that waited for it has ended").await?;
        }
        Ok(())
    }

    /// Nothing begins in an archived project any more, so that each of its runs is met here once.
    async fn stop_all(&self, context: &EventContext, project: ProjectId) -> Result<(), Error> {
        for status in [RunStatus::Queued, RunStatus::Running, RunStatus::Waiting] {
            let scope = ListScope::Project(project);
            let sort = Sort { by: Age::CreatedAt, descending: false };
            let status = Some(status);
            let filter = RunFilter { scope, agent: None, status, created_from: None, created_before: None, sort };
            let mut after = None;
            loop {
                let part = Part::Keyset(KeysetRequest { after, limit: AT_ONCE });
                let found = self.views.list(&filter, &part).await?;
                for run in &found.items {
                    self.stop(context, run.id, "its project was archived").await?;
                }
                match found.beyond {
                    Beyond::Next(Some(key)) => after = Some(key),
                    _ => break,
                }
            }
        }
        Ok(())
    }

    /// Nothing is kept for a run after its end, and what is free already stays so.
    async fn give_back(&self, context: &EventContext, run: &Run) -> Result<(), Error> {
        let open: Vec<OperationId> = run.open_questions().collect();
        let Some(order) = run.order().filter(|_| run.ended() && !open.is_empty()) else { return Ok(()) };
        let budgets: Vec<_> = order.budgets().collect();
        self.ledger.release(context, &budgets, &open).await
    }

    async fn stop(&self, context: &EventContext, run: RunId, reason: &str) -> Result<(), Error> {
        let now = self.clock.now();
        let stopped =
            self.runs.update(context.clone(), run, None, |run| run.cancel(&context.actor, Some(reason), now)).await;
        settled(stopped.map(|_| ()))
    }
}

/// A refusal means that there is nothing left to do.
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

/// How the run ended, in its parent's words.
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
    fn name(&self) -> &'static str {
        "runs.children"
    }

    fn categories(&self) -> &'static [&'static str] {
        &[Run::CATEGORY, PROJECTS]
    }

    async fn handle(&self, event: &RecordedEvent) -> Result<(), Error> {
        let actor = format!("system:{}", self.name());
        let context = EventContext { actor, causation_id: event.event_id, ..event.context.clone() };
        match event.event_type.as_ref() {
            "run.completed" | "run.failed" | "run.cancelled" | "run.expired" | "run.cancel_requested" => {}
            "project.archived" => return self.stop_all(&context, ProjectId::from(event.stream_id)).await,
            _ => return Ok(()),
        }
        let run = self.runs.load(RunId::from(event.stream_id)).await?.state;
        self.tell_parent(&context, &run).await?;
        self.stop_children(&context, &run).await?;
        self.give_back(&context, &run).await
    }
}
