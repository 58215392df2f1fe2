use devskyy_application::{
    agents::{AgentView, ChangeLifecycle, CreateAgent, GetAgent, ListAgents, PublishVersion, UpdateAgent},
    context::Actor,
    error::Error,
};
use devskyy_domain::{
    agents::{AgentName, AgentStatus},
    kernel::ids::AgentId,
    projects::ProjectRole,
};

use super::world::{World, agent_named, anonymous, definition, key, stranger};

fn code<T>(outcome: &Result<T, Error>) -> &str {
    match outcome {
        Err(Error::Refused(refused)) => refused.code,
        Err(Error::NotFound(_)) => "not_found",
        Err(Error::Forbidden | Error::Denied) => "forbidden",
        Err(Error::Unauthenticated) => "unauthenticated",
        Err(_) => "other",
        Ok(_) => "ok",
    }
}

fn on(id: AgentId) -> ChangeLifecycle {
    ChangeLifecycle { id, expected: None }
}

async fn rename(world: &World, actor: &Actor, id: AgentId, to: &str) -> Result<AgentView, Error> {
    let command = UpdateAgent::parse(id, Some(to), None, None).unwrap();
    world.agents.update.handle(actor, command).await
}

#[tokio::test]
async fn an_agent_without_a_project_lands_in_the_personal_one() {
    let world = World::new();
    let (ada, user) = world.person("ada").await;
    assert_eq!(world.agent(&ada, "Keeper").await.project_id, user.personal_project_id);
}

#[tokio::test]
async fn an_agent_with_a_definition_is_active_at_version_1() {
    let world = World::new();
    let (ada, _) = world.person("ada").await;
    let agent = world.agent(&ada, "Keeper").await;
    assert_eq!((agent.status, agent.current_version, agent.version), (AgentStatus::Active, Some(1), 3));
}

#[tokio::test]
async fn an_agent_without_a_definition_is_a_draft() {
    let world = World::new();
    let (ada, _) = world.person("ada").await;
    let agent = world.agents.create.handle(&ada, agent_named("Keeper")).await.unwrap();
    assert_eq!((agent.status, agent.current_version), (AgentStatus::Draft, None));
}

#[tokio::test]
async fn a_name_is_taken_within_its_project_letters_case_aside() {
    let world = World::new();
    let (ada, _) = world.person("ada").await;
    world.agent(&ada, "Keeper").await;
    assert_eq!(code(&world.agents.create.handle(&ada, agent_named("KEEPER")).await), "agent.name_taken");
}

#[tokio::test]
async fn a_name_is_free_in_another_project() {
    let world = World::new();
    let ((ada, _), (eve, _)) = (world.person("ada").await, world.person("eve").await);
    world.agent(&ada, "Keeper").await;
    assert_eq!(code(&world.agents.create.handle(&eve, agent_named("Keeper")).await), "ok");
}

#[tokio::test]
async fn of_twenty_parallel_agents_of_one_name_one_is_created() {
    let world = World::new();
    let (ada, _) = world.person("ada").await;
    let tries = (0..20).map(|_| world.agents.create.handle(&ada, agent_named("Keeper")));
    let outcomes = futures_util::future::join_all(tries).await;
    assert_eq!(outcomes.iter().filter(|it| it.is_ok()).count(), 1);
}

#[tokio::test]
async fn a_repeated_request_makes_one_agent() {
    let world = World::new();
    let (ada, _) = world.person("ada").await;
    let command = || CreateAgent { idempotency: Some(key("a", 1)), ..agent_named("Keeper") };
    let first = world.agents.create.handle(&ada, command()).await.unwrap();
    assert_eq!(world.agents.create.handle(&ada, command()).await.unwrap(), first);
}

#[tokio::test]
async fn a_key_used_for_another_agent_is_refused() {
    let world = World::new();
    let (ada, _) = world.person("ada").await;
    let command = |name, print| CreateAgent { idempotency: Some(key("a", print)), ..agent_named(name) };
    world.agents.create.handle(&ada, command("Keeper", 1)).await.unwrap();
    let refused = world.agents.create.handle(&ada, command("Warden", 2)).await;
    assert!(matches!(refused, Err(Error::KeyReused)), "{refused:?}");
}

#[tokio::test]
async fn an_assistant_runs_only_where_a_provider_answers_for_its_model() {
    let world = World::new();
    let (ada, _) = world.person("ada").await;
    let assistant = async |name, model: &str| {
        let definition = format!(r#"{{"model":"{model}","instructions":"Be brief."}}"#);
        let mut command = CreateAgent::parse(name, "assistant", &[], "").unwrap();
        command.definition = serde_json::from_str(&definition).ok();
        world.agents.create.handle(&ada, command).await
    };
    assert_eq!(assistant("Keeper", "scripted/one").await.unwrap().status, AgentStatus::Active);
    assert_eq!(code(&assistant("Warden", "elsewhere/one").await), "agent.model_unavailable");
}

#[tokio::test]
async fn a_draft_is_activated_only_where_a_provider_answers_for_its_model() {
    let world = World::new();
    let (ada, _) = world.person("ada").await;
    let draft = CreateAgent::parse("Keeper", "assistant", &[], "").unwrap();
    let agent = world.agents.create.handle(&ada, draft).await.unwrap().id;
    let definition = serde_json::from_str(r#"{"model":"elsewhere/one","instructions":"Be brief."}"#).unwrap();
    let publish = PublishVersion { agent, definition, expected: None, idempotency: None };
    world.agents.publish_version.handle(&ada, publish).await.unwrap();
    let activated = world.agents.activate.handle(&ada, ChangeLifecycle { id: agent, expected: None }).await;
    assert_eq!(code(&activated), "agent.model_unavailable");
}

#[tokio::test]
async fn a_workflow_is_no_definition_of_an_assistant() {
    let world = World::new();
    let (ada, _) = world.person("ada").await;
    let mut command = CreateAgent::parse("Keeper", "assistant", &[], "").unwrap();
    command.definition = Some(definition("done"));
    let refused = world.agents.create.handle(&ada, command).await;
    assert!(matches!(refused, Err(Error::Invalid(found)) if found[0].code == "assistant.malformed"));
}

#[tokio::test]
async fn a_renamed_agent_frees_its_old_name() {
    let world = World::new();
    let (ada, _) = world.person("ada").await;
    let agent = world.agent(&ada, "Keeper").await;
    rename(&world, &ada, agent.id, "Warden").await.unwrap();
    assert_eq!(code(&world.agents.create.handle(&ada, agent_named("Keeper")).await), "ok");
}

#[tokio::test]
async fn an_agent_is_not_renamed_to_a_taken_name() {
    let world = World::new();
    let (ada, _) = world.person("ada").await;
    world.agent(&ada, "Keeper").await;
    let warden = world.agent(&ada, "Warden").await;
    assert_eq!(code(&rename(&world, &ada, warden.id, "keeper").await), "agent.name_taken");
}

#[tokio::test]
async fn an_agent_may_change_the_case_of_its_own_name() {
    let world = World::new();
    let (ada, _) = world.person("ada").await;
    let agent = world.agent(&ada, "Keeper").await;
    assert_eq!(rename(&world, &ada, agent.id, "KEEPER").await.unwrap().name, "KEEPER");
}

#[tokio::test]
async fn an_archived_agent_frees_its_name() {
    let world = World::new();
    let (ada, _) = world.person("ada").await;
    let agent = world.agent(&ada, "Keeper").await;
    world.agents.archive.handle(&ada, on(agent.id)).await.unwrap();
    assert_eq!(code(&world.agents.create.handle(&ada, agent_named("Keeper")).await), "ok");
}

#[tokio::test]
async fn an_old_version_of_an_agent_is_refused_and_changes_nothing() {
    let world = World::new();
    let (ada, _) = world.person("ada").await;
    let agent = world.agent(&ada, "Keeper").await;
    let before = world.events();
    let name = Some(AgentName::parse("Warden").unwrap());
    let command = UpdateAgent { id: agent.id, name, description: None, capabilities: None, expected: Some(2) };
    let outcome = world.agents.update.handle(&ada, command).await;
    assert!(matches!(outcome, Err(Error::StaleVersion { expected: 2, actual: 3 })) && world.events() == before);
}

#[tokio::test]
async fn pausing_and_resuming_move_the_version_on() {
    let world = World::new();
    let (ada, _) = world.person("ada").await;
    let agent = world.agent(&ada, "Keeper").await;
    let paused = world.agents.pause.handle(&ada, on(agent.id)).await.unwrap();
    let resumed = world.agents.resume.handle(&ada, on(agent.id)).await.unwrap();
    let seen = [paused, resumed].map(|agent| (agent.status, agent.version));
    assert_eq!(seen, [(AgentStatus::Paused, 4), (AgentStatus::Active, 5)]);
}

#[tokio::test]
async fn a_draft_without_version_is_not_activated() {
    let world = World::new();
    let (ada, _) = world.person("ada").await;
    let agent = world.agents.create.handle(&ada, agent_named("Keeper")).await.unwrap();
    assert_eq!(code(&world.agents.activate.handle(&ada, on(agent.id)).await), "agent.no_version");
}

#[tokio::test]
async fn to_a_stranger_an_agent_does_not_exist_whatever_is_asked() {
    let world = World::new();
    let (ada, _) = world.person("ada").await;
    let id = world.agent(&ada, "Keeper").await.id;
    let (eve, before) = (stranger(), world.events());
    let answers = [
        world.agents.get.handle(&eve, GetAgent { id, moment: None }).await,
        rename(&world, &eve, id, "Warden").await,
        world.agents.activate.handle(&eve, on(id)).await,
        world.agents.pause.handle(&eve, on(id)).await,
        world.agents.resume.handle(&eve, on(id)).await,
        world.agents.archive.handle(&eve, on(id)).await,
    ];
    assert!(answers.iter().all(|it| code(it) == "not_found") && world.events() == before, "{answers:?}");
}

#[tokio::test]
async fn a_hidden_agent_and_a_missing_one_answer_alike() {
    let world = World::new();
    let (ada, _) = world.person("ada").await;
    let hidden = world.agent(&ada, "Keeper").await.id;
    let missing: AgentId = uuid::Uuid::from_u128(404).into();
    let about = async |id: AgentId| {
        let answer = world.agents.get.handle(&stranger(), GetAgent { id, moment: None }).await;
        answer.unwrap_err().to_string().replace(&id.to_string(), "it")
    };
    assert_eq!(about(hidden).await, about(missing).await);
}

#[tokio::test]
async fn without_signing_in_nobody_learns_whether_an_agent_exists() {
    let world = World::new();
    let (ada, _) = world.person("ada").await;
    let hidden = world.agent(&ada, "Keeper").await.id;
    let missing = uuid::Uuid::from_u128(404).into();
    let answers = [
        code(&world.agents.get.handle(&anonymous(), GetAgent { id: hidden, moment: None }).await).to_owned(),
        code(&world.agents.get.handle(&anonymous(), GetAgent { id: missing, moment: None }).await).to_owned(),
    ];
    assert_eq!(answers, ["unauthenticated", "unauthenticated"]);
}

#[tokio::test]
async fn a_viewer_sees_agents_and_changes_none() {
    let world = World::new();
    let ((ada, owner), (eve, user)) = (world.person("ada").await, world.person("eve").await);
    let id = world.agent(&ada, "Keeper").await.id;
    world.join(&ada, owner.personal_project_id, user.id, ProjectRole::Viewer).await;
    let seen = world.agents.get.handle(&eve, GetAgent { id, moment: None }).await;
    let changed = world.agents.pause.handle(&eve, on(id)).await;
    assert_eq!((code(&seen), code(&changed)), ("ok", "forbidden"));
}

#[tokio::test]
async fn a_list_shows_only_agents_of_ones_own_projects() {
    let world = World::new();
    let ((ada, _), (eve, _)) = (world.person("ada").await, world.person("eve").await);
    world.agent(&ada, "Keeper").await;
    let mine = world.agent(&eve, "Warden").await;
    let listed = world.agents.list.handle(&eve, ListAgents::default()).await.unwrap();
    assert_eq!((listed.items.clone(), listed.total()), (vec![mine], Some(1)));
}

#[tokio::test]
async fn a_list_of_a_hidden_project_is_not_found() {
    let world = World::new();
    let (_, user) = world.person("ada").await;
    let query = ListAgents { project: Some(user.personal_project_id), ..ListAgents::default() };
    assert_eq!(code(&world.agents.list.handle(&stranger(), query).await), "not_found");
}
