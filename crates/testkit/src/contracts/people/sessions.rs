use chrono::{DateTime, TimeDelta, Utc};
use devskyy_application::identity::{NewSession, Rotation};
use devskyy_domain::kernel::ids::{SessionId, UserId};
use futures_util::future::join_all;

use super::{PeopleUnderTest, facts::id};

pub(super) fn now() -> DateTime<Utc> {
    DateTime::from_timestamp(1_800_000_000, 0).unwrap()
}

pub(super) fn session(session: SessionId, user: UserId, refresh: u8) -> NewSession {
    NewSession {
        id: session,
        user,
        opened_at: now(),
        ends_at: now() + TimeDelta::days(30),
        refresh: [refresh; 32],
        refresh_until: now() + TimeDelta::days(7),
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

/// However many try at once, one wins.
pub async fn of_twenty_parallel_exchanges_one_is_rotated(people: &PeopleUnderTest) {
    open(people).await;
    let until = now() + TimeDelta::days(7);
    let outcomes = join_all((100..120).map(|n| async move {
        let rotated = people.sessions.rotate(&[1; 32], &[n; 32], now(), until).await;
        // A busy database may turn some away; that is no exchange.
        if let Err(error) = &rotated {
            assert!(error.retryable, "{error:?}");
        }
        rotated.ok()
    }));
    let outcomes = outcomes.await;
    assert_eq!(outcomes.iter().filter(|it| matches!(it, Some(Rotation::Rotated { .. }))).count(), 1, "{outcomes:?}");
}

/// A token that comes twice was copied.
pub async fn a_used_token_ends_the_sign_in(people: &PeopleUnderTest) {
    open(people).await;
    exchange(people, 1, 2, now()).await;
    assert_eq!(exchange(people, 1, 3, now()).await, Rotation::Reused { session: id(50) });
}

/// Whoever holds the newer token of a copied one is out as well.
pub async fn after_a_reuse_the_next_token_is_refused_too(people: &PeopleUnderTest) {
    open(people).await;
    exchange(people, 1, 2, now()).await;
    exchange(people, 1, 3, now()).await;
    assert_eq!(exchange(people, 2, 4, now()).await, Rotation::Refused);
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
