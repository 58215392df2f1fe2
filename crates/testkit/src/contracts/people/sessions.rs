use chrono::{DateTime, TimeDelta, Utc};
use devskyy_application::identity::{NewSession, Rotation};
use devskyy_domain::kernel::ids::{SessionId, UserId};
use futures_util::future::join_all;

use super::{PeopleUnderTest, facts::id};

/// The instant at which the promises begin.
#[must_use]
pub fn now() -> DateTime<Utc> {
    DateTime::from_timestamp(1_800_000_000, 0).unwrap()
}

/// A sign-in that has just begun, with a refresh token of one repeated byte.
#[must_use]
pub fn session(session: SessionId, user: UserId, refresh: u8) -> NewSession {
    NewSession {
        id: session,
        user,
        opened_at: now(),
        ends_at: now() + TimeDelta::days(30),
        refresh: [refresh; 32],
        refresh_until: now() + TimeDelta::days(7),
        at_once: 100,
    }
}

pub(super) async fn exchange(people: &PeopleUnderTest, presented: u8, next: u8, at: DateTime<Utc>) -> Rotation {
    let until = at + TimeDelta::days(7);
    people.sessions.rotate(&[presented; 32], &[next; 32], at, until).await.unwrap()
}

async fn open(people: &PeopleUnderTest) {
    people.sessions.open(&session(id(50), id(1), 1)).await.unwrap();
}

/// A fresh token names its sign-in and its person.
pub async fn a_fresh_token_is_exchanged(people: &PeopleUnderTest) {
    open(people).await;
    assert_eq!(exchange(people, 1, 2, now()).await, Rotation::Rotated { session: id(50), user: id(1) });
}

/// Presents one token twenty times at once, for the successors 100 to 119; says who was answered.
async fn race(people: &PeopleUnderTest, presented: u8) -> Vec<u8> {
    let until = now() + TimeDelta::days(7);
    let outcomes = join_all((100..120).map(|n| async move {
        let rotated = people.sessions.rotate(&[presented; 32], &[n; 32], now(), until).await;
        // A busy database may turn some away; that is no exchange.
        if let Err(error) = &rotated {
            assert!(error.retryable, "{error:?}");
        }
        matches!(rotated, Ok(Rotation::Rotated { .. })).then_some(n)
    }));
    outcomes.await.into_iter().flatten().collect()
}

/// However many ask at once, all the answers but one are dead.
pub async fn of_twenty_parallel_exchanges_at_most_one_successor_counts(people: &PeopleUnderTest) {
    open(people).await;
    let answered = race(people, 1).await;
    let until = now() + TimeDelta::days(7);
    let uses =
        answered.iter().map(|n| async move { people.sessions.rotate(&[*n; 32], &[n + 100; 32], now(), until).await });
    let outcomes = join_all(uses).await;
    let continued = outcomes.iter().filter(|it| matches!(it, Ok(Rotation::Rotated { .. }))).count();
    assert!(!answered.is_empty() && continued <= 1, "{continued} of {answered:?}");
}

/// However many ask at once, the sign-in goes on for whoever got no answer.
pub async fn after_twenty_parallel_exchanges_the_sign_in_goes_on(people: &PeopleUnderTest) {
    open(people).await;
    race(people, 1).await;
    exchange(people, 1, 2, now()).await;
    assert_eq!(exchange(people, 2, 3, now()).await, Rotation::Rotated { session: id(50), user: id(1) });
}

/// The answer was lost, so it is asked for again.
pub async fn a_token_is_exchanged_again_while_its_successor_is_unused(people: &PeopleUnderTest) {
    open(people).await;
    exchange(people, 1, 2, now()).await;
    assert_eq!(exchange(people, 1, 3, now()).await, Rotation::Rotated { session: id(50), user: id(1) });
}

/// Whoever holds the answer that was asked for again has what somebody else gave up.
pub async fn a_replaced_successor_ends_the_sign_in(people: &PeopleUnderTest) {
    open(people).await;
    exchange(people, 1, 2, now()).await;
    exchange(people, 1, 3, now()).await;
    assert_eq!(exchange(people, 2, 4, now()).await, Rotation::Reused { session: id(50) });
}

/// The answer arrived, so whoever asks for it again has a copy.
pub async fn a_token_whose_successor_was_used_ends_the_sign_in(people: &PeopleUnderTest) {
    open(people).await;
    exchange(people, 1, 2, now()).await;
    exchange(people, 2, 3, now()).await;
    assert_eq!(exchange(people, 1, 4, now()).await, Rotation::Reused { session: id(50) });
}

/// Whoever holds the newest token of a copied one is out as well.
pub async fn after_a_reuse_the_newest_token_is_refused_too(people: &PeopleUnderTest) {
    open(people).await;
    exchange(people, 1, 2, now()).await;
    exchange(people, 2, 3, now()).await;
    exchange(people, 1, 4, now()).await;
    assert_eq!(exchange(people, 3, 5, now()).await, Rotation::Refused);
}

/// A lost answer cannot be asked for when the token that asks is too old.
pub async fn an_expired_token_is_not_exchanged_again(people: &PeopleUnderTest) {
    open(people).await;
    exchange(people, 1, 2, now() + TimeDelta::days(6)).await;
    assert_eq!(exchange(people, 1, 3, now() + TimeDelta::days(7)).await, Rotation::Refused);
}

/// Nobody handed it out.
pub async fn an_unknown_token_is_refused(people: &PeopleUnderTest) {
    open(people).await;
    assert_eq!(exchange(people, 9, 2, now()).await, Rotation::Refused);
}

/// Seven days are over.
pub async fn an_expired_token_is_refused(people: &PeopleUnderTest) {
    open(people).await;
    assert_eq!(exchange(people, 1, 2, now() + TimeDelta::days(7)).await, Rotation::Refused);
}

/// Thirty days are over, although the token was refreshed lately.
pub async fn no_token_outlives_its_sign_in(people: &PeopleUnderTest) {
    open(people).await;
    for (n, day) in (1..).zip([6, 12, 18, 24, 29]) {
        exchange(people, n, n + 1, now() + TimeDelta::days(day)).await;
    }
    assert_eq!(exchange(people, 6, 7, now() + TimeDelta::days(30)).await, Rotation::Refused);
}

/// Logging out takes the refresh token along.
pub async fn a_revoked_sign_in_exchanges_nothing(people: &PeopleUnderTest) {
    open(people).await;
    people.sessions.revoke(id(50), now()).await.unwrap();
    assert_eq!(exchange(people, 1, 2, now()).await, Rotation::Refused);
}

/// Every sign-in of the person ends.
pub async fn revoking_all_of_a_person_ends_every_sign_in(people: &PeopleUnderTest) {
    open(people).await;
    people.sessions.open(&session(id(51), id(1), 2)).await.unwrap();
    people.sessions.revoke_all(id(1), now()).await.unwrap();
    let outcomes = (exchange(people, 1, 3, now()).await, exchange(people, 2, 4, now()).await);
    assert_eq!(outcomes, (Rotation::Refused, Rotation::Refused));
}

/// Nobody else's sign-in ends.
pub async fn revoking_all_of_a_person_spares_others(people: &PeopleUnderTest) {
    open(people).await;
    people.sessions.revoke_all(id(2), now()).await.unwrap();
    assert_eq!(exchange(people, 1, 2, now()).await, Rotation::Rotated { session: id(50), user: id(1) });
}
