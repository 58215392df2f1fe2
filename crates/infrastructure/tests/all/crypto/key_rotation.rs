//! A new key replaces an old one without signing users out.

use std::{sync::Arc, time::Duration};

use chrono::TimeDelta;
use devskyy_application::{
    identity::{AccessClaims, AccessTokens as _},
    ports::Clock as _,
};
use devskyy_infrastructure::crypto::{
    EdDsaAccessTokens, KeyRotation, MasterKey, PUBLISHED_BEFORE, SigningKeyStore, TokenSettings,
};
use devskyy_testkit::fakes::FixedClock;

use super::world::{KeysInMemory, claims_at, replica, rotation};

/// Two replicas and a process that rotates, over one set of keys and one clock.
struct Cluster {
    store: Arc<KeysInMemory>,
    clock: Arc<FixedClock>,
    one: EdDsaAccessTokens,
    other: EdDsaAccessTokens,
    rotation: KeyRotation,
}

impl Cluster {
    async fn new() -> Self {
        let (store, clock) = (Arc::<KeysInMemory>::default(), Arc::<FixedClock>::default());
        let shared: Arc<dyn SigningKeyStore> = store.clone();
        let one = replica(&shared, TokenSettings::default(), &clock).await;
        let other = replica(&shared, TokenSettings::default(), &clock).await;
        let rotation = rotation(&shared, &clock);
        Self { store, clock, one, other, rotation }
    }

    fn pass(&self, time: TimeDelta) {
        self.clock.advance(time.to_std().unwrap());
    }

    fn claims(&self) -> AccessClaims {
        claims_at(self.clock.now())
    }

    /// The key that signs on the first replica.
    async fn signs(&self) -> String {
        let token = self.one.issue(&self.claims()).await.unwrap();
        jsonwebtoken::decode_header(token).unwrap().kid.unwrap()
    }

    /// The names of the published keys on the first replica.
    async fn published(&self) -> Vec<String> {
        self.one.reload().await.unwrap();
        let set: serde_json::Value = serde_json::from_str(&self.one.public_keys().await.unwrap()).unwrap();
        set["keys"].as_array().unwrap().iter().map(|key| key["kid"].as_str().unwrap().to_owned()).collect()
    }
}

#[tokio::test]
async fn a_new_key_is_published_before_it_signs() {
    let cluster = Cluster::new().await;
    let old = cluster.signs().await;
    let new = cluster.rotation.rotate().await.unwrap().unwrap().kid;
    assert_eq!((cluster.published().await, cluster.signs().await), (vec![old.clone(), new], old));
}

#[tokio::test]
async fn a_new_key_signs_when_its_time_has_come() {
    let cluster = Cluster::new().await;
    let new = cluster.rotation.rotate().await.unwrap().unwrap().kid;
    cluster.one.reload().await.unwrap();
    cluster.pass(PUBLISHED_BEFORE);
    assert_eq!(cluster.signs().await, new);
}

#[tokio::test]
async fn the_last_token_of_the_old_key_counts_until_it_expires() {
    let cluster = Cluster::new().await;
    cluster.rotation.rotate().await.unwrap();
    cluster.pass(PUBLISHED_BEFORE - TimeDelta::seconds(1));
    let claims = cluster.claims();
    let token = cluster.one.issue(&claims).await.unwrap();
    cluster.pass(TimeDelta::minutes(15) - TimeDelta::seconds(1));
    cluster.rotation.keep_young(TimeDelta::days(30)).await.unwrap();
    cluster.other.reload().await.unwrap();
    assert_eq!(cluster.other.verify(&token, cluster.clock.now()).await.unwrap(), Some(claims));
}

#[tokio::test]
async fn the_old_key_leaves_the_key_set_when_its_last_token_has_expired() {
    let cluster = Cluster::new().await;
    let new = cluster.rotation.rotate().await.unwrap().unwrap().kid;
    cluster.pass(PUBLISHED_BEFORE + TimeDelta::minutes(16));
    assert_eq!(cluster.published().await, [new]);
}

#[tokio::test]
async fn the_old_private_key_is_thrown_away() {
    let cluster = Cluster::new().await;
    cluster.rotation.rotate().await.unwrap();
    cluster.pass(PUBLISHED_BEFORE + TimeDelta::minutes(16));
    cluster.rotation.keep_young(TimeDelta::days(30)).await.unwrap();
    assert_eq!(cluster.store.all().await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_retired_key_verifies_nothing_even_if_it_is_still_known() {
    let cluster = Cluster::new().await;
    cluster.rotation.rotate().await.unwrap();
    cluster.one.reload().await.unwrap();
    let late = AccessClaims { expires_at: cluster.clock.now() + TimeDelta::days(1), ..cluster.claims() };
    let token = cluster.one.issue(&late).await.unwrap();
    cluster.pass(PUBLISHED_BEFORE + TimeDelta::minutes(16));
    assert_eq!(cluster.one.verify(&token, cluster.clock.now()).await.unwrap(), None);
}

#[tokio::test]
async fn a_replica_learns_of_a_key_when_it_meets_it() {
    let cluster = Cluster::new().await;
    cluster.rotation.rotate().await.unwrap();
    cluster.one.reload().await.unwrap();
    cluster.pass(PUBLISHED_BEFORE);
    let (claims, token) = (cluster.claims(), cluster.one.issue(&cluster.claims()).await.unwrap());
    assert_eq!(cluster.other.verify(&token, cluster.clock.now()).await.unwrap(), Some(claims));
}

#[tokio::test]
async fn any_number_of_unknown_keys_costs_one_reading_in_five_seconds() {
    let cluster = Cluster::new().await;
    let stranger = Cluster::new().await;
    let token = stranger.one.issue(&stranger.claims()).await.unwrap();
    cluster.pass(TimeDelta::seconds(6));
    let before = cluster.store.reads();
    for _ in 0..100 {
        cluster.one.verify(&token, cluster.clock.now()).await.unwrap();
    }
    assert_eq!(cluster.store.reads() - before, 1);
}

#[tokio::test]
async fn a_young_key_is_kept() {
    let cluster = Cluster::new().await;
    cluster.pass(TimeDelta::days(29));
    assert_eq!(cluster.rotation.keep_young(TimeDelta::days(30)).await.unwrap(), None);
}

#[tokio::test]
async fn a_key_of_age_gets_a_successor() {
    let cluster = Cluster::new().await;
    cluster.pass(TimeDelta::days(30));
    assert!(cluster.rotation.keep_young(TimeDelta::days(30)).await.unwrap().is_some());
}

#[tokio::test]
async fn a_key_that_has_just_come_is_not_succeeded_at_once() {
    let cluster = Cluster::new().await;
    cluster.pass(TimeDelta::days(30));
    cluster.rotation.keep_young(TimeDelta::days(30)).await.unwrap();
    assert_eq!(cluster.rotation.keep_young(TimeDelta::days(30)).await.unwrap(), None);
}

#[tokio::test]
async fn of_twenty_replicas_that_rotate_at_once_one_does() {
    let cluster = Cluster::new().await;
    cluster.pass(TimeDelta::days(30));
    let age = TimeDelta::days(30);
    futures_util::future::join_all((0..20).map(|_| cluster.rotation.keep_young(age))).await;
    assert_eq!(cluster.store.all().await.unwrap().len(), 2);
}

#[tokio::test]
async fn keys_rotated_twice_in_a_row_sign_one_after_the_other() {
    let cluster = Cluster::new().await;
    let first = cluster.rotation.rotate().await.unwrap().unwrap();
    let second = cluster.rotation.rotate().await.unwrap().unwrap();
    assert_eq!(second.signs_from - first.signs_from, PUBLISHED_BEFORE);
}

#[tokio::test]
async fn nobody_rotates_with_another_master_key() {
    let cluster = Cluster::new().await;
    let stranger = MasterKey::generate().unwrap();
    let rotation = KeyRotation::new(cluster.store.clone(), stranger, cluster.clock.clone(), TimeDelta::minutes(15));
    assert!(rotation.rotate().await.is_err());
}

#[tokio::test]
async fn a_remembered_token_counts_no_longer_when_its_key_was_removed() {
    let cluster = Cluster::new().await;
    let token = cluster.one.issue(&cluster.claims()).await.unwrap();
    cluster.one.verify(&token, cluster.clock.now()).await.unwrap();
    let old = cluster.store.all().await.unwrap().remove(0).kid;
    cluster.rotation.rotate().await.unwrap();
    cluster.store.remove(&[old]).await.unwrap();
    cluster.clock.advance(Duration::from_secs(6));
    cluster.one.reload().await.unwrap();
    assert_eq!(cluster.one.verify(&token, cluster.clock.now()).await.unwrap(), None);
}
