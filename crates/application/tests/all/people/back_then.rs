//! Earlier states of agents and projects.

use std::time::Duration;

use chrono::{DateTime, Utc};
use devskyy_application::{
    agents::{AgentView, ChangeLifecycle, GetAgent, PublishVersion, UpdateAgent},
    context::Actor,
    error::Error,
    es::Moment,
    ports::Clock,
    projects::{ChangeProject, CreateProject, GetProject, ProjectChange, ProjectView, RemoveMember},
};
use devskyy_domain::{
    kernel::ids::{AgentId, ProjectId},
    projects::{ProjectName, ProjectRole},
};

use super::world::{World, agent_named, definition, stranger};

async fn agent_at(world: &World, actor: &Actor, id: AgentId, moment: Moment) -> Result<AgentView, Error> {
    world.agents.get.handle(actor, GetAgent { id, moment: Some(moment) }).await
}

async fn project_at(world: &World, actor: &Actor, id: ProjectId, moment: Moment) -> Result<ProjectView, Error> {
    world.projects.get.handle(actor, GetProject { id, moment: Some(moment) }).await
}

/// Records a view and the time, and advances the clock by a minute.
fn note<T>(world: &World, seen: &mut Vec<(T, DateTime<Utc>)>, view: T) {
    seen.push((view, world.clock.now()));
    world.clock.advance(Duration::from_secs(60));
}

/// An agent with every kind of change, with its state after each change, and the times.
async fn grown_agent(world: &World, ada: &Actor) -> Vec<(AgentView, DateTime<Utc>)> {
    let mut seen = vec![];
    note(world, &mut seen, world.agents.create.handle(ada, agent_named("Keeper")).await.unwrap());
    let id = seen[0].0.id;
    for content in ["one", "two", "one"] {
        let command = PublishVersion { agent: id, definition: definition(content), expected: None, idempotency: None };
        note(world, &mut seen, world.agents.publish_version.handle(ada, command).await.unwrap().1);
    }
    let on = || ChangeLifecycle { id, expected: None };
    note(world, &mut seen, world.agents.activate.handle(ada, on()).await.unwrap());
    let other = UpdateAgent::parse(id, Some("Warden"), Some("Guards."), Some(&["guard".to_owned()])).unwrap();
    note(world, &mut seen, world.agents.update.handle(ada, other).await.unwrap());
    note(world, &mut seen, world.agents.pause.handle(ada, on()).await.unwrap());
    note(world, &mut seen, world.agents.resume.handle(ada, on()).await.unwrap());
    note(world, &mut seen, world.agents.archive.handle(ada, on()).await.unwrap());
    seen
}

/// A project with every kind of change, with its state after each change, and the times.
async fn grown_project(world: &World, ada: &Actor) -> Vec<(ProjectView, DateTime<Utc>)> {
    let mut seen = vec![];
    let command = CreateProject { name: ProjectName::parse("Lighthouse").unwrap(), idempotency: None };
    note(world, &mut seen, world.projects.create.handle(ada, command).await.unwrap());
    let project = seen[0].0.id;
    for change in [
        ProjectChange::Rename(ProjectName::parse("Old harbour").unwrap()),
        ProjectChange::Suspend,
        ProjectChange::Resume,
        ProjectChange::Archive,
    ] {
        let command = ChangeProject { project, change, expected: None };
        note(world, &mut seen, world.projects.change.handle(ada, command).await.unwrap());
    }
    seen
}

#[tokio::test]
async fn a_version_of_an_agent_is_shown_as_it_was_seen_then() {
    let world = World::new();
    let (ada, _) = world.person("ada").await;
    for (then, _) in grown_agent(&world, &ada).await {
        let shown = agent_at(&world, &ada, then.id, Moment::Version(then.version)).await;
        assert_eq!(shown.unwrap(), then);
    }
}

#[tokio::test]
async fn an_agent_is_shown_as_it_was_seen_at_an_instant() {
    let world = World::new();
    let (ada, _) = world.person("ada").await;
    for (then, at) in grown_agent(&world, &ada).await {
        for later in [Duration::ZERO, Duration::from_secs(59)] {
            let shown = agent_at(&world, &ada, then.id, Moment::Instant(at + later)).await;
            assert_eq!(shown.unwrap(), then);
        }
    }
}

#[tokio::test]
async fn a_version_of_a_project_is_shown_as_it_was_seen_then() {
    let world = World::new();
    let (ada, _) = world.person("ada").await;
    for (then, _) in grown_project(&world, &ada).await {
        let shown = project_at(&world, &ada, then.id, Moment::Version(then.version)).await;
        assert_eq!(shown.unwrap(), then);
    }
}

#[tokio::test]
async fn a_project_is_shown_as_it_was_seen_at_an_instant() {
    let world = World::new();
    let (ada, _) = world.person("ada").await;
    for (then, at) in grown_project(&world, &ada).await {
        for later in [Duration::ZERO, Duration::from_secs(59)] {
            let shown = project_at(&world, &ada, then.id, Moment::Instant(at + later)).await;
            assert_eq!(shown.unwrap(), then);
        }
    }
}

#[tokio::test]
async fn a_personal_project_was_personal_from_the_start() {
    let world = World::new();
    let (ada, user) = world.person("ada").await;
    let shown = project_at(&world, &ada, user.personal_project_id, Moment::Version(1)).await;
    assert!(shown.unwrap().personal);
}

/// Moments at which something of this age and version did not exist.
fn never(version: u64, created_at: DateTime<Utc>) -> [Moment; 3] {
    let before = created_at - Duration::from_micros(1);
    [Moment::Version(0), Moment::Version(version + 1), Moment::Instant(before)]
}

#[tokio::test]
async fn before_it_was_created_and_beyond_its_version_there_is_no_agent() {
    let world = World::new();
    let (ada, _) = world.person("ada").await;
    let agent = world.agent(&ada, "Keeper").await;
    for moment in never(agent.version, agent.created_at) {
        let shown = agent_at(&world, &ada, agent.id, moment).await;
        assert!(matches!(shown, Err(Error::NotFound(_))), "{moment:?}: {shown:?}");
    }
}

#[tokio::test]
async fn before_it_was_created_and_beyond_its_version_there_is_no_project() {
    let world = World::new();
    let (ada, _) = world.person("ada").await;
    let (project, _) = grown_project(&world, &ada).await.pop().unwrap();
    for moment in never(project.version, project.created_at) {
        let shown = project_at(&world, &ada, project.id, moment).await;
        assert!(matches!(shown, Err(Error::NotFound(_))), "{moment:?}: {shown:?}");
    }
}

#[tokio::test]
async fn an_instant_to_come_shows_an_agent_as_it_stands() {
    let world = World::new();
    let (ada, _) = world.person("ada").await;
    let agent = world.agent(&ada, "Keeper").await;
    let later = Moment::Instant(world.clock.now() + Duration::from_secs(3_600));
    assert_eq!(agent_at(&world, &ada, agent.id, later).await.unwrap(), agent);
}

#[tokio::test]
async fn to_a_stranger_nothing_ever_was() {
    let world = World::new();
    let (ada, _) = world.person("ada").await;
    let agent = world.agent(&ada, "Keeper").await;
    let hidden = agent_at(&world, &stranger(), agent.id, Moment::Version(1)).await.err();
    let project = project_at(&world, &stranger(), agent.project_id, Moment::Version(1)).await.err();
    let answers = [hidden, project];
    assert!(answers.iter().all(|it| matches!(it, Some(Error::NotFound(_)))), "{answers:?}");
}

#[tokio::test]
async fn whoever_left_sees_nothing_of_the_time_they_were_there() {
    let world = World::new();
    let ((ada, owner), (eve, user)) = (world.person("ada").await, world.person("eve").await);
    let (agent, project) = (world.agent(&ada, "Keeper").await, owner.personal_project_id);
    world.join(&ada, project, user.id, ProjectRole::Viewer).await;
    let there = world.clock.now();
    world.clock.advance(Duration::from_secs(60));
    let leave = RemoveMember { project, user: user.id, expected: None };
    world.projects.remove_member.handle(&ada, leave).await.unwrap();
    let hidden = agent_at(&world, &eve, agent.id, Moment::Instant(there)).await;
    assert!(matches!(hidden, Err(Error::NotFound(_))), "{hidden:?}");
}

#[tokio::test]
async fn whoever_came_later_sees_what_was_before() {
    let world = World::new();
    let ((ada, owner), (eve, user)) = (world.person("ada").await, world.person("eve").await);
    let agent = world.agent(&ada, "Keeper").await;
    world.clock.advance(Duration::from_secs(60));
    world.join(&ada, owner.personal_project_id, user.id, ProjectRole::Viewer).await;
    let shown = agent_at(&world, &eve, agent.id, Moment::Instant(agent.created_at)).await;
    assert_eq!(shown.unwrap(), agent);
}
