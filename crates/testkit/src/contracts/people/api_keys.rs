use std::collections::BTreeSet;

use chrono::{DateTime, TimeDelta, Utc};
use devskyy_application::{context::KeyGrant, identity::KeySecret, paging::Part};
use devskyy_domain::{
    identity::{ApiKey, KeyName, KeyRequest, KeyScope, PlatformRole, Renewal, User},
    kernel::ids::{ApiKeyId, KeySecretId},
    projects::ProjectRole,
};

use super::{
    PeopleUnderTest,
    facts::{decide, id, register},
    sessions::now,
};

const FIRST: [u8; 32] = [1; 32];
const SECOND: [u8; 32] = [2; 32];
const THIRD: [u8; 32] = [3; 32];

async fn keep(people: &PeopleUnderTest, secret: u64, digest: [u8; 32], created_at: DateTime<Utc>) {
    people.key_vault.save(&KeySecret { id: id(secret), key: id(60), digest, created_at }).await.unwrap();
}

/// Key 60 of project 10, issued by user 1 for thirty days, with secret 61.
pub(super) async fn issue(people: &PeopleUnderTest) {
    register(people, id(1), PlatformRole::Member).await;
    keep(people, 61, FIRST, now()).await;
    issue_as(people, id(60), id(61)).await;
}

pub(super) async fn issue_as(people: &PeopleUnderTest, key: ApiKeyId, secret: KeySecretId) {
    let wanted = KeyRequest {
        project: id(10),
        issuer: id(1),
        issuer_role: ProjectRole::Owner,
        name: KeyName::parse("deploy").unwrap(),
        role: ProjectRole::Operator,
        scopes: BTreeSet::from([KeyScope::named("runs.read"), KeyScope::named("runs.start")]),
        expires_at: now() + TimeDelta::days(30),
        secret,
    };
    decide::<ApiKey>(people, key, |it| it.issue(&wanted, now())).await;
}

/// Gives key 60 a new secret; the previous one stays valid for an hour.
async fn rotate(people: &PeopleUnderTest, secret: u64, digest: [u8; 32]) {
    keep(people, secret, digest, now()).await;
    let renewal =
        Renewal { by: ProjectRole::Owner, secret: id(secret), overlap: TimeDelta::hours(1), expires_at: None };
    decide::<ApiKey>(people, id(60), |it| it.rotate(&renewal, now())).await;
}

async fn grant(people: &PeopleUnderTest, digest: [u8; 32], at: DateTime<Utc>) -> Option<KeyGrant> {
    people.key_standings.of(id(60), &digest, at).await.unwrap()
}

/// An issued key is found with its properties.
pub async fn an_issued_key_is_found(people: &PeopleUnderTest) {
    issue(people).await;
    let found = people.keys.find(id(60)).await.unwrap().unwrap();
    assert_eq!((found.project, found.issuer, found.role), (id(10), id(1), ProjectRole::Operator));
    assert_eq!((found.name.as_str(), found.version), ("deploy", 1));
    assert_eq!(found.scopes, ["runs.read", "runs.start"]);
    assert_eq!((found.expires_at, found.rotated_at, found.revoked_at), (now() + TimeDelta::days(30), None, None));
}

/// Lists contain only keys of the project.
pub async fn keys_are_listed_by_project_the_newest_first(people: &PeopleUnderTest) {
    issue(people).await;
    issue_as(people, id(70), id(71)).await;
    let page = people.keys.list(id(10), &Part::default()).await.unwrap();
    let ids: Vec<ApiKeyId> = page.items.iter().map(|key| key.id).collect();
    assert_eq!((ids, page.total()), (vec![id(70), id(60)], Some(2)));
    assert_eq!(people.keys.list(id(11), &Part::default()).await.unwrap().total(), Some(0));
}

/// A valid secret returns the key's grant.
pub async fn a_key_with_its_secret_counts(people: &PeopleUnderTest) {
    issue(people).await;
    let grant = grant(people, FIRST, now()).await.unwrap();
    assert_eq!((grant.project, grant.issuer, grant.role), (id(10), id(1), ProjectRole::Operator));
    assert!(grant.scopes.contains("runs.start") && grant.scopes.len() == 2);
}

/// The prefix alone is not sufficient.
pub async fn a_key_with_another_secret_does_not_count(people: &PeopleUnderTest) {
    issue(people).await;
    keep(people, 99, SECOND, now()).await;
    assert_eq!(grant(people, SECOND, now()).await, None);
}

/// The expiry is exclusive.
pub async fn an_expired_key_does_not_count(people: &PeopleUnderTest) {
    issue(people).await;
    let expiry = now() + TimeDelta::days(30);
    assert!(grant(people, FIRST, expiry - TimeDelta::seconds(1)).await.is_some());
    assert_eq!(grant(people, FIRST, expiry).await, None);
}

/// A revoked key is invalid at once.
pub async fn a_revoked_key_does_not_count(people: &PeopleUnderTest) {
    issue(people).await;
    decide::<ApiKey>(people, id(60), ApiKey::revoke).await;
    assert_eq!(grant(people, FIRST, now()).await, None);
    assert!(people.keys.find(id(60)).await.unwrap().unwrap().revoked_at.is_some());
}

/// A key depends on its issuer's account.
pub async fn a_disabled_issuers_key_does_not_count(people: &PeopleUnderTest) {
    issue(people).await;
    decide::<User>(people, id(1), User::disable).await;
    assert_eq!(grant(people, FIRST, now()).await, None);
}

/// Programs get time to switch.
pub async fn a_replaced_secret_counts_for_the_overlap(people: &PeopleUnderTest) {
    issue(people).await;
    rotate(people, 62, SECOND).await;
    assert!(grant(people, SECOND, now()).await.is_some());
    assert!(grant(people, FIRST, now() + TimeDelta::minutes(59)).await.is_some());
    assert_eq!(grant(people, FIRST, now() + TimeDelta::hours(1)).await, None);
}

/// At most two secrets are valid.
pub async fn a_secret_replaced_twice_does_not_count(people: &PeopleUnderTest) {
    issue(people).await;
    rotate(people, 62, SECOND).await;
    rotate(people, 63, THIRD).await;
    assert_eq!(grant(people, FIRST, now()).await, None);
    assert!(grant(people, SECOND, now()).await.is_some() && grant(people, THIRD, now()).await.is_some());
}

/// A removed secret is invalid.
pub async fn a_removed_secret_does_not_count(people: &PeopleUnderTest) {
    issue(people).await;
    people.key_vault.remove(id(61)).await.unwrap();
    assert_eq!(grant(people, FIRST, now()).await, None);
}

/// Secrets of keys in use, or about to be issued, are kept.
pub async fn a_sweep_removes_only_old_secrets_nobody_refers_to(people: &PeopleUnderTest) {
    issue(people).await;
    rotate(people, 62, SECOND).await;
    rotate(people, 63, THIRD).await;
    keep(people, 64, [4; 32], now() + TimeDelta::hours(2)).await;
    assert_eq!(people.key_vault.sweep(now() + TimeDelta::hours(1)).await.unwrap(), 1);
    assert!(grant(people, SECOND, now()).await.is_some() && grant(people, THIRD, now()).await.is_some());
    assert_eq!(people.key_vault.sweep(now() + TimeDelta::hours(3)).await.unwrap(), 1);
}

/// The newest use is returned, or `None`.
pub async fn the_last_use_is_told(people: &PeopleUnderTest) {
    let later = now() + TimeDelta::minutes(1);
    people.key_uses.note(id(60), now());
    people.key_uses.note(id(60), later);
    assert_eq!(people.key_uses.last(&[id(60), id(70)]).await.unwrap(), [(id(60), later)]);
}

/// An older use recorded later is ignored.
pub async fn an_older_use_that_is_told_later_changes_nothing(people: &PeopleUnderTest) {
    let later = now() + TimeDelta::minutes(1);
    people.key_uses.note(id(60), later);
    people.key_uses.note(id(60), now());
    assert_eq!(people.key_uses.last(&[id(60)]).await.unwrap(), [(id(60), later)]);
}
