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

/// Asks for a run that goes its own way from a step of another.
#[derive(Debug)]
pub struct ForkRun {
    /// Of which.
    pub run: RunId,
    /// The first step it takes itself; what is before that is taken over.
    pub step: String,
    /// Which version of the agent it runs; that of the other run, without it.
    pub agent_version: Option<u32>,
    /// What it works on; what the other run does, without it.
    pub input: Option<Json>,
    /// How urgent it is; as urgent as the other one, without it.
    pub priority: Option<Priority>,
    /// When it ends at the latest; the definition's own limit holds in any case.
    pub deadline: Option<DateTime<Utc>>,
    /// How long the answer may wait until the run has ended or needs a person; at most a minute.
    pub wait: Option<Duration>,
    /// Recognises a repeated request.
    pub idempotency: Option<Idempotency>,
}

/// Forks runs.
pub struct ForkRunHandler {
    pub(super) beginning: Beginning,
}

impl ForkRunHandler {
    /// Starts a run that takes over what another did before a step, without doing it again, and names it. The other run
    /// stays as it is. Limits apply anew.
    ///
    /// # Errors
    /// [`Error::NotFound`] for a run the actor may not see, [`Error::Forbidden`], [`Error::Invalid`] for an input that
    /// breaks the schema or a version that is not there, or a refusal when nobody knows what became of a call of the other
    /// run or of one below it, the step is not there, has not been reached, or what is before it is not the same in the other
    /// version.
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
