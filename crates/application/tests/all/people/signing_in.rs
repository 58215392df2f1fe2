use std::time::Duration;

use devskyy_application::{
    audit::{AuditFilter, AuditTrail as _},
    context::{Actor, Subject},
    error::Error,
    identity::{
        AccountChange, AccountChanges, ChangeAccount, ChangePassword, LogIn, PasswordChange, PasswordHash, Refresh,
        Register, Tokens,
    },
    ports::Clock,
};
use devskyy_domain::{identity::PasswordPolicy, kernel::ids::SessionId};
use futures_util::future::join_all;
use uuid::Uuid;

use super::world::{PASSWORD, World, anonymous, email};

const DAY: Duration = Duration::from_secs(86_400);

async fn try_log_in(world: &World, email: &str, password: &str) -> Result<Tokens, Error> {
    let command = LogIn { email: email.to_owned(), password: password.to_owned() };
    world.identity.log_in.handle(&anonymous(), command).await
}

async fn refresh(world: &World, tokens: &Tokens) -> Result<Tokens, Error> {
    let command = Refresh { refresh_token: tokens.refresh_token.clone() };
    world.identity.refresh.handle(&anonymous(), command).await
}

fn is_refused<T>(outcome: &Result<T, Error>) -> bool {
    matches!(outcome, Err(Error::Unauthenticated))
}

#[tokio::test]
async fn whoever_registered_can_sign_in() {
    let world = World::new();
    let (actor, user) = world.person("ada").await;
    assert!(matches!(actor.subject, Subject::User { id, .. } if id == user.id));
}

#[tokio::test]
async fn an_access_token_lasts_fifteen_minutes() {
    let world = World::new();
    world.register("ada").await;
    let tokens = world.log_in("ada").await;
    world.clock.advance(Duration::from_secs(15 * 60));
    assert!(tokens.expires_in == 900 && is_refused(&world.bearer(&tokens).await));
}

#[tokio::test]
async fn a_wrong_password_an_unknown_email_nonsense_and_a_disabled_account_answer_the_same() {
    let world = World::new();
    let ada = world.register("ada").await;
    let wrong = try_log_in(&world, &email("ada"), "Wrong-Horse-7").await;
    let unknown = try_log_in(&world, &email("eve"), PASSWORD).await;
    let nonsense = try_log_in(&world, "nonsense", "").await;
    world.disable(ada.id).await;
    let disabled = try_log_in(&world, &email("ada"), PASSWORD).await;
    let outcomes = [wrong, unknown, nonsense, disabled];
    assert!(outcomes.iter().all(|it| matches!(it, Err(Error::BadCredentials))), "{outcomes:?}");
}

#[tokio::test]
async fn whatever_makes_a_sign_in_fail_it_costs_one_hash() {
    let world = World::new();
    world.register("ada").await;
    let kim = world.register("kim").await;
    world.disable(kim.id).await;
    let mut costs = Vec::new();
    for (who, password) in [
        (email("ada"), "Wrong-Horse-7"),
        (email("eve"), PASSWORD),
        (email("kim"), PASSWORD),
        ("nonsense".to_owned(), PASSWORD),
    ] {
        let before = world.hasher.calls();
        try_log_in(&world, &who, password).await.unwrap_err();
        costs.push(world.hasher.calls() - before);
    }
    assert_eq!(costs, [1; 4]);
}

#[tokio::test]
async fn a_sign_in_whose_password_is_changed_while_it_is_checked_is_refused() {
    let world = World::new();
    let ada = world.register("ada").await;
    let known = world.accounts.credentials(ada.id).await.unwrap().unwrap();
    let (held, address) = (world.hasher.hold().await, email("ada"));
    let (outcome, ()) = tokio::join!(try_log_in(&world, &address, PASSWORD), async {
        let (to, keep) = (PasswordHash("1$Other-Horse-8".to_owned()), SessionId::from(Uuid::nil()));
        let change = PasswordChange { user: ada.id, from: known.password, to, keep, at: world.clock.now() };
        assert!(world.accounts.set_password(&change).await.unwrap().is_some());
        drop(held);
    });
    assert!(matches!(outcome, Err(Error::BadCredentials)), "{outcome:?}");
}

#[tokio::test]
async fn whoever_is_enabled_again_signs_in_anew() {
    let world = World::new();
    let ada = world.register("ada").await;
    let tokens = world.log_in("ada").await;
    // Without ending their sessions, as if the process had ended in between.
    world.disable(ada.id).await;
    let command = ChangeAccount { user: ada.id, change: AccountChange::Enable, expected: None };
    world.identity.administration.change.handle(&Actor::system("tests", Uuid::nil()), command).await.unwrap();
    assert!(is_refused(&world.bearer(&tokens).await));
}

#[tokio::test]
async fn an_endless_password_is_wrong_and_costs_one_hash() {
    let world = World::new();
    world.register("ada").await;
    let before = world.hasher.calls();
    let outcome = try_log_in(&world, &email("ada"), &"ä".repeat(100_000)).await;
    assert!(matches!(outcome, Err(Error::BadCredentials)) && world.hasher.calls() == before + 1, "{outcome:?}");
}

#[tokio::test]
async fn the_longest_password_with_more_behind_it_is_another_one() {
    let world = World::new();
    let longest = "\u{10437}".repeat(128);
    let command = Register::parse(&email("ada"), &longest, "ada", PasswordPolicy::Nist).unwrap();
    world.identity.register.handle(&anonymous(), command).await.unwrap();
    let ada = world.bearer(&try_log_in(&world, &email("ada"), &longest).await.unwrap()).await.unwrap();
    let longer = format!("{longest}x");
    let entered = try_log_in(&world, &email("ada"), &longer).await;
    let command = ChangePassword { current: longer, new: PASSWORD.to_owned() };
    let changed = world.identity.change_password.handle(&ada, command).await;
    let refused = matches!(&changed, Err(Error::Refused(it)) if it.code == "user.current_password_wrong");
    assert!(matches!(entered, Err(Error::BadCredentials)) && refused, "{entered:?} {changed:?}");
}

/// The trail's records of a kind: actor and target.
async fn recorded(world: &World, kind: &str) -> Vec<(String, Option<String>)> {
    let filter = AuditFilter { kind: Some(kind.to_owned()), ..AuditFilter::default() };
    let entries = world.trail.list(&filter, 10).await.unwrap();
    entries.into_iter().map(|entry| (entry.actor, entry.target)).collect()
}

#[tokio::test]
async fn whoever_asks_for_a_sign_in_it_is_recorded() {
    let world = World::new();
    let ada = world.register("ada").await;
    world.log_in("ada").await;
    assert_eq!(recorded(&world, "authn_login_success").await, [(format!("user:{}", ada.id), None)]);
}

#[tokio::test]
async fn a_refused_sign_in_is_recorded_with_the_account_it_was_about() {
    let world = World::new();
    let ada = world.register("ada").await;
    try_log_in(&world, &email("ada"), "Wrong-Horse-7").await.unwrap_err();
    let account = format!("user:{}", ada.id);
    assert_eq!(recorded(&world, "authn_login_fail").await, [("anonymous".to_owned(), Some(account))]);
}

#[tokio::test]
async fn a_spent_refresh_token_is_recorded_with_its_sign_in() {
    let world = World::new();
    world.register("ada").await;
    let first = world.log_in("ada").await;
    let Subject::User { session, .. } = world.bearer(&first).await.unwrap().subject else { panic!("nobody") };
    let second = refresh(&world, &first).await.unwrap();
    refresh(&world, &second).await.unwrap();
    refresh(&world, &first).await.unwrap_err();
    let sign_in = format!("session:{session}");
    assert_eq!(recorded(&world, "authn_token_reuse").await, [("anonymous".to_owned(), Some(sign_in))]);
}

#[tokio::test]
async fn a_refresh_token_that_is_none_is_recorded() {
    let world = World::new();
    world.identity.refresh.handle(&anonymous(), Refresh { refresh_token: "none".to_owned() }).await.unwrap_err();
    let refused = ("anonymous".to_owned(), Some("refresh_token".to_owned()));
    assert_eq!(recorded(&world, "authn_login_fail").await, [refused]);
}

#[tokio::test]
async fn a_refresh_token_is_good_for_new_tokens() {
    let world = World::new();
    world.register("ada").await;
    let first = world.log_in("ada").await;
    let next = refresh(&world, &first).await.unwrap();
    assert!(world.bearer(&next).await.is_ok() && next.refresh_token != first.refresh_token);
}

#[tokio::test]
async fn of_twenty_parallel_refreshes_at_most_one_answer_counts() {
    let world = World::new();
    world.register("ada").await;
    let tokens = world.log_in("ada").await;
    let answers = join_all((0..20).map(|_| refresh(&world, &tokens))).await;
    let uses = answers.iter().flatten().map(|answer| refresh(&world, answer));
    let continued = join_all(uses).await.iter().filter(|it| it.is_ok()).count();
    assert!(continued <= 1, "{continued}");
}

#[tokio::test]
async fn a_lost_answer_is_given_again() {
    let world = World::new();
    world.register("ada").await;
    let first = world.log_in("ada").await;
    refresh(&world, &first).await.unwrap();
    let again = refresh(&world, &first).await.unwrap();
    assert!(refresh(&world, &again).await.is_ok());
}

/// Signs in, refreshes twice and presents the first token again; returns the newest tokens.
async fn reuse(world: &World) -> Tokens {
    let first = world.log_in("ada").await;
    let second = refresh(world, &first).await.unwrap();
    let newest = refresh(world, &second).await.unwrap();
    refresh(world, &first).await.unwrap_err();
    newest
}

#[tokio::test]
async fn reusing_a_refresh_token_ends_the_sign_in_for_its_newer_token() {
    let world = World::new();
    world.register("ada").await;
    let newest = reuse(&world).await;
    assert!(is_refused(&refresh(&world, &newest).await));
}

#[tokio::test]
async fn reusing_a_refresh_token_ends_the_sign_in_for_its_access_tokens() {
    let world = World::new();
    world.register("ada").await;
    let newest = reuse(&world).await;
    assert!(is_refused(&world.bearer(&newest).await));
}

#[tokio::test]
async fn reusing_a_refresh_token_leaves_other_sign_ins_alone() {
    let world = World::new();
    world.register("ada").await;
    let other = world.log_in("ada").await;
    reuse(&world).await;
    assert!(world.bearer(&other).await.is_ok());
}

#[tokio::test]
async fn an_invented_refresh_token_is_refused() {
    let world = World::new();
    let command = Refresh { refresh_token: "invented".to_owned() };
    assert!(is_refused(&world.identity.refresh.handle(&anonymous(), command).await));
}

#[tokio::test]
async fn a_refresh_token_lasts_seven_days() {
    let world = World::new();
    world.register("ada").await;
    let tokens = world.log_in("ada").await;
    world.clock.advance(DAY * 7);
    assert!(is_refused(&refresh(&world, &tokens).await));
}

#[tokio::test]
async fn a_sign_in_lasts_thirty_days_however_often_it_is_refreshed() {
    let world = World::new();
    world.register("ada").await;
    let mut tokens = world.log_in("ada").await;
    for _ in 0..5 {
        world.clock.advance(DAY * 5);
        tokens = refresh(&world, &tokens).await.unwrap();
    }
    world.clock.advance(DAY * 5);
    assert!(is_refused(&refresh(&world, &tokens).await));
}

#[tokio::test]
async fn logging_out_ends_access_and_refresh() {
    let world = World::new();
    world.register("ada").await;
    let tokens = world.log_in("ada").await;
    world.identity.log_out.handle(&world.bearer(&tokens).await.unwrap()).await.unwrap();
    assert!(is_refused(&world.bearer(&tokens).await) && is_refused(&refresh(&world, &tokens).await));
}

#[tokio::test]
async fn nobody_logs_out_without_a_sign_in() {
    assert!(is_refused(&World::new().identity.log_out.handle(&anonymous()).await));
}

#[tokio::test]
async fn disabling_a_person_ends_access_and_refresh() {
    let world = World::new();
    let ada = world.register("ada").await;
    let tokens = world.log_in("ada").await;
    world.disable(ada.id).await;
    assert!(is_refused(&world.bearer(&tokens).await) && is_refused(&refresh(&world, &tokens).await));
}

#[tokio::test]
async fn the_profile_is_the_signed_in_persons_own() {
    let world = World::new();
    let (actor, user) = world.person("ada").await;
    assert_eq!(world.identity.profile.handle(&actor).await.unwrap(), user);
}

#[tokio::test]
async fn nobody_has_a_profile_without_a_sign_in() {
    assert!(is_refused(&World::new().identity.profile.handle(&anonymous()).await));
}
