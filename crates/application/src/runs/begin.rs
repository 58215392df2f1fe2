//! The steps common to all requests for a run, before it is queued.

use std::{sync::Arc, time::Duration};

use chrono::{DateTime, Utc};
use devskyy_domain::{
    definition::Definition,
    kernel::{
        Json, RefusalKind,
        ids::{AgentId, ProjectId, RunId},
    },
    runs::{Allowance, Order, Run, RunEvent},
};

use super::{
    ports::{RunnableAgent, RunnableAgents},
    reading::RunReading,
    views::RunView,
};
use crate::{
    access::{Access, Permission},
    context::Actor,
    error::{Error, Refused},
    es::{Created, Idempotency, Loaded, Repository},
    ports::{Clock, IdGenerator},
    workflow::Schemas,
};

/// Maximum number of violations reported at once.
const REPORTED: usize = 20;

/// Maximum time a response waits for a run.
const PATIENCE: Duration = Duration::from_secs(60);

/// The response to a request for a run.
#[derive(Debug, Clone, PartialEq)]
pub struct StartedRun {
    /// The run in its current state.
    pub run: RunView,
    /// Whether an earlier identical request had started it already.
    pub replayed: bool,
}

/// The dependencies of every request for a run.
#[derive(Clone)]
pub(super) struct Beginning {
    pub(super) runs: Repository<Run>,
    pub(super) reading: RunReading,
    pub(super) agents: Arc<dyn RunnableAgents>,
    pub(super) schemas: Arc<dyn Schemas>,
    pub(super) access: Access,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) ids: Arc<dyn IdGenerator>,
}

impl Beginning {
    /// Records the first events of a run.
    pub(super) async fn create(
        &self,
        actor: &Actor,
        project: ProjectId,
        events: &[RunEvent],
        idempotency: Option<Idempotency>,
    ) -> Result<Created<Run>, Error> {
        let id = RunId::from(self.ids.next());
        self.runs.create(actor.event_context(Some(project)), id, events, vec![], vec![], idempotency).await
    }

    /// The response to a request for a run; for a repeated request the first one's result, even if it would be refused
    /// now.
    pub(super) async fn answer(
        &self,
        actor: &Actor,
        queued: Result<Created<Run>, Error>,
        idempotency: Option<&Idempotency>,
        wait: Option<Duration>,
    ) -> Result<StartedRun, Error> {
        let created = match queued {
            Ok(created) => created,
            Err(refused) => self.runs.created_before(actor.event_context(None), idempotency, refused).await?,
        };
        let run = match wait {
            Some(wait) => self.reading.settled(created.id, wait.min(PATIENCE), self.clock.as_ref()).await?,
            None => self.reading.view(created.id).await?,
        };
        Ok(StartedRun { run, replayed: created.replayed })
    }

    /// A run to be repeated and its request; the actor must be allowed to read and to start runs in its project.
    pub(super) async fn repeatable(&self, actor: &Actor, run: RunId) -> Result<(Loaded<Run>, Order), Error> {
        let thing = || Error::NotFound(format!("run {run}"));
        let loaded = self.runs.load(run).await?;
        let order = loaded.state.order().ok_or_else(thing)?;
        for permission in [Permission::RunsRead, Permission::RunsStart] {
            self.access.require_on(actor, order.project, permission, || format!("run {run}")).await?;
        }
        let (callers, allowance) = (Vec::new(), Allowance::default());
        let order = Order { parent: None, depth: 0, callers, allowance, ..order.clone() };
        Ok((loaded, order))
    }

    /// The definition of an agent's version, if the agent may be run.
    pub(super) async fn definition(&self, agent: AgentId, version: u32) -> Result<Arc<Definition>, Error> {
        current(&find(self.agents.as_ref(), agent).await?)?;
        self.agents.definition(agent, version).await?.ok_or_else(|| {
            Error::Invalid(vec![Refused {
                code: "run.version_unknown",
                kind: RefusalKind::Invalid,
                detail: format!("the agent has no version {version}"),
                pointer: Some("/agent_version".to_owned()),
            }])
        })
    }
}

/// Finds an agent in any project.
pub(super) async fn find(agents: &dyn RunnableAgents, agent: AgentId) -> Result<RunnableAgent, Error> {
    let found = agents.find(agent).await?;
    found.ok_or_else(|| Error::NotFound(format!("agent {agent}")))
}

/// The current version of an agent and its definition, if the agent may be run.
pub(super) fn current(agent: &RunnableAgent) -> Result<(u32, Arc<Definition>), Error> {
    agent.current.clone().ok_or_else(|| {
        Error::Refused(Refused {
            code: "run.agent_inactive",
            kind: RefusalKind::Conflict,
            detail: "the agent is not active; activate or resume it first".to_owned(),
            pointer: None,
        })
    })
}

/// Checks an input against the agent's schema.
pub(super) async fn check_input(
    schemas: &dyn Schemas,
    definition: &Definition,
    input: &Json,
) -> Result<(), Vec<Refused>> {
    let Some(schema) = definition.input_schema() else { return Ok(()) };
    let violations = schemas.validate(schema, input).await.err().unwrap_or_default();
    let refused = violations.into_iter().take(REPORTED).map(|violation| Refused {
        code: "run.input_schema",
        kind: RefusalKind::Invalid,
        detail: violation.message,
        pointer: Some(format!("/input{}", violation.pointer)),
    });
    let refused: Vec<_> = refused.collect();
    if refused.is_empty() { Ok(()) } else { Err(refused) }
}

/// The deadline of a run: as requested, but never later than its definition allows.
pub(super) fn deadline(definition: &Definition, now: DateTime<Utc>, asked: Option<DateTime<Utc>>) -> DateTime<Utc> {
    let latest = now + Duration::from_secs(definition.wall_clock_s().into());
    asked.map_or(latest, |asked| asked.min(latest))
}
