use devskyy_application::{
    error::Error,
    identity::{OpenAccount, Register, UserView},
};
use devskyy_domain::identity::{PasswordPolicy, PlatformRole};

use super::world::{PASSWORD, World, anonymous, email, key, registration};

async fn register_with(world: &World, name: &str, token: &str) -> Result<UserView, Error> {
    let command = Register { bootstrap_token: Some(token.to_owned()), ..registration(name) };
    world.identity.register.handle(&anonymous(), command).await
}

async fn token(world: &World) -> String {
    world.identity.bootstrap.handle().await.unwrap().unwrap().token
}

#[tokio::test]
async fn the_token_makes_the_first_administrator() {
    let world = World::new();
    let token = token(&world).await;
    assert_eq!(register_with(&world, "ada", &token).await.unwrap().role, PlatformRole::Admin);
}

#[tokio::test]
async fn the_token_works_once() {
    let world = World::new();
    let token = token(&world).await;
    register_with(&world, "ada", &token).await.unwrap();
    let again = register_with(&world, "eve", &token).await;
    assert!(matches!(&again, Err(Error::Refused(it)) if it.code == "user.bootstrap_refused"), "{again:?}");
}

#[tokio::test]
async fn of_ten_parallel_uses_of_the_token_one_makes_an_administrator() {
    let world = World::new();
    let token = token(&world).await;
    let names: Vec<_> = (0..10).map(|n| format!("person{n}")).collect();
    let outcomes = futures_util::future::join_all(names.iter().map(|name| register_with(&world, name, &token))).await;
    assert_eq!(outcomes.iter().filter(|it| it.is_ok()).count(), 1);
}

#[tokio::test]
async fn a_wrong_token_makes_nobody() {
    let world = World::new();
    token(&world).await;
    let refused = register_with(&world, "ada", "guess").await;
    assert!(matches!(&refused, Err(Error::Refused(it)) if it.code == "user.bootstrap_refused"), "{refused:?}");
}

#[tokio::test]
async fn a_refused_token_does_not_cost_a_slow_hash() {
    let world = World::new();
    register_with(&world, "ada", "guess").await.unwrap_err();
    assert_eq!(world.hasher.calls(), 0);
}

#[tokio::test]
async fn a_repeated_request_with_the_token_is_answered_with_the_same_administrator() {
    let world = World::new();
    let token = token(&world).await;
    let command =
        || Register { bootstrap_token: Some(token.clone()), idempotency: Some(key("first", 1)), ..registration("ada") };
    let first = world.identity.register.handle(&anonymous(), command()).await.unwrap();
    assert_eq!(world.identity.register.handle(&anonymous(), command()).await.unwrap(), first);
}

#[tokio::test]
async fn a_used_token_with_a_key_of_its_own_makes_no_second_administrator() {
    let world = World::new();
    let token = token(&world).await;
    register_with(&world, "ada", &token).await.unwrap();
    let idempotency = Some(key("mine", 2));
    let command = Register { bootstrap_token: Some(token), idempotency, ..registration("eve") };
    let refused = world.identity.register.handle(&anonymous(), command).await;
    assert!(matches!(&refused, Err(Error::Refused(it)) if it.code == "user.bootstrap_refused"), "{refused:?}");
}

#[tokio::test]
async fn no_token_is_offered_once_somebody_runs_the_platform() {
    let world = World::new();
    world.admin("ada").await;
    assert_eq!(world.identity.bootstrap.handle().await.unwrap(), None);
}

#[tokio::test]
async fn an_invented_token_does_nothing_where_an_administrator_was_made_by_hand() {
    let world = World::new();
    world.admin("ada").await;
    let idempotency = Some(key("mine", 2));
    let command = Register { bootstrap_token: Some("guess".into()), idempotency, ..registration("eve") };
    let refused = world.identity.register.handle(&anonymous(), command).await;
    assert!(matches!(&refused, Err(Error::Refused(it)) if it.code == "user.bootstrap_refused"), "{refused:?}");
}

#[tokio::test]
async fn members_make_no_administrators() {
    let world = World::new();
    let (actor, _) = world.person("ada").await;
    let command =
        OpenAccount::parse(&email("eve"), PASSWORD, "eve", PlatformRole::Admin, PasswordPolicy::Classic).unwrap();
    let refused = world.identity.open_account.handle(&actor, command).await;
    assert!(matches!(refused, Err(Error::Forbidden)), "{refused:?}");
}
