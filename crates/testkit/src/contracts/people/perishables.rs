use chrono::{DateTime, TimeDelta, Utc};
use devskyy_application::{
    es::{AppendError, AppendRequest, EventContext, Idempotency},
    identity::Rotation,
};
use uuid::Uuid;

use super::{
    PeopleUnderTest,
    facts::id,
    sessions::{exchange, now, session},
};

const END: TimeDelta = TimeDelta::days(30);
const LATER: TimeDelta = TimeDelta::seconds(1);

async fn sign_in(people: &PeopleUnderTest) {
    people.sessions.open(&session(id(50), id(1), 1)).await.unwrap();
}

/// Ended sessions are removed with all of their tokens.
pub async fn sign_ins_that_have_ended_are_swept(people: &PeopleUnderTest) {
    sign_in(people).await;
    exchange(people, 1, 2, now()).await;
    assert_eq!(people.perishables.sessions.sweep(now() + END + LATER).await.unwrap(), 1);
    // Neither the valid token is known any more, nor the one whose reuse would reveal a theft.
    assert_eq!(exchange(people, 2, 3, now()).await, Rotation::Refused);
    assert_eq!(exchange(people, 1, 3, now()).await, Rotation::Refused);
}

/// A sweep ends no active session.
pub async fn sign_ins_that_have_not_ended_are_spared(people: &PeopleUnderTest) {
    sign_in(people).await;
    assert_eq!(people.perishables.sessions.sweep(now() + END).await.unwrap(), 0);
    assert_eq!(exchange(people, 1, 2, now()).await, Rotation::Rotated { session: id(50), user: id(1) });
}

/// Expired invitations are useless.
pub async fn invitations_that_have_ended_are_swept(people: &PeopleUnderTest) {
    people.invitations.save(&[1; 32], now()).await.unwrap();
    assert_eq!(people.perishables.invitations.sweep(now() + LATER).await.unwrap(), 1);
    assert_eq!(people.invitations.expiry(&[1; 32]).await.unwrap(), None);
}

/// Open invitations are kept.
pub async fn invitations_that_have_not_ended_are_spared(people: &PeopleUnderTest) {
    people.invitations.save(&[1; 32], now()).await.unwrap();
    assert_eq!(people.perishables.invitations.sweep(now()).await.unwrap(), 0);
    assert_eq!(people.invitations.expiry(&[1; 32]).await.unwrap(), Some(now()));
}

async fn used(people: &PeopleUnderTest, fingerprint: u8) -> Result<bool, AppendError> {
    let context = EventContext {
        actor: "system:test".to_owned(),
        project: None,
        correlation_id: Uuid::nil(),
        causation_id: Uuid::nil(),
        source: None,
        traceparent: None,
    };
    let (scope, key) = (Uuid::nil(), "order-4711".to_owned());
    let idempotency = Some(Idempotency { scope, key, fingerprint: [fingerprint; 32] });
    let request = AppendRequest { writes: vec![], claims: vec![], idempotency, context };
    Ok(people.store.append(request).await?.replayed)
}

/// Old keys can be used for another request.
pub async fn keys_used_long_ago_are_forgotten(people: &PeopleUnderTest) {
    used(people, 1).await.unwrap();
    assert_eq!(people.perishables.used_keys.sweep(DateTime::<Utc>::MAX_UTC).await.unwrap(), 1);
    assert!(!used(people, 2).await.unwrap());
}

/// A repeated request is still recognised.
pub async fn keys_used_lately_are_remembered(people: &PeopleUnderTest) {
    used(people, 1).await.unwrap();
    assert_eq!(people.perishables.used_keys.sweep(DateTime::UNIX_EPOCH).await.unwrap(), 0);
    assert!(used(people, 1).await.unwrap());
}
