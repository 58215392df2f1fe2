use devskyy_application::{
    error::Error,
    identity::{Register, UserStatus},
};
use devskyy_domain::identity::{PasswordPolicy, PlatformRole};

use super::world::{World, anonymous, email, key, registration};

fn code(error: &Error) -> &str {
    match error {
        Error::Refused(refused) => refused.code,
        _ => "",
    }
}

#[tokio::test]
async fn registering_makes_an_active_member_who_sees_themselves() {
    let user = World::new().register("ada").await;
    let seen = (&*user.email, &*user.name, user.role, user.status, user.version);
    assert_eq!(seen, ("ada@example.org", "ada", PlatformRole::Member, UserStatus::Active, 1));
}

#[tokio::test]
async fn the_personal_project_comes_in_the_same_append() {
    let world = World::new();
    let (actor, user) = world.person("ada").await;
    let query = devskyy_application::projects::GetProject { id: user.personal_project_id, moment: None };
    let project = world.projects.get.handle(&actor, query).await.unwrap();
    assert_eq!((project.personal, world.events()), (true, 2));
}

#[tokio::test]
async fn an_email_is_taken_whatever_its_case() {
    let world = World::new();
    world.register("ada").await;
    let again = Register::parse("ADA@Example.ORG", "Correct-Horse-7", "Other", PasswordPolicy::Classic).unwrap();
    let refused = world.identity.register.handle(&anonymous(), again).await.unwrap_err();
    assert_eq!(code(&refused), "user.email_taken");
}

#[tokio::test]
async fn a_refused_registration_leaves_no_private_rows() {
    let world = World::new();
    world.register("ada").await;
    world.identity.register.handle(&anonymous(), registration("ada")).await.unwrap_err();
    assert_eq!(world.accounts.count(), 1);
}

#[tokio::test]
async fn a_repeated_registration_is_answered_with_the_first_account() {
    let world = World::new();
    let command = || Register { idempotency: Some(key("first", 1)), ..registration("ada") };
    let first = world.identity.register.handle(&anonymous(), command()).await.unwrap();
    let again = world.identity.register.handle(&anonymous(), command()).await.unwrap();
    assert_eq!((again, world.accounts.count()), (first, 1));
}

#[tokio::test]
async fn a_key_used_for_another_registration_is_refused() {
    let world = World::new();
    let command = |name, print| Register { idempotency: Some(key("first", print)), ..registration(name) };
    world.identity.register.handle(&anonymous(), command("ada", 1)).await.unwrap();
    let refused = world.identity.register.handle(&anonymous(), command("eve", 2)).await;
    assert!(matches!(refused, Err(Error::KeyReused)), "{refused:?}");
}

#[tokio::test]
async fn no_event_holds_anything_personal() {
    let world = World::new();
    world.register("ada").await;
    let told = world.store.events().iter().any(|event| event.data.contains("ada") || event.data.contains("Horse"));
    assert!(!told);
}

#[tokio::test]
async fn everything_that_is_wrong_is_said_at_once() {
    let Err(Error::Invalid(wrong)) = Register::parse("nonsense", "short", "", PasswordPolicy::Classic) else {
        panic!("it was accepted")
    };
    let pointers: Vec<_> = wrong.iter().filter_map(|refused| refused.pointer.as_deref()).collect();
    assert_eq!(pointers, ["/email", "/password", "/name"]);
}

#[tokio::test]
async fn too_many_waiting_passwords_change_nothing() {
    let world = World::new();
    world.hasher.overload(true);
    let refused = world.identity.register.handle(&anonymous(), registration("ada")).await;
    assert!(matches!(refused, Err(Error::Overloaded)) && world.events() == 0, "{refused:?}");
}

#[tokio::test]
async fn of_twenty_parallel_registrations_of_one_email_one_succeeds() {
    let world = World::new();
    let tries = (0..20).map(|_| world.identity.register.handle(&OUTSIDE, registration("ada")));
    let outcomes = futures_util::future::join_all(tries).await;
    assert_eq!((outcomes.iter().filter(|it| it.is_ok()).count(), world.accounts.count()), (1, 1), "{}", email("ada"));
}

const OUTSIDE: devskyy_application::context::Actor = devskyy_application::context::Actor {
    subject: devskyy_application::context::Subject::Anonymous,
    correlation_id: uuid::Uuid::nil(),
    source: None,
    traceparent: None,
};
