//! The list of erasures contains every erased user, whenever a process ended.

use devskyy_application::{
    es::Repository,
    identity::{Accounts, Erasures},
};
use devskyy_domain::{identity::User, kernel::ids::UserId};

use super::world::{World, anonymous};

/// A user whose erasure is recorded, by a process that ended right after that.
async fn erased_and_no_more(world: &World) -> UserId {
    let user = world.register("Ada").await.id;
    let users = Repository::<User>::new(world.store.clone());
    users.update(anonymous().event_context(None), user, None, User::erase).await.unwrap();
    user
}

#[tokio::test]
async fn who_was_erased_and_is_not_on_the_list_is_put_there() {
    let world = World::new();
    let user = erased_and_no_more(&world).await;
    world.register("Eve").await;
    world.identity.administration.erasures.complete().await.unwrap();
    assert_eq!(world.erasures.all().await.unwrap(), [user]);
}

#[tokio::test]
async fn what_is_personal_goes_with_it() {
    let world = World::new();
    let user = erased_and_no_more(&world).await;
    world.identity.administration.erasures.complete().await.unwrap();
    assert!(world.accounts.profiles(&[user]).await.unwrap().is_empty());
}

#[tokio::test]
async fn a_list_that_is_complete_gets_no_longer() {
    let world = World::new();
    erased_and_no_more(&world).await;
    world.identity.administration.erasures.complete().await.unwrap();
    assert_eq!(world.identity.administration.erasures.complete().await.unwrap(), 0);
}
