use chrono::{DateTime, TimeDelta, Utc};
use devskyy_domain::{
    identity::{PlatformRole, User},
    kernel::ids::UserId,
};

use super::{
    PeopleUnderTest,
    facts::{decide, id, register},
    sessions::{now, session},
};

async fn signed_in(people: &PeopleUnderTest) {
    register(people, id(1), PlatformRole::Admin).await;
    register(people, id(2), PlatformRole::Member).await;
    people.sessions.open(&session(id(50), id(1), 1)).await.unwrap();
}

async fn role(people: &PeopleUnderTest, user: UserId, at: DateTime<Utc>) -> Option<PlatformRole> {
    people.standings.of(user, id(50), at).await.unwrap()
}

/// The role comes from the log, not from the token.
pub async fn an_open_sign_in_counts_with_the_users_role(people: &PeopleUnderTest) {
    signed_in(people).await;
    assert_eq!(role(people, id(1), now()).await, Some(PlatformRole::Admin));
}

/// A logged-out session is invalid.
pub async fn a_revoked_sign_in_does_not_count(people: &PeopleUnderTest) {
    signed_in(people).await;
    people.sessions.revoke(id(50), now()).await.unwrap();
    assert_eq!(role(people, id(1), now()).await, None);
}

/// A session is invalid after thirty days.
pub async fn a_sign_in_past_its_end_does_not_count(people: &PeopleUnderTest) {
    signed_in(people).await;
    assert_eq!(role(people, id(1), now() + TimeDelta::days(30)).await, None);
}

/// Disabling an account invalidates its sessions.
pub async fn a_disabled_users_sign_in_does_not_count(people: &PeopleUnderTest) {
    signed_in(people).await;
    decide::<User>(people, id(1), User::disable).await;
    assert_eq!(role(people, id(1), now()).await, None);
}

/// A session is valid for its person only.
pub async fn somebody_elses_sign_in_does_not_count(people: &PeopleUnderTest) {
    signed_in(people).await;
    assert_eq!(role(people, id(2), now()).await, None);
}

/// An unknown session is invalid.
pub async fn an_unknown_sign_in_does_not_count(people: &PeopleUnderTest) {
    signed_in(people).await;
    assert_eq!(people.standings.of(id(1), id(51), now()).await.unwrap(), None);
}
