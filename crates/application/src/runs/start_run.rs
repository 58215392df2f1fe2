use std::time::Duration;

use chrono::{DateTime, Utc};
use devskyy_domain::{
    kernel::{Json, ids::AgentId},
    runs::{Allowance, Order, Priority, Run},
};

use super::begin::{Beginning, StartedRun, check_input, current, deadline, find};
use crate::{
    access::Permission,
    context::Actor,
    error::Error,
    es::{Created, Idempotency},
};

/// Requests a run.
#[derive(Debug)]
pub struct StartRun {
    /// The agent.
    pub agent: AgentId,
    /// The input.
    pub input: Json,
    /// Its priority.
    pub priority: Priority,
    /// When it expires; the definition's own limit holds in any case.
    pub deadline: Option<DateTime<Utc>>,
    /// How long the response may wait until the run has ended or needs a person; at most a minute.
    pub wait: Option<Duration>,
    /// Identifies a repeated request.
    pub idempotency: Option<Idempotency>,
}

/// Starts runs.
pub struct StartRunHandler {
    pub(super) beginning: Beginning,
}

impl StartRunHandler {
    /// Starts a run of the agent's current version and, on request, waits until it has ended or needs a person.
    ///
    /// # Errors
    /// [`Error::NotFound`] for an agent the actor may not see, [`Error::Forbidden`], [`Error::Invalid`] with a pointer
    /// per part of the input that does not match the agent's schema, or a refusal.
    #[tracing::instrument(name = "runs.start", skip_all, fields(agent = %command.agent), err(Debug, level = "debug"))]
    pub async fn handle(&self, actor: &Actor, command: StartRun) -> Result<StartedRun, Error> {
        let (wait, idempotency) = (command.wait, command.idempotency.clone());
        let queued = self.queue(actor, command).await;
        self.beginning.answer(actor, queued, idempotency.as_ref(), wait).await
    }

    async fn queue(&self, actor: &Actor, command: StartRun) -> Result<Created<Run>, Error> {
        let StartRun { agent, input, priority, deadline: asked, idempotency, .. } = command;
        let Beginning { agents, access, schemas, clock, .. } = &self.beginning;
        let found = find(agents.as_ref(), agent).await?;
        let thing = || format!("agent {agent}");
        access.require_on(actor, found.project, Permission::RunsStart, thing).await?;
        let (agent_version, definition) = current(&found)?;
        check_input(schemas.as_ref(), &definition, &input).await.map_err(Error::Invalid)?;
        let now = clock.now();
        let deadline = deadline(&definition, now, asked);
        let project = found.project;
        let (callers, allowance) = (Vec::new(), Allowance::default());
        let order = Order {
            agent,
            agent_version,
            project,
            parent: None,
            depth: 0,
            callers,
            allowance,
            input,
            priority,
            deadline,
        };
        let events = Run::default().queue(&order, now)?;
        self.beginning.create(actor, project, &events, idempotency).await
    }
}
