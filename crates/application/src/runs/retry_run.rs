use std::time::Duration;

use chrono::{DateTime, Utc};
use devskyy_domain::{
    kernel::ids::RunId,
    runs::{Order, Priority, Run},
};

use super::begin::{Beginning, StartedRun, deadline};
use crate::{
    context::Actor,
    error::Error,
    es::{Created, Idempotency},
};

/// Requests a run that repeats one that has ended.
#[derive(Debug)]
pub struct RetryRun {
    /// The run to repeat.
    pub run: RunId,
    /// Its priority; by default that of the repeated run.
    pub priority: Option<Priority>,
    /// When it expires; the definition's own limit holds in any case.
    pub deadline: Option<DateTime<Utc>>,
    /// How long the response may wait until the run has ended or needs a person; at most a minute.
    pub wait: Option<Duration>,
    /// Identifies a repeated request.
    pub idempotency: Option<Idempotency>,
}

/// Retries runs.
pub struct RetryRunHandler {
    pub(super) beginning: Beginning,
}

impl RetryRunHandler {
    /// Starts a run of the same agent version on the same input; it refers to the repeated run. Limits apply anew.
    ///
    /// # Errors
    /// [`Error::NotFound`] for a run the actor may not see, [`Error::Forbidden`], or a refusal when it has not ended,
    /// the outcome of a call of it or its descendants is unknown, or its agent must not be run.
    #[tracing::instrument(name = "runs.retry", skip_all, fields(run = %command.run), err(Debug, level = "debug"))]
    pub async fn handle(&self, actor: &Actor, command: RetryRun) -> Result<StartedRun, Error> {
        let (wait, idempotency) = (command.wait, command.idempotency.clone());
        let queued = self.queue(actor, command).await;
        self.beginning.answer(actor, queued, idempotency.as_ref(), wait).await
    }

    async fn queue(&self, actor: &Actor, command: RetryRun) -> Result<Created<Run>, Error> {
        let RetryRun { run, priority, deadline: asked, idempotency, .. } = command;
        let (old, order) = self.beginning.repeatable(actor, run).await?;
        let definition = self.beginning.definition(order.agent, order.agent_version).await?;
        let now = self.beginning.clock.now();
        let deadline = deadline(&definition, now, asked);
        let priority = priority.unwrap_or(order.priority);
        let order = Order { priority, deadline, ..order };
        let events = old.state.retry(run, &order, now)?;
        self.beginning.reading.certain(run, &old.state).await?;
        self.beginning.create(actor, order.project, &events, idempotency).await
    }
}
