//! The contract of the definitions of agents, as runs look them up.
#![expect(clippy::unwrap_used, reason = "a broken promise is a panic")]

use std::sync::Arc;

use devskyy_application::{
    es::{AppendRequest, EventContext, EventStore, Precondition, Repository},
    runs::RunnableAgent,
};
use devskyy_domain::{
    agents::{Agent, AgentName, AgentType, Capabilities, Description, NewAgent},
    definition::Definition,
    kernel::Aggregate,
    workflow::Workflow,
};
use uuid::Uuid;

use super::{RunsUnderTest, agent, project};

fn workflow(step: &str) -> Definition {
    serde_json::from_str::<Workflow>(&format!(r#"{{"steps":[{{"id":"{step}","tool":"jq"}}]}}"#)).unwrap().into()
}

async fn happens(store: &dyn EventStore, change: impl FnOnce(&Agent) -> Vec<<Agent as Aggregate>::Event>) {
    let mut state = Agent::default();
    let stream = devskyy_application::es::StreamId::of::<Agent>(agent(1));
    for recorded in store.read_stream(stream, 0, 100).await.unwrap() {
        state.apply(&recorded.decode().unwrap());
    }
    let write = Repository::<Agent>::write(agent(1), Precondition::Any, &change(&state)).unwrap();
    let context = EventContext {
        actor: "user:ada".to_owned(),
        project: Some(project(1)),
        correlation_id: Uuid::from_u128(1),
        causation_id: Uuid::from_u128(1),
        source: None,
        traceparent: None,
    };
    store.append(AppendRequest { writes: vec![write], claims: vec![], idempotency: None, context }).await.unwrap();
}

/// An agent that was created and published once more.
async fn given_agent(runs: &RunsUnderTest) {
    let new = NewAgent {
        project: project(1),
        name: AgentName::parse("Ada's agent").unwrap(),
        kind: AgentType::Workflow,
        capabilities: Capabilities::default(),
        description: Description::default(),
    };
    happens(runs.store.as_ref(), |agent| agent.create(&new, Some(&workflow("first"))).unwrap()).await;
    happens(runs.store.as_ref(), |agent| agent.publish(&workflow("second")).unwrap()).await;
}

/// Absence is not an error.
pub async fn an_agent_nobody_made_is_not_there(runs: &RunsUnderTest) {
    assert_eq!(runs.agents.find(agent(1)).await.unwrap(), None);
}

/// New runs use the current version.
pub async fn an_agent_is_told_at_its_present_version(runs: &RunsUnderTest) {
    given_agent(runs).await;
    let current = Some((2, Arc::new(workflow("second"))));
    assert_eq!(runs.agents.find(agent(1)).await.unwrap(), Some(RunnableAgent { project: project(1), current }));
}

/// It is found, but cannot be run.
pub async fn a_paused_agent_starts_no_run(runs: &RunsUnderTest) {
    given_agent(runs).await;
    happens(runs.store.as_ref(), |agent| agent.pause().unwrap()).await;
    assert_eq!(runs.agents.find(agent(1)).await.unwrap(), Some(RunnableAgent { project: project(1), current: None }));
}

/// Runs in progress keep their version, whatever the agent's current state is.
pub async fn an_old_version_is_told_as_it_was(runs: &RunsUnderTest) {
    given_agent(runs).await;
    happens(runs.store.as_ref(), |agent| agent.pause().unwrap()).await;
    let old = runs.agents.definition(agent(1), 1).await.unwrap();
    assert_eq!(old.as_deref(), Some(&workflow("first")));
    assert_eq!(runs.agents.definition(agent(1), 9).await.unwrap(), None);
}
