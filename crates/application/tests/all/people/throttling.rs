//! Callers with too many attempts must wait, and no caller can make another one wait.

use std::{net::Ipv4Addr, time::Duration};

use devskyy_application::{
    context::Actor,
    error::Error,
    identity::{ChangePassword, LogIn, Tokens},
};
use futures_util::future::join_all;

use super::world::{PASSWORD, World, email, from, registration};

const HOME: &str = "192.0.2.1";
const ELSEWHERE: &str = "198.51.100.7";

async fn sign_in(world: &World, actor: &Actor, email: &str, password: &str) -> Result<Tokens, Error> {
    let command = LogIn { email: email.to_owned(), password: password.to_owned() };
    world.identity.log_in.handle(actor, command).await
}

async fn ada(world: &World, address: &str) -> Result<Tokens, Error> {
    sign_in(world, &from(address), &email("ada"), PASSWORD).await
}

/// Presents a wrong password for Ada.
async fn guess(world: &World, address: &str) -> &'static str {
    verdict(&sign_in(world, &from(address), &email("ada"), "Wrong-Horse-7").await)
}

async fn guesses(world: &World, address: &str, times: usize) {
    for _ in 0..times {
        guess(world, address).await;
    }
}

/// A botnet: that many addresses, each with one guess.
async fn siege(world: &World, addresses: u32) {
    for n in 0..addresses {
        guess(world, &Ipv4Addr::from_bits(0x0a00_0000 + n).to_string()).await;
    }
}

fn verdict<T>(outcome: &Result<T, Error>) -> &'static str {
    match outcome {
        Ok(_) => "let in",
        Err(Error::BadCredentials) => "wrong",
        Err(Error::TooManyAttempts { .. }) => "wait",
        Err(Error::Overloaded) => "overloaded",
        Err(_) => "failed",
    }
}

async fn world_with_ada() -> World {
    let world = World::new();
    world.register("ada").await;
    world
}

#[tokio::test]
async fn after_five_wrong_passwords_an_address_waits_for_the_rest_of_the_window() {
    let world = world_with_ada().await;
    guesses(&world, ELSEWHERE, 5).await;
    world.clock.advance(Duration::from_secs(60));
    assert!(matches!(ada(&world, ELSEWHERE).await, Err(Error::TooManyAttempts { wait_s: 840 })));
}

#[tokio::test]
async fn whoever_waits_costs_no_hash() {
    let world = world_with_ada().await;
    guesses(&world, ELSEWHERE, 5).await;
    let before = world.hasher.calls();
    guesses(&world, ELSEWHERE, 10).await;
    assert_eq!(world.hasher.calls(), before);
}

#[tokio::test]
async fn when_the_window_is_over_one_may_try_again() {
    let world = world_with_ada().await;
    guesses(&world, ELSEWHERE, 6).await;
    world.clock.advance(Duration::from_secs(15 * 60));
    assert_eq!(verdict(&ada(&world, ELSEWHERE).await), "let in");
}

#[tokio::test]
async fn guessing_at_one_address_does_not_lock_the_owner_out_at_another() {
    let world = world_with_ada().await;
    guesses(&world, ELSEWHERE, 50).await;
    assert_eq!(verdict(&ada(&world, HOME).await), "let in");
}

#[tokio::test]
async fn a_siege_does_not_lock_the_owner_out_at_an_address_never_seen_before() {
    let world = world_with_ada().await;
    siege(&world, 500).await;
    assert_eq!(verdict(&ada(&world, HOME).await), "let in");
}

#[tokio::test]
async fn under_siege_each_strange_address_has_one_attempt() {
    let world = world_with_ada().await;
    siege(&world, 51).await;
    assert_eq!((guess(&world, ELSEWHERE).await, guess(&world, ELSEWHERE).await), ("wrong", "wait"));
}

#[tokio::test]
async fn under_siege_a_known_address_may_mistype_as_usual() {
    let world = world_with_ada().await;
    ada(&world, HOME).await.unwrap();
    siege(&world, 500).await;
    guesses(&world, HOME, 6).await;
    assert_eq!(verdict(&ada(&world, HOME).await), "let in");
}

#[tokio::test]
async fn a_known_address_waits_after_twenty_failures() {
    let world = world_with_ada().await;
    ada(&world, HOME).await.unwrap();
    guesses(&world, HOME, 20).await;
    assert_eq!(guess(&world, HOME).await, "wait");
}

#[tokio::test]
async fn an_address_not_seen_for_ninety_days_is_a_strange_one() {
    let world = world_with_ada().await;
    ada(&world, HOME).await.unwrap();
    world.clock.advance(Duration::from_secs(90 * 86_400));
    guesses(&world, HOME, 5).await;
    assert_eq!(guess(&world, HOME).await, "wait");
}

#[tokio::test]
async fn an_address_is_known_to_the_account_that_signed_in_and_to_no_other() {
    let world = world_with_ada().await;
    world.register("eve").await;
    sign_in(&world, &from(HOME), &email("eve"), PASSWORD).await.unwrap();
    guesses(&world, HOME, 5).await;
    assert_eq!(guess(&world, HOME).await, "wait");
}

#[tokio::test]
async fn addresses_of_one_ipv6_network_are_one_source() {
    let world = world_with_ada().await;
    for n in 1..=5 {
        guess(&world, &format!("2001:db8:0:1::{n}")).await;
    }
    assert_eq!(guess(&world, "2001:db8:0:1:ffff::1").await, "wait");
}

#[tokio::test]
async fn addresses_of_two_ipv6_networks_are_two_sources() {
    let world = world_with_ada().await;
    guesses(&world, "2001:db8:0:1::1", 5).await;
    assert_eq!(guess(&world, "2001:db8:0:2::1").await, "wrong");
}

#[tokio::test]
async fn an_address_that_tries_many_accounts_waits() {
    let world = world_with_ada().await;
    for n in 0..100 {
        sign_in(&world, &from(ELSEWHERE), &email(&format!("user-{n}")), PASSWORD).await.unwrap_err();
    }
    assert_eq!(guess(&world, ELSEWHERE).await, "wait");
}

#[tokio::test]
async fn an_e_mail_is_the_same_account_however_it_is_written() {
    let world = world_with_ada().await;
    for spelled in ["ada@example.org", "ADA@example.org", " ada@example.org ", "Ada@Example.org", "adA@example.org"] {
        sign_in(&world, &from(ELSEWHERE), spelled, "Wrong-Horse-7").await.unwrap_err();
    }
    assert_eq!(guess(&world, ELSEWHERE).await, "wait");
}

#[tokio::test]
async fn successes_are_not_counted_as_failures() {
    let world = world_with_ada().await;
    for _ in 0..150 {
        ada(&world, HOME).await.unwrap();
    }
    assert_eq!(verdict(&ada(&world, HOME).await), "let in");
}

#[tokio::test]
async fn whoever_signs_in_again_and_again_waits_and_costs_no_hash() {
    let world = world_with_ada().await;
    for _ in 0..300 {
        ada(&world, HOME).await.unwrap();
    }
    let before = world.hasher.calls();
    assert_eq!((verdict(&ada(&world, HOME).await), world.hasher.calls() - before), ("wait", 0));
}

#[tokio::test]
async fn whoever_signs_in_again_and_again_keeps_nobody_waiting_elsewhere() {
    let world = world_with_ada().await;
    for _ in 0..301 {
        ada(&world, HOME).await.ok();
    }
    assert_eq!(verdict(&ada(&world, ELSEWHERE).await), "let in");
}

#[tokio::test]
async fn failures_are_not_counted_as_successes() {
    let world = world_with_ada().await;
    ada(&world, HOME).await.unwrap();
    guesses(&world, HOME, 19).await;
    for _ in 0..298 {
        ada(&world, HOME).await.unwrap();
    }
    assert_eq!(verdict(&ada(&world, HOME).await), "let in");
}

#[tokio::test]
async fn whoever_signs_in_again_and_again_has_a_hundred_sign_ins() {
    let world = world_with_ada().await;
    let first = ada(&world, HOME).await.unwrap();
    for _ in 0..100 {
        world.clock.advance(Duration::from_millis(1));
        ada(&world, HOME).await.unwrap();
    }
    assert!(matches!(world.bearer(&first).await, Err(Error::Unauthenticated)));
}

#[tokio::test]
async fn of_twenty_parallel_guesses_five_are_judged() {
    let world = world_with_ada().await;
    let before = world.hasher.calls();
    join_all((0..20).map(|_| guess(&world, ELSEWHERE))).await;
    assert_eq!(world.hasher.calls() - before, 5);
}

#[tokio::test]
async fn what_was_not_judged_is_not_counted() {
    let world = world_with_ada().await;
    world.hasher.overload(true);
    guesses(&world, HOME, 10).await;
    world.hasher.overload(false);
    assert_eq!(verdict(&ada(&world, HOME).await), "let in");
}

#[tokio::test]
async fn seven_attempts_tell_nothing_about_an_account_and_cost_the_same() {
    let world = world_with_ada().await;
    let eve = world.register("eve").await;
    world.disable(eve.id).await;
    let mut stories = Vec::new();
    for (n, (email, password)) in [
        (email("ada"), "Wrong-Horse-7"),
        (email("nobody"), PASSWORD),
        (email("eve"), PASSWORD),
        (email("eve"), "Wrong-Horse-7"),
        ("nonsense".to_owned(), PASSWORD),
        (String::new(), ""),
    ]
    .into_iter()
    .enumerate()
    {
        let mut story = Vec::new();
        for _ in 0..7 {
            let before = world.hasher.calls();
            let outcome = sign_in(&world, &from(&format!("203.0.113.{n}")), &email, password).await;
            story.push((verdict(&outcome), world.hasher.calls() - before));
        }
        stories.push(story);
    }
    let expected = [vec![("wrong", 1); 5], vec![("wait", 0); 2]].concat();
    assert!(stories.iter().all(|story| *story == expected), "{stories:?}");
}

#[tokio::test]
async fn an_address_opens_sixty_accounts_and_waits() {
    let world = World::new();
    for n in 0..60 {
        world.identity.register.handle(&from(HOME), registration(&format!("user-{n}"))).await.unwrap();
    }
    let before = world.hasher.calls();
    let outcome = world.identity.register.handle(&from(HOME), registration("late")).await;
    assert_eq!((verdict(&outcome), world.hasher.calls() - before), ("wait", 0));
}

/// Tries to change the password with a wrong one.
async fn change(world: &World, actor: &Actor) -> Result<(), Error> {
    let command = ChangePassword { current: "Wrong-Horse-7".to_owned(), new: "Other-Horse-7".to_owned() };
    world.identity.change_password.handle(actor, command).await
}

#[tokio::test]
async fn a_sign_in_guesses_the_password_ten_times_and_waits() {
    let (world, before) = (World::new(), 10);
    let (ada, _) = world.person("ada").await;
    for _ in 0..before {
        change(&world, &ada).await.unwrap_err();
    }
    let hashes = world.hasher.calls();
    assert_eq!((verdict(&change(&world, &ada).await), world.hasher.calls() - hashes), ("wait", 0));
}

#[tokio::test]
async fn a_stolen_sign_in_does_not_keep_its_owner_from_another_password() {
    let world = World::new();
    let (stolen, _) = world.person("ada").await;
    for _ in 0..11 {
        change(&world, &stolen).await.unwrap_err();
    }
    let owner = world.bearer(&world.log_in("ada").await).await.unwrap();
    let command = ChangePassword { current: PASSWORD.to_owned(), new: "Other-Horse-7".to_owned() };
    assert!(world.identity.change_password.handle(&owner, command).await.is_ok());
}
