use chrono::{DateTime, TimeDelta, Utc};
use devskyy_application::identity::{NewSession, Rotation};
use devskyy_domain::kernel::ids::{SessionId, UserId};
use futures_util::future::join_all;

use super::{PeopleUnderTest, facts::id};

/// The time at which the tests begin.
#[must_use]
pub fn now() -> DateTime<Utc> {
    DateTime::from_timestamp(1_800_000_000, 0).unwrap()
}

/// A new session with a refresh token of one repeated byte.
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

/// A valid token returns its session and person.
pub async fn a_fresh_token_is_exchanged(people: &PeopleUnderTest) {
    open(people).await;
    assert_eq!(exchange(people, 1, 2, now()).await, Rotation::Rotated { session: id(50), user: id(1) });
}

/// Presents one token twenty times concurrently, for the successors 100 to 119; returns the successful ones.
async fn race(people: &PeopleUnderTest, presented: u8) -> Vec<u8> {
    let until = now() + TimeDelta::days(7);
    let outcomes = join_all((100..120).map(|n| async move {
        let rotated = people.sessions.rotate(&[presented; 32], &[n; 32], now(), until).await;
        // A busy database may refuse some with a transient error.
        if let Err(error) = &rotated {
            assert!(error.retryable, "{error:?}");
        }
        matches!(rotated, Ok(Rotation::Rotated { .. })).then_some(n)
    }));
    outcomes.await.into_iter().flatten().collect()
}

/// Of concurrent successors, at most one is valid.
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

/// Concurrent exchanges do not end the session.
pub async fn after_twenty_parallel_exchanges_the_sign_in_goes_on(people: &PeopleUnderTest) {
    open(people).await;
    race(people, 1).await;
    exchange(people, 1, 2, now()).await;
    assert_eq!(exchange(people, 2, 3, now()).await, Rotation::Rotated { session: id(50), user: id(1) });
}

/// A lost response can be requested again.
pub async fn a_token_is_exchanged_again_while_its_successor_is_unused(people: &PeopleUnderTest) {
    open(people).await;
    exchange(people, 1, 2, now()).await;
    assert_eq!(exchange(people, 1, 3, now()).await, Rotation::Rotated { session: id(50), user: id(1) });
}

/// Using a replaced successor reveals a copy and ends the session.
pub async fn a_replaced_successor_ends_the_sign_in(people: &PeopleUnderTest) {
    open(people).await;
    exchange(people, 1, 2, now()).await;
    exchange(people, 1, 3, now()).await;
    assert_eq!(exchange(people, 2, 4, now()).await, Rotation::Reused { session: id(50) });
}

/// Reusing a token whose successor was used reveals a copy and ends the session.
pub async fn a_token_whose_successor_was_used_ends_the_sign_in(people: &PeopleUnderTest) {
    open(people).await;
    exchange(people, 1, 2, now()).await;
    exchange(people, 2, 3, now()).await;
    assert_eq!(exchange(people, 1, 4, now()).await, Rotation::Reused { session: id(50) });
}

/// After a reuse, the newest token is invalid, too.
pub async fn after_a_reuse_the_newest_token_is_refused_too(people: &PeopleUnderTest) {
    open(people).await;
    exchange(people, 1, 2, now()).await;
    exchange(people, 2, 3, now()).await;
    exchange(people, 1, 4, now()).await;
    assert_eq!(exchange(people, 3, 5, now()).await, Rotation::Refused);
}

/// An expired token cannot be exchanged again.
pub async fn an_expired_token_is_not_exchanged_again(people: &PeopleUnderTest) {
    open(people).await;
    exchange(people, 1, 2, now() + TimeDelta::days(6)).await;
    assert_eq!(exchange(people, 1, 3, now() + TimeDelta::days(7)).await, Rotation::Refused);
}

/// An unknown token is refused.
pub async fn an_unknown_token_is_refused(people: &PeopleUnderTest) {
    open(people).await;
    assert_eq!(exchange(people, 9, 2, now()).await, Rotation::Refused);
}

/// A token expires after seven days.
pub async fn an_expired_token_is_refused(people: &PeopleUnderTest) {
    open(people).await;
    assert_eq!(exchange(people, 1, 2, now() + TimeDelta::days(7)).await, Rotation::Refused);
}

/// A session ends after thirty days, even if its token was refreshed recently.
pub async fn no_token_outlives_its_sign_in(people: &PeopleUnderTest) {
    open(people).await;
    for (n, day) in (1..).zip([6, 12, 18, 24, 29]) {
        exchange(people, n, n + 1, now() + TimeDelta::days(day)).await;
    }
    assert_eq!(exchange(people, 6, 7, now() + TimeDelta::days(30)).await, Rotation::Refused);
}

/// Logging out invalidates the refresh token.
pub async fn a_revoked_sign_in_exchanges_nothing(people: &PeopleUnderTest) {
    open(people).await;
    people.sessions.revoke(id(50), now()).await.unwrap();
    assert_eq!(exchange(people, 1, 2, now()).await, Rotation::Refused);
}

/// Every session of the person ends.
pub async fn revoking_all_of_a_person_ends_every_sign_in(people: &PeopleUnderTest) {
    open(people).await;
    people.sessions.open(&session(id(51), id(1), 2)).await.unwrap();
    people.sessions.revoke_all(id(1), now()).await.unwrap();
    let outcomes = (exchange(people, 1, 3, now()).await, exchange(people, 2, 4, now()).await);
    assert_eq!(outcomes, (Rotation::Refused, Rotation::Refused));
}

/// No session of others ends.
pub async fn revoking_all_of_a_person_spares_others(people: &PeopleUnderTest) {
    open(people).await;
    people.sessions.revoke_all(id(2), now()).await.unwrap();
    assert_eq!(exchange(people, 1, 2, now()).await, Rotation::Rotated { session: id(50), user: id(1) });
}
