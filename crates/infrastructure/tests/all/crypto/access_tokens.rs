use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};
use data_encoding::BASE64URL_NOPAD;
use devskyy_application::{
    error::PortError,
    identity::{AccessClaims, AccessTokens},
    ports::Clock,
};
use devskyy_domain::kernel::ids::{SessionId, UserId};
use devskyy_infrastructure::crypto::{EdDsaAccessTokens, MasterKey, SealedKey, SigningKeyStore, TokenSettings};
use devskyy_testkit::fakes::FixedClock;
use uuid::Uuid;

#[derive(Default)]
struct KeysInMemory(Mutex<Vec<SealedKey>>);

#[async_trait]
impl SigningKeyStore for KeysInMemory {
    async fn all(&self) -> Result<Vec<SealedKey>, PortError> {
        Ok(self.0.lock().unwrap().clone())
    }

    async fn add_first(&self, key: &SealedKey) -> Result<(), PortError> {
        let mut keys = self.0.lock().unwrap();
        if keys.is_empty() {
            keys.push(key.clone());
        }
        Ok(())
    }
}

fn master() -> MasterKey {
    MasterKey::parse(&"a7".repeat(32)).unwrap()
}

fn now() -> DateTime<Utc> {
    FixedClock::default().now()
}

fn claims() -> AccessClaims {
    AccessClaims {
        id: Uuid::from_u128(1),
        user: UserId::from(Uuid::from_u128(2)),
        session: SessionId::from(Uuid::from_u128(3)),
        issued_at: now(),
        expires_at: now() + TimeDelta::minutes(15),
    }
}

async fn tokens_over(store: &Arc<KeysInMemory>, settings: TokenSettings) -> EdDsaAccessTokens {
    let _already_installed = jsonwebtoken::crypto::aws_lc::DEFAULT_PROVIDER.install_default();
    let store: Arc<dyn SigningKeyStore> = Arc::<KeysInMemory>::clone(store);
    EdDsaAccessTokens::load(settings, store, master(), &FixedClock::default()).await.unwrap()
}

async fn tokens() -> EdDsaAccessTokens {
    tokens_over(&Arc::default(), TokenSettings::default()).await
}

fn with_header(token: &str, header: &str) -> String {
    let (_, rest) = token.split_once('.').unwrap();
    format!("{}.{rest}", BASE64URL_NOPAD.encode(header.as_bytes()))
}

#[tokio::test]
async fn a_genuine_token_says_who_signed_in() {
    let tokens = tokens().await;
    let token = tokens.issue(&claims()).await.unwrap();
    assert_eq!(tokens.verify(&token, now()).await.unwrap(), Some(claims()));
}

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
async fn a_token_from_the_future_does_not_count_yet() {
    let tokens = tokens().await;
    let token = tokens.issue(&claims()).await.unwrap();
    assert_eq!(tokens.verify(&token, now() - TimeDelta::minutes(1)).await.unwrap(), None);
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
async fn a_token_without_signature_algorithm_is_refused() {
    let tokens = tokens().await;
    let token = tokens.issue(&claims()).await.unwrap();
    let forged = with_header(&token, r#"{"alg":"none","typ":"at+jwt"}"#);
    assert_eq!(tokens.verify(&forged, now()).await.unwrap(), None);
}

#[tokio::test]
async fn the_public_key_is_no_shared_secret() {
    let store = Arc::<KeysInMemory>::default();
    let tokens = tokens_over(&store, TokenSettings::default()).await;
    let key = store.all().await.unwrap().remove(0);
    let mut header = jsonwebtoken::Header::new(jsonwebtoken::Algorithm::HS256);
    header.typ = Some("at+jwt".to_owned());
    header.kid = Some(key.kid);
    let body = serde_json::json!({
        "iss": "devskyy", "aud": "devskyy-api", "sub": Uuid::from_u128(2), "sid": Uuid::from_u128(3),
        "jti": Uuid::from_u128(1), "iat": now().timestamp(), "nbf": now().timestamp(),
        "exp": now().timestamp() + 900,
    });
    let secret = jsonwebtoken::EncodingKey::from_secret(&key.public);
    let forged = jsonwebtoken::encode(&header, &body, &secret).unwrap();
    assert_eq!(tokens.verify(&forged, now()).await.unwrap(), None);
}

#[tokio::test]
async fn a_key_carried_in_the_header_is_not_looked_at() {
    let tokens = tokens().await;
    let token = tokens.issue(&claims()).await.unwrap();
    let forged = with_header(&token, r#"{"alg":"EdDSA","typ":"at+jwt","kid":"x","jku":"https://evil.example/keys"}"#);
    assert_eq!(tokens.verify(&forged, now()).await.unwrap(), None);
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
    let loaded = EdDsaAccessTokens::load(TokenSettings::default(), store, stranger, &FixedClock::default()).await;
    assert!(loaded.is_err());
}
