//! Histories of agents and projects.

use devskyy_application::{
    agents::{AgentHistory, ChangeLifecycle, PublishVersion, UpdateAgent},
    context::Actor,
    error::Error,
    es::HistoryEntry,
    paging::{Beyond, KeysetRequest, PageOf, PageRequest, Part},
    projects::{ChangeMemberRole, ChangeProject, ProjectChange, ProjectHistory, RemoveMember},
};
use devskyy_domain::{
    kernel::ids::{AgentId, ProjectId},
    projects::{ProjectName, ProjectRole},
};

use super::world::{World, definition, stranger};

async fn of_agent(world: &World, actor: &Actor, agent: AgentId, page: Part) -> PageOf<HistoryEntry> {
    world.agents.history.handle(actor, AgentHistory { agent, page }).await.unwrap()
}

/// Every event by name, with its data as JSON.
fn told(page: &PageOf<HistoryEntry>) -> Vec<(&'static str, String)> {
    page.items.iter().map(|it| (it.kind, serde_json::to_string(&it.data).unwrap())).collect()
}

#[tokio::test]
async fn an_agents_history_is_told_in_the_words_of_the_interface() {
    let world = World::new();
    let (ada, _) = world.person("ada").await;
    let id = world.agent(&ada, "Keeper").await.id;
    for content in ["more", "done"] {
        let command = PublishVersion { agent: id, definition: definition(content), expected: None, idempotency: None };
        world.agents.publish_version.handle(&ada, command).await.unwrap();
    }
    let other = UpdateAgent::parse(id, Some("Warden"), Some("Guards."), Some(&["guard".to_owned()])).unwrap();
    world.agents.update.handle(&ada, other).await.unwrap();
    let on = || ChangeLifecycle { id, expected: None };
    world.agents.pause.handle(&ada, on()).await.unwrap();
    world.agents.resume.handle(&ada, on()).await.unwrap();
    world.agents.archive.handle(&ada, on()).await.unwrap();
    let created = r#"{"capabilities":["audit"],"description":"Looks after things.","name":"Keeper","type":"workflow"}"#;
    let expected = [
        ("agent.created", created),
        ("agent.version_published", r#"{"number":1}"#),
        ("agent.activated", "{}"),
        ("agent.version_published", r#"{"number":2}"#),
        ("agent.version_restored", r#"{"number":1}"#),
        ("agent.renamed", r#"{"name":"Warden"}"#),
        ("agent.described", r#"{"description":"Guards."}"#),
        ("agent.capabilities_changed", r#"{"capabilities":["guard"]}"#),
        ("agent.paused", "{}"),
        ("agent.resumed", "{}"),
        ("agent.archived", "{}"),
    ];
    let expected = expected.map(|(kind, data)| (kind, data.to_owned()));
    assert_eq!(told(&of_agent(&world, &ada, id, Part::default()).await), expected);
}

#[tokio::test]
async fn an_entry_says_who_did_it_and_where_it_is_in_the_log() {
    let world = World::new();
    let (ada, user) = world.person("ada").await;
    let agent = world.agent(&ada, "Keeper").await;
    let page = of_agent(&world, &ada, agent.id, Part::default()).await;
    let last = page.items.last().unwrap();
    let recorded = world.store.events().pop().unwrap();
    let expected = (recorded.position, 3, recorded.event_id, recorded.recorded_at, format!("user:{}", user.id));
    assert_eq!((last.position, last.sequence, last.id, last.at, last.actor.clone()), expected);
}

#[tokio::test]
async fn a_page_knows_how_much_there_is() {
    let world = World::new();
    let (ada, _) = world.person("ada").await;
    let id = world.agent(&ada, "Keeper").await.id;
    let page = of_agent(&world, &ada, id, Part::Page(PageRequest { page: 2, page_size: 2 })).await;
    let sequences: Vec<_> = page.items.iter().map(|it| it.sequence).collect();
    assert_eq!((sequences, page.total()), (vec![3], Some(3)));
}

#[tokio::test]
async fn a_page_beyond_the_last_is_empty() {
    let world = World::new();
    let (ada, _) = world.person("ada").await;
    let id = world.agent(&ada, "Keeper").await.id;
    let page = of_agent(&world, &ada, id, Part::Page(PageRequest { page: 1_000_000, page_size: 100 })).await;
    assert_eq!((page.items.len(), page.total()), (0, Some(3)));
}

#[tokio::test]
async fn stretches_tell_everything_once_also_what_happens_in_between() {
    let world = World::new();
    let (ada, _) = world.person("ada").await;
    let id = world.agent(&ada, "Keeper").await.id;
    let (mut sequences, mut after) = (vec![], None);
    loop {
        let part = Part::Keyset(KeysetRequest { after: after.clone(), limit: 2 });
        let page = of_agent(&world, &ada, id, part).await;
        sequences.extend(page.items.iter().map(|it| it.sequence));
        if sequences.len() == 2 {
            world.agents.pause.handle(&ada, ChangeLifecycle { id, expected: None }).await.unwrap();
        }
        let Beyond::Next(Some(next)) = page.beyond else { break };
        after = Some(next);
    }
    assert_eq!(sequences, [1, 2, 3, 4]);
}

async fn of_project(world: &World, actor: &Actor, project: ProjectId) -> Result<PageOf<HistoryEntry>, Error> {
    world.projects.history.handle(actor, ProjectHistory { project, page: Part::default() }).await
}

#[tokio::test]
async fn a_projects_history_names_people_by_their_ids_alone() {
    let world = World::new();
    let ((ada, owner), (_, user)) = (world.person("ada").await, world.person("eve").await);
    let project = owner.personal_project_id;
    world.join(&ada, project, user.id, ProjectRole::Viewer).await;
    let promote = ChangeMemberRole { project, user: user.id, role: ProjectRole::Operator, expected: None };
    world.projects.change_member_role.handle(&ada, promote).await.unwrap();
    let leave = RemoveMember { project, user: user.id, expected: None };
    world.projects.remove_member.handle(&ada, leave).await.unwrap();
    for change in [
        ProjectChange::Rename(ProjectName::parse("Old harbour").unwrap()),
        ProjectChange::Suspend,
        ProjectChange::Resume,
        ProjectChange::Archive,
    ] {
        world.projects.change.handle(&ada, ChangeProject { project, change, expected: None }).await.unwrap();
    }
    let (owner, user) = (owner.id, user.id);
    let expected = [
        ("project.created", format!(r#"{{"name":"Personal","owner_id":"{owner}","personal":true,"slug":"personal"}}"#)),
        ("project.member_added", format!(r#"{{"role":"viewer","user_id":"{user}"}}"#)),
        ("project.member_role_changed", format!(r#"{{"role":"operator","user_id":"{user}"}}"#)),
        ("project.member_removed", format!(r#"{{"user_id":"{user}"}}"#)),
        ("project.renamed", r#"{"name":"Old harbour","slug":"old-harbour"}"#.to_owned()),
        ("project.suspended", "{}".to_owned()),
        ("project.resumed", "{}".to_owned()),
        ("project.archived", "{}".to_owned()),
    ];
    assert_eq!(told(&of_project(&world, &ada, project).await.unwrap()), expected);
}

#[tokio::test]
async fn to_a_stranger_nothing_ever_happened() {
    let world = World::new();
    let (ada, user) = world.person("ada").await;
    let agent = world.agent(&ada, "Keeper").await.id;
    let query = AgentHistory { agent, page: Part::default() };
    let hidden = world.agents.history.handle(&stranger(), query).await.err();
    let answers = [hidden, of_project(&world, &stranger(), user.personal_project_id).await.err()];
    assert!(answers.iter().all(|it| matches!(it, Some(Error::NotFound(_)))), "{answers:?}");
}
