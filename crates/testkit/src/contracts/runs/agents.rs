//! Promises of whoever tells runs what agents do.
#![expect(clippy::unwrap_used, reason = "a broken promise is a panic")]

use devskyy_application::{
    es::{AppendRequest, EventContext, EventStore, Precondition, Repository},
    runs::RunnableAgents,
};
use devskyy_domain::{
    agents::{Agent, AgentName, AgentType, Capabilities, Description, NewAgent},
    definition::Definition,
    kernel::Aggregate,
    workflow::Workflow,
};
use uuid::Uuid;

use super::{agent, project};

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

/// An agent's present version is what runs start from, an old one is what old runs finish, and a paused one starts none.
pub async fn an_agent_is_told_as_it_stands(store: &dyn EventStore, agents: &dyn RunnableAgents) {
    assert_eq!(agents.find(agent(1)).await.unwrap(), None);
    let new = NewAgent {
        project: project(1),
        name: AgentName::parse("Ada's agent").unwrap(),
        kind: AgentType::Workflow,
        capabilities: Capabilities::default(),
        description: Description::default(),
    };
    happens(store, |agent| agent.create(&new, Some(&workflow("first"))).unwrap()).await;
    happens(store, |agent| agent.publish(&workflow("second")).unwrap()).await;
    let found = agents.find(agent(1)).await.unwrap().unwrap();
    let (version, current) = found.current.unwrap();
    assert_eq!((found.project, version, current.as_ref()), (project(1), 2, &workflow("second")));
    happens(store, |agent| agent.pause().unwrap()).await;
    assert_eq!(agents.find(agent(1)).await.unwrap().unwrap().current, None);
    let old = agents.definition(agent(1), 1).await.unwrap().unwrap();
    assert_eq!(*old, workflow("first"));
    assert_eq!(agents.definition(agent(1), 9).await.unwrap(), None);
}
