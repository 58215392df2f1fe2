//! What every run goes through before it is queued, whether a person or another run asks for it.

use std::{sync::Arc, time::Duration};

use chrono::{DateTime, Utc};
use devskyy_domain::{
    definition::Definition,
    kernel::{Json, RefusalKind, ids::AgentId},
};

use super::ports::{RunnableAgent, RunnableAgents};
use crate::{
    error::{Error, Refused},
    workflow::Schemas,
};

/// Most violations that are reported at once.
const REPORTED: usize = 20;

/// Finds an agent, wherever it lives.
pub(super) async fn find(agents: &dyn RunnableAgents, agent: AgentId) -> Result<RunnableAgent, Error> {
    let found = agents.find(agent).await?;
    found.ok_or_else(|| Error::NotFound(format!("agent {agent}")))
}

/// What a run of the agent would do, if it may be run.
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

/// Checks an input against what the agent declares.
pub(super) fn check_input(schemas: &dyn Schemas, definition: &Definition, input: &Json) -> Result<(), Vec<Refused>> {
    let Some(schema) = definition.input_schema() else { return Ok(()) };
    let violations = schemas.validate(schema, input).err().unwrap_or_default();
    let refused = violations.into_iter().take(REPORTED).map(|violation| Refused {
        code: "run.input_schema",
        kind: RefusalKind::Invalid,
        detail: violation.message,
        pointer: Some(format!("/input{}", violation.pointer)),
    });
    let refused: Vec<_> = refused.collect();
    if refused.is_empty() { Ok(()) } else { Err(refused) }
}

/// When a run ends at the latest: as asked, and never later than its definition allows.
pub(super) fn deadline(definition: &Definition, now: DateTime<Utc>, asked: Option<DateTime<Utc>>) -> DateTime<Utc> {
    let latest = now + Duration::from_secs(definition.wall_clock_s().into());
    asked.map_or(latest, |asked| asked.min(latest))
}
