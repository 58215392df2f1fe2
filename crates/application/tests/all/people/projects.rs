use devskyy_application::{
    context::Actor,
    error::Error,
    es::Repository,
    paging::Part,
    projects::{
        AddMember, ChangeMemberRole, CreateProject, GetProject, ListMembers, ListProjects, PersonRef, ProjectView,
        RemoveMember,
    },
};
use devskyy_domain::{
    identity::Email,
    kernel::{RefusalKind, ids::UserId},
    projects::{Project, ProjectName, ProjectRole},
};
use uuid::Uuid;

use super::world::{World, anonymous, email, key, stranger};

async fn create(world: &World, actor: &Actor) -> ProjectView {
    let command = CreateProject { name: ProjectName::parse("Lighthouse").unwrap(), idempotency: Some(key("p", 1)) };
    world.projects.create.handle(actor, command).await.unwrap()
}

fn code<T>(outcome: &Result<T, Error>) -> &str {
    match outcome {
        Err(Error::Refused(refused)) => refused.code,
        Err(Error::NotFound(_)) => "not_found",
        Err(Error::Forbidden | Error::Denied) => "forbidden",
        Err(_) => "other",
        Ok(_) => "ok",
    }
}

async fn remove(world: &World, actor: &Actor, project: &ProjectView, user: UserId) -> Result<u64, Error> {
    let command = RemoveMember { project: project.id, user, expected: None };
    world.projects.remove_member.handle(actor, command).await
}

#[tokio::test]
async fn a_project_belongs_to_whoever_created_it() {
    let world = World::new();
    let (ada, user) = world.person("ada").await;
    let project = create(&world, &ada).await;
    let query = ListMembers { project: project.id, page: Part::default() };
    let members = world.projects.list_members.handle(&ada, query).await.unwrap();
    let member = &members.items[0];
    assert_eq!((member.user_id, member.role, member.name.as_deref()), (user.id, ProjectRole::Owner, Some("ada")));
}

#[tokio::test]
async fn a_repeated_request_makes_one_project() {
    let world = World::new();
    let (ada, _) = world.person("ada").await;
    assert_eq!(create(&world, &ada).await, create(&world, &ada).await);
}

#[tokio::test]
async fn nobody_creates_a_project_without_signing_in() {
    let command = CreateProject { name: ProjectName::parse("Lighthouse").unwrap(), idempotency: None };
    let outcome = World::new().projects.create.handle(&anonymous(), command).await;
    assert!(matches!(outcome, Err(Error::Unauthenticated)));
}

#[tokio::test]
async fn to_a_stranger_a_project_does_not_exist() {
    let world = World::new();
    let (ada, _) = world.person("ada").await;
    let project = create(&world, &ada).await;
    let hidden = world.projects.get.handle(&stranger(), GetProject { id: project.id, moment: None }).await;
    assert_eq!(code(&hidden), "not_found");
}

#[tokio::test]
async fn a_list_shows_ones_own_projects_only() {
    let world = World::new();
    let (ada, _) = world.person("ada").await;
    create(&world, &ada).await;
    let (eve, user) = world.person("eve").await;
    let listed = world.projects.list.handle(&eve, ListProjects::default()).await.unwrap();
    let ids: Vec<_> = listed.items.iter().map(|project| project.id).collect();
    assert_eq!((ids, listed.total()), (vec![user.personal_project_id], Some(1)));
}

#[tokio::test]
async fn an_administrator_sees_every_project() {
    let world = World::new();
    let (ada, _) = world.person("ada").await;
    create(&world, &ada).await;
    let admin = world.admin("root").await;
    assert_eq!(world.projects.list.handle(&admin, ListProjects::default()).await.unwrap().total(), Some(3));
}

#[tokio::test]
async fn a_member_is_added_by_email() {
    let world = World::new();
    let (ada, _) = world.person("ada").await;
    let eve = world.register("eve").await;
    let meeting_place = create(&world, &ada).await.id;
    world.join(&ada, meeting_place, eve.id, ProjectRole::Viewer).await;
    let project = create(&world, &ada).await.id;
    let person = PersonRef::Email(Email::parse(&email("eve")).unwrap());
    let command = AddMember { project, person, role: ProjectRole::Viewer, expected: None, idempotency: None };
    let (member, version) = world.projects.add_member.handle(&ada, command).await.unwrap();
    assert_eq!((member.user_id, version), (eve.id, 2));
}

#[tokio::test]
async fn somebody_without_an_account_cannot_be_added() {
    let world = World::new();
    let (ada, _) = world.person("ada").await;
    let project = create(&world, &ada).await.id;
    let person = PersonRef::Id(Uuid::from_u128(404).into());
    let command = AddMember { project, person, role: ProjectRole::Viewer, expected: None, idempotency: None };
    let outcome = world.projects.add_member.handle(&ada, command).await;
    assert!(matches!(&outcome, Err(Error::Refused(it)) if it.kind == RefusalKind::Invalid), "{outcome:?}");
}

#[tokio::test]
async fn only_owners_add_members() {
    let world = World::new();
    let ((ada, _), (eve, user)) = (world.person("ada").await, world.person("eve").await);
    let project = create(&world, &ada).await.id;
    world.join(&ada, project, user.id, ProjectRole::Maintainer).await;
    let person = PersonRef::Id(user.id);
    let command = AddMember { project, person, role: ProjectRole::Owner, expected: None, idempotency: None };
    assert_eq!(code(&world.projects.add_member.handle(&eve, command).await), "forbidden");
}

#[tokio::test]
async fn nobody_gives_themselves_a_role() {
    let world = World::new();
    let ((ada, _), (eve, user)) = (world.person("ada").await, world.person("eve").await);
    let project = create(&world, &ada).await.id;
    world.join(&ada, project, user.id, ProjectRole::Viewer).await;
    let command = ChangeMemberRole { project, user: user.id, role: ProjectRole::Owner, expected: None };
    assert_eq!(code(&world.projects.change_member_role.handle(&eve, command).await), "forbidden");
}

#[tokio::test]
async fn the_last_owner_stays() {
    let world = World::new();
    let (ada, user) = world.person("ada").await;
    let project = create(&world, &ada).await;
    assert_eq!(code(&remove(&world, &ada, &project, user.id).await), "project.last_owner");
}

#[tokio::test]
async fn a_member_may_leave_by_themselves() {
    let world = World::new();
    let ((ada, _), (eve, user)) = (world.person("ada").await, world.person("eve").await);
    let project = create(&world, &ada).await;
    world.join(&ada, project.id, user.id, ProjectRole::Viewer).await;
    remove(&world, &eve, &project, user.id).await.unwrap();
    let hidden = world.projects.get.handle(&eve, GetProject { id: project.id, moment: None }).await;
    assert_eq!(code(&hidden), "not_found");
}

#[tokio::test]
async fn a_member_removes_nobody_else() {
    let world = World::new();
    let ((ada, owner), (eve, user)) = (world.person("ada").await, world.person("eve").await);
    let project = create(&world, &ada).await;
    world.join(&ada, project.id, user.id, ProjectRole::Operator).await;
    assert_eq!(code(&remove(&world, &eve, &project, owner.id).await), "forbidden");
}

#[tokio::test]
async fn an_old_version_of_a_project_is_refused() {
    let world = World::new();
    let ((ada, _), (_, user)) = (world.person("ada").await, world.person("eve").await);
    let project = create(&world, &ada).await.id;
    world.join(&ada, project, user.id, ProjectRole::Viewer).await;
    let command = ChangeMemberRole { project, user: user.id, role: ProjectRole::Owner, expected: Some(1) };
    let outcome = world.projects.change_member_role.handle(&ada, command).await;
    assert!(matches!(outcome, Err(Error::StaleVersion { expected: 1, actual: 2 })), "{outcome:?}");
}

#[tokio::test]
async fn agents_of_a_suspended_project_stay_as_they_are() {
    let world = World::new();
    let (ada, user) = world.person("ada").await;
    let projects = Repository::<Project>::new(world.store.clone());
    let context = ada.event_context(None);
    projects.update(context, user.personal_project_id, None, Project::suspend).await.unwrap();
    let outcome = world.agents.create.handle(&ada, super::world::agent_named("Keeper")).await;
    assert_eq!(code(&outcome), "project.suspended");
}
