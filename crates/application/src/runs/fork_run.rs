use std::time::Duration;

use chrono::{DateTime, Utc};
use devskyy_domain::{
    definition::Definition,
    kernel::{Json, ids::RunId},
    runs::{Fork, Order, Priority, Run, begins},
};

use super::begin::{Beginning, StartedRun, check_input, deadline};
use crate::{
    context::Actor,
    error::Error,
    es::{Created, Idempotency},
};

/// Requests a run that continues from a step of another run.
#[derive(Debug)]
pub struct ForkRun {
    /// The other run.
    pub run: RunId,
    /// The first step that the fork executes itself; what precedes it is taken over.
    pub step: String,
    /// The agent's version to run; by default that of the other run.
    pub agent_version: Option<u32>,
    /// The input; by default that of the other run.
    pub input: Option<Json>,
    /// Its priority; by default that of the other run.
    pub priority: Option<Priority>,
    /// When it expires; the definition's own limit holds in any case.
    pub deadline: Option<DateTime<Utc>>,
    /// How long the response may wait until the run has ended or needs a person; at most a minute.
    pub wait: Option<Duration>,
    /// Identifies a repeated request.
    pub idempotency: Option<Idempotency>,
}

/// Forks runs.
pub struct ForkRunHandler {
    pub(super) beginning: Beginning,
}

impl ForkRunHandler {
    /// Starts a run that takes over what another run did before a step, without executing it again, and refers to that
    /// run. The other run stays unchanged. Limits apply anew.
    ///
    /// # Errors
    /// [`Error::NotFound`] for a run the actor may not see, [`Error::Forbidden`], [`Error::Invalid`] for an input that
    /// does not match the schema or an unknown version, or a refusal when the outcome of a call of the other run or of
    /// its descendants is unknown, the step does not exist or has not been reached, or an earlier step differs in the
    /// other version.
    #[tracing::instrument(name = "runs.fork", skip_all, fields(run = %command.run), err(Debug, level = "debug"))]
    pub async fn handle(&self, actor: &Actor, command: ForkRun) -> Result<StartedRun, Error> {
        let (wait, idempotency) = (command.wait, command.idempotency.clone());
        let queued = self.queue(actor, command).await;
        self.beginning.answer(actor, queued, idempotency.as_ref(), wait).await
    }

    async fn queue(&self, actor: &Actor, command: ForkRun) -> Result<Created<Run>, Error> {
        let ForkRun { run, step, agent_version, input, priority, deadline: asked, idempotency, .. } = command;
        let (mut seen, order) = self.beginning.repeatable(actor, run).await?;
        self.beginning.reading.certain(run, &seen.state).await?;
        let old = self.beginning.definition(order.agent, order.agent_version).await?;
        let agent_version = agent_version.unwrap_or(order.agent_version);
        let new = self.beginning.definition(order.agent, agent_version).await?;
        let input = input.unwrap_or_else(|| order.input.clone());
        check_input(self.beginning.schemas.as_ref(), &new, &input).await.map_err(Error::Invalid)?;
        let now = self.beginning.clock.now();
        let (priority, deadline) = (priority.unwrap_or(order.priority), deadline(&new, now, asked));
        let order = Order { agent_version, input, priority, deadline, ..order };
        if let Definition::Assistant(_) = old.as_ref() {
            seen = self.beginning.reading.until(run, |event| begins(event, &step)).await?;
        }
        let (from, from_version) = (run, seen.version);
        let fork = Fork { from, from_version, step: &step, old: &old, new: &new };
        let events = seen.state.fork(&fork, &order, now)?;
        self.beginning.create(actor, order.project, &events, idempotency).await
    }
}
