//! The cost of a presented key.

use std::sync::Arc;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use devskyy_application::{
    access::Access,
    context::KeyGrant,
    error::{Error, PortError},
    identity::{ApiKeys, ApiKeysPorts, KeyStandings, TokenMint},
};
use devskyy_domain::kernel::ids::ApiKeyId;
use devskyy_testkit::fakes::{
    FixedClock, InMemoryApiKeys, InMemoryEventStore, InMemoryProjects, InMemoryUsers, SequentialIds,
    SequentialTokenMint,
};

/// Fails every query.
struct Unreachable;

#[async_trait]
impl KeyStandings for Unreachable {
    async fn of(&self, _: ApiKeyId, _: &[u8; 32], _: DateTime<Utc>) -> Result<Option<KeyGrant>, PortError> {
        Err(PortError::transient("keys", "looking a key up", "there is no database"))
    }

    fn forget(&self, _: ApiKeyId) {}
}

/// The result for a key if nothing can be looked up.
async fn presented(checksum: impl FnOnce([u8; 32]) -> String) -> Error {
    let store = Arc::new(InMemoryEventStore::default());
    let keys = InMemoryApiKeys::following(&store, InMemoryUsers::following(&store));
    let mint = Arc::new(SequentialTokenMint::default());
    let body = format!("dsk_{}_secret", "0a".repeat(16));
    let key = format!("{body}_{}", checksum(mint.digest(&body)));
    let api_keys = ApiKeys::new(ApiKeysPorts {
        views: keys.clone(),
        vault: keys.clone(),
        standings: Arc::new(Unreachable),
        uses: keys,
        mint,
        access: Access::new(InMemoryProjects::following(&store)),
        clock: Arc::new(FixedClock::default()),
        ids: Arc::new(SequentialIds::default()),
        store,
    });
    api_keys.authenticate.handle(&key).await.expect_err("nobody knows this key")
}

fn beginning(digest: [u8; 32]) -> String {
    digest[..4].iter().map(|byte| format!("{byte:02x}")).collect()
}

#[tokio::test]
async fn a_mistyped_key_is_refused_without_a_query() {
    let refused = presented(|digest| beginning(digest.map(|byte| !byte))).await;
    assert!(matches!(refused, Error::Unauthenticated), "{refused:?}");
}

#[tokio::test]
async fn a_key_that_may_be_one_is_looked_up() {
    let refused = presented(beginning).await;
    assert!(matches!(refused, Error::Port(_)), "{refused:?}");
}
