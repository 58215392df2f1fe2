use std::sync::Arc;

use chrono::TimeDelta;
use devskyy_application::identity::AccessTokens;
use devskyy_infrastructure::crypto::{EdDsaAccessTokens, MasterKey, TokenSettings};
use devskyy_testkit::fakes::FixedClock;

use super::world::{KeysInMemory, claims, now, tokens, tokens_over};

#[tokio::test]
async fn a_remembered_token_says_the_same() {
    let tokens = tokens().await;
    let token = tokens.issue(&claims()).await.unwrap();
    tokens.verify(&token, now()).await.unwrap();
    assert_eq!(tokens.verify(&token, now()).await.unwrap(), Some(claims()));
}

#[tokio::test]
async fn a_remembered_token_still_expires() {
    let tokens = tokens().await;
    let token = tokens.issue(&claims()).await.unwrap();
    tokens.verify(&token, now()).await.unwrap();
    assert_eq!(tokens.verify(&token, now() + TimeDelta::minutes(16)).await.unwrap(), None);
}

#[tokio::test]
async fn a_token_cut_anywhere_is_refused() {
    let tokens = tokens().await;
    let token = tokens.issue(&claims()).await.unwrap();
    let mut accepted = 0;
    for length in 0..token.len() {
        accepted += usize::from(tokens.verify(&token[..length], now()).await.unwrap().is_some());
    }
    assert_eq!(accepted, 0);
}

#[tokio::test]
async fn a_token_for_another_audience_is_refused() {
    let store = Arc::<KeysInMemory>::default();
    let other = TokenSettings { audience: "somebody-else".to_owned(), ..TokenSettings::default() };
    let token = tokens_over(&store, other).await.issue(&claims()).await.unwrap();
    let tokens = tokens_over(&store, TokenSettings::default()).await;
    assert_eq!(tokens.verify(&token, now()).await.unwrap(), None);
}

#[tokio::test]
async fn a_token_of_another_issuer_is_refused() {
    let store = Arc::<KeysInMemory>::default();
    let other = TokenSettings { issuer: "somebody-else".to_owned(), ..TokenSettings::default() };
    let token = tokens_over(&store, other).await.issue(&claims()).await.unwrap();
    let tokens = tokens_over(&store, TokenSettings::default()).await;
    assert_eq!(tokens.verify(&token, now()).await.unwrap(), None);
}

#[tokio::test]
async fn a_token_of_another_installation_is_refused() {
    let token = tokens().await.issue(&claims()).await.unwrap();
    assert_eq!(tokens().await.verify(&token, now()).await.unwrap(), None);
}

#[tokio::test]
async fn replicas_over_one_key_store_accept_each_others_tokens() {
    let store = Arc::<KeysInMemory>::default();
    let one = tokens_over(&store, TokenSettings::default()).await;
    let other = tokens_over(&store, TokenSettings::default()).await;
    let token = one.issue(&claims()).await.unwrap();
    assert_eq!(other.verify(&token, now()).await.unwrap(), Some(claims()));
}

#[tokio::test]
async fn the_published_key_set_holds_no_private_half() {
    let set: serde_json::Value = serde_json::from_str(&tokens().await.public_keys().await.unwrap()).unwrap();
    assert_eq!(set["keys"][0].get("d"), None);
}

#[tokio::test]
async fn the_published_key_set_names_curve_and_algorithm() {
    let set: serde_json::Value = serde_json::from_str(&tokens().await.public_keys().await.unwrap()).unwrap();
    assert_eq!((&set["keys"][0]["crv"], &set["keys"][0]["alg"]), (&"Ed25519".into(), &"EdDSA".into()));
}

#[tokio::test]
async fn keys_sealed_with_another_master_key_are_a_failure() {
    let store = Arc::<KeysInMemory>::default();
    tokens_over(&store, TokenSettings::default()).await;
    let stranger = MasterKey::generate().unwrap();
    let loaded =
        EdDsaAccessTokens::load(TokenSettings::default(), store, stranger, Arc::new(FixedClock::default())).await;
    assert!(loaded.is_err());
}

#[tokio::test]
async fn two_clocks_may_differ_by_the_leeway() {
    let tokens = tokens().await;
    let token = tokens.issue(&claims()).await.unwrap();
    let late = claims().expires_at + TimeDelta::seconds(4);
    assert_eq!(tokens.verify(&token, late).await.unwrap(), Some(claims()));
}

#[tokio::test]
async fn no_leeway_is_longer_than_thirty_seconds() {
    let generous = TokenSettings { leeway_s: 3_600, ..TokenSettings::default() };
    let tokens = tokens_over(&Arc::default(), generous).await;
    let token = tokens.issue(&claims()).await.unwrap();
    assert_eq!(tokens.verify(&token, claims().expires_at + TimeDelta::seconds(30)).await.unwrap(), None);
}
