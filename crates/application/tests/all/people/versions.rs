use devskyy_application::{
    agents::{AgentVersionView, AgentView, CreateAgent, GetVersion, ListVersions, PublishVersion},
    context::Actor,
    error::Error,
    paging::Part,
};
use devskyy_domain::{
    definition::Definition,
    kernel::{Json, ids::AgentId},
};

use super::world::{World, agent_named, definition, json, stranger};

async fn publish(
    world: &World,
    actor: &Actor,
    agent: AgentId,
    definition: Json,
) -> Result<(AgentVersionView, AgentView), Error> {
    let command = PublishVersion { agent, definition, expected: None, idempotency: None };
    world.agents.publish_version.handle(actor, command).await
}

fn pointers(outcome: Result<impl Sized, Error>) -> Vec<(&'static str, String)> {
    match outcome {
        Err(Error::Invalid(wrong)) => wrong.into_iter().map(|it| (it.code, it.pointer.unwrap_or_default())).collect(),
        _ => vec![],
    }
}

#[tokio::test]
async fn other_content_is_the_next_version() {
    let world = World::new();
    let (ada, _) = world.person("ada").await;
    let agent = world.agent(&ada, "Keeper").await;
    let (version, agent) = publish(&world, &ada, agent.id, definition("more")).await.unwrap();
    assert_eq!((version.summary.number, agent.current_version), (2, Some(2)));
}

#[tokio::test]
async fn the_same_content_is_the_same_version() {
    let world = World::new();
    let (ada, _) = world.person("ada").await;
    let agent = world.agent(&ada, "Keeper").await;
    let before = world.events();
    let (version, _) = publish(&world, &ada, agent.id, definition("done")).await.unwrap();
    assert_eq!((version.summary.number, world.events()), (1, before));
}

#[tokio::test]
async fn a_version_is_read_back_with_its_definition_and_its_publisher() {
    let world = World::new();
    let (ada, user) = world.person("ada").await;
    let agent = world.agent(&ada, "Keeper").await.id;
    let version = world.agents.get_version.handle(&ada, GetVersion { agent, number: 1 }).await.unwrap();
    let publisher = format!("user:{}", user.id);
    let Definition::Workflow(workflow) = version.definition else { panic!("a workflow") };
    assert_eq!((workflow.output, version.summary.published_by), (Json::from("done"), publisher));
}

#[tokio::test]
async fn versions_are_listed_the_newest_first() {
    let world = World::new();
    let (ada, _) = world.person("ada").await;
    let agent = world.agent(&ada, "Keeper").await.id;
    publish(&world, &ada, agent, definition("more")).await.unwrap();
    let page = Part::default();
    let listed = world.agents.list_versions.handle(&ada, ListVersions { agent, page }).await.unwrap();
    assert_eq!(listed.items.iter().map(|version| version.number).collect::<Vec<_>>(), [2, 1]);
}

#[tokio::test]
async fn to_a_stranger_there_are_no_versions() {
    let world = World::new();
    let (ada, _) = world.person("ada").await;
    let (agent, eve, page) = (world.agent(&ada, "Keeper").await.id, stranger(), Part::default());
    let listed = world.agents.list_versions.handle(&eve, ListVersions { agent, page }).await.err();
    let shown = world.agents.get_version.handle(&eve, GetVersion { agent, number: 1 }).await.err();
    let published = publish(&world, &eve, agent, definition("mine")).await.err();
    let answers = [listed, shown, published];
    assert!(answers.iter().all(|it| matches!(it, Some(Error::NotFound(_)))), "{answers:?}");
}

#[tokio::test]
async fn a_malformed_definition_is_refused_at_its_place_in_the_body() {
    let world = World::new();
    let (ada, _) = world.person("ada").await;
    let agent = world.agent(&ada, "Keeper").await.id;
    let malformed = json(r#"{"steps": [], "limits": {"max_steps": "many"}}"#);
    let found = pointers(publish(&world, &ada, agent, malformed).await);
    assert_eq!(found, [("workflow.malformed", "/definition/limits/max_steps".to_owned())]);
}

#[tokio::test]
async fn what_the_check_finds_is_said_at_its_place_in_the_body() {
    let world = World::new();
    let (ada, _) = world.person("ada").await;
    let agent = world.agent(&ada, "Keeper").await.id;
    let wrong = json(r#"{"steps": [{"id": "a", "needs": ["b"], "tool": "jq", "arguments": {}}]}"#);
    let found = pointers(publish(&world, &ada, agent, wrong).await);
    assert!(found.iter().any(|(_, pointer)| pointer == "/definition/steps/0/needs/0"), "{found:?}");
}

#[tokio::test]
async fn a_refused_definition_creates_no_agent() {
    let world = World::new();
    let (ada, _) = world.person("ada").await;
    let before = world.events();
    let command = CreateAgent { definition: Some(json(r#"{"steps": 7}"#)), ..agent_named("Keeper") };
    world.agents.create.handle(&ada, command).await.unwrap_err();
    assert_eq!(world.events(), before);
}

#[tokio::test]
async fn an_agent_of_another_project_cannot_be_called() {
    let world = World::new();
    let ((ada, _), (eve, _)) = (world.person("ada").await, world.person("eve").await);
    let (mine, hers) = (world.agent(&ada, "Keeper").await.id, world.agent(&eve, "Warden").await.id);
    let calling = json(&format!(r#"{{"steps": [{{"id": "ask", "agent": "{hers}", "input": null}}]}}"#));
    let found = pointers(publish(&world, &ada, mine, calling).await);
    assert_eq!(found, [("workflow.agent_unknown", "/definition/steps/0/agent".to_owned())]);
}

#[tokio::test]
async fn an_agent_of_the_same_project_can_be_called() {
    let world = World::new();
    let (ada, _) = world.person("ada").await;
    let (caller, called) = (world.agent(&ada, "Keeper").await.id, world.agent(&ada, "Warden").await.id);
    let calling = json(&format!(r#"{{"steps": [{{"id": "ask", "agent": "{called}", "input": null}}]}}"#));
    assert!(publish(&world, &ada, caller, calling).await.is_ok());
}

/// An agent whose tool the server describes differently each time, and its definition as submitted.
async fn described_anew(world: &World, actor: &Actor) -> (AgentId, Json) {
    let server = r#"{"url": "https://tools.example.org/mcp", "tool": "restless"}"#;
    let tool = format!(r#"{{"kind": "mcp", "effect": "read_only", "server": {server}}}"#);
    let step = r#"{"id": "a", "tool": "find", "arguments": {"name-0": 1}}"#;
    let written = json(&format!(r#"{{"tools": {{"find": {tool}}}, "steps": [{step}]}}"#));
    let command = CreateAgent { definition: Some(written.clone()), ..agent_named("Finder") };
    (world.agents.create.handle(actor, command).await.unwrap().id, written)
}

async fn pinned(world: &World, actor: &Actor, agent: AgentId, number: u32) -> String {
    let version = world.agents.get_version.handle(actor, GetVersion { agent, number }).await.unwrap();
    let Definition::Workflow(workflow) = version.definition else { panic!("a workflow") };
    serde_json::to_string(&workflow.tools).unwrap()
}

#[tokio::test]
async fn a_version_keeps_what_a_server_said_of_its_tool_when_the_server_says_otherwise() {
    let world = World::new();
    let (ada, _) = world.person("ada").await;
    let (agent, written) = described_anew(&world, &ada).await;
    let before = pinned(&world, &ada, agent, 1).await;
    publish(&world, &ada, agent, written).await.unwrap();
    assert_eq!((before.contains("name-0"), pinned(&world, &ada, agent, 1).await), (true, before));
}

#[tokio::test]
async fn what_a_server_says_otherwise_of_its_tool_is_the_next_version() {
    let world = World::new();
    let (ada, _) = world.person("ada").await;
    let (agent, written) = described_anew(&world, &ada).await;
    let (version, _) = publish(&world, &ada, agent, written).await.unwrap();
    assert_eq!((version.summary.number, pinned(&world, &ada, agent, 2).await.contains("name-1")), (2, true));
}
