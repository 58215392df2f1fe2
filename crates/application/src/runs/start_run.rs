use std::{sync::Arc, time::Duration};

use chrono::{DateTime, Utc};
use devskyy_domain::{
    kernel::{
        Json,
        ids::{AgentId, RunId},
    },
    runs::{Order, Priority, Run},
};

use super::{
    begin::{check_input, current, deadline, find},
    ports::RunnableAgents,
    reading::RunReading,
    views::RunView,
};
use crate::{
    access::{Access, Permission},
    context::Actor,
    error::Error,
    es::{Created, Idempotency, Repository},
    ports::{Clock, IdGenerator},
    workflow::Schemas,
};

/// Asks for a run.
#[derive(Debug)]
pub struct StartRun {
    /// Of which agent.
    pub agent: AgentId,
    /// What it works on.
    pub input: Json,
    /// How urgent it is.
    pub priority: Priority,
    /// When it ends at the latest; the definition's own limit holds in any case.
    pub deadline: Option<DateTime<Utc>>,
    /// How long the answer may wait until the run has ended or needs a person; at most a minute.
    pub wait: Option<Duration>,
    /// Recognises a repeated request.
    pub idempotency: Option<Idempotency>,
}

/// What became of the request.
#[derive(Debug, Clone, PartialEq)]
pub struct StartedRun {
    /// The run as it stands.
    pub run: RunView,
    /// Whether an earlier identical request had already started it.
    pub replayed: bool,
}

/// Longest time an answer waits for a run.
const PATIENCE: Duration = Duration::from_secs(60);

/// Starts runs.
pub struct StartRunHandler {
    pub(super) runs: Repository<Run>,
    pub(super) reading: RunReading,
    pub(super) agents: Arc<dyn RunnableAgents>,
    pub(super) schemas: Arc<dyn Schemas>,
    pub(super) access: Access,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) ids: Arc<dyn IdGenerator>,
}

impl StartRunHandler {
    /// Starts a run of the agent's present version and, if asked to, waits a little until it has ended or needs a person.
    ///
    /// # Errors
    /// [`Error::NotFound`] for an agent the actor may not see, [`Error::Forbidden`], [`Error::Invalid`] with a pointer
    /// per part of the input that breaks the agent's schema, or a refusal.
    #[tracing::instrument(name = "runs.start", skip_all, fields(agent = %command.agent), err(Debug, level = "debug"))]
    pub async fn handle(&self, actor: &Actor, command: StartRun) -> Result<StartedRun, Error> {
        let (wait, idempotency) = (command.wait, command.idempotency.clone());
        let created = match self.queue(actor, command).await {
            Ok(created) => created,
            Err(refused) => {
                let context = actor.event_context(None);
                self.runs.created_before(context, idempotency.as_ref(), refused).await?
            }
        };
        let run = match wait {
            Some(wait) => self.reading.settled(created.id, wait.min(PATIENCE), self.clock.as_ref()).await?,
            None => self.reading.view(created.id).await?,
        };
        Ok(StartedRun { run, replayed: created.replayed })
    }

    async fn queue(&self, actor: &Actor, command: StartRun) -> Result<Created<Run>, Error> {
        let StartRun { agent, input, priority, deadline: asked, idempotency, .. } = command;
        let found = find(self.agents.as_ref(), agent).await?;
        let thing = || format!("agent {agent}");
        self.access.require_on(actor, found.project, Permission::RunsStart, thing).await?;
        let (agent_version, definition) = current(&found)?;
        check_input(self.schemas.as_ref(), &definition, &input).map_err(Error::Invalid)?;
        let now = self.clock.now();
        let deadline = deadline(&definition, now, asked);
        let project = found.project;
        let order = Order { agent, agent_version, project, parent: None, depth: 0, input, priority, deadline };
        let events = Run::default().queue(&order, now)?;
        let id = RunId::from(self.ids.next());
        self.runs.create(actor.event_context(Some(project)), id, &events, vec![], vec![], idempotency).await
    }
}
