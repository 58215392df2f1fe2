//! Makes tokens that differ from a genuine one in exactly one respect. The signature is genuine unless it is that
//! respect.

use std::sync::Arc;

use aws_lc_rs::{hmac, signature::Ed25519KeyPair};
use data_encoding::BASE64URL_NOPAD;
use devskyy_application::identity::{AccessClaims, AccessTokens as _};
use devskyy_infrastructure::crypto::{EdDsaAccessTokens, SealedKey, SigningKeyStore as _, TokenSettings};
use serde_json::{Value, json};
use uuid::Uuid;

use super::world::{KeysInMemory, claims, master, now, tokens_over};

pub(super) struct Forge {
    tokens: EdDsaAccessTokens,
    pub(super) key: SealedKey,
    pair: Ed25519KeyPair,
}

impl Forge {
    pub(super) async fn new() -> Self {
        let store = Arc::<KeysInMemory>::default();
        let tokens = tokens_over(&store, TokenSettings::default()).await;
        let key = store.all().await.unwrap().remove(0);
        let private = master().open("signing-key", &key.kid, &key.sealed_private).unwrap();
        Self { tokens, key, pair: Ed25519KeyPair::from_pkcs8_maybe_unchecked(&private).unwrap() }
    }

    /// The platform's verdict on a token.
    pub(super) async fn verdict(&self, token: &str) -> Option<AccessClaims> {
        self.tokens.verify(token, now()).await.unwrap()
    }

    pub(super) fn genuine(&self) -> String {
        self.sign(&self.header().to_string(), &self.payload().to_string())
    }

    pub(super) fn header(&self) -> Value {
        json!({"typ": "at+jwt", "alg": "EdDSA", "kid": self.key.kid})
    }

    pub(super) fn payload(&self) -> Value {
        json!({
            "iss": "devskyy", "aud": "devskyy-api", "sub": Uuid::from_u128(2), "sid": Uuid::from_u128(3),
            "jti": Uuid::from_u128(1), "iat": now().timestamp(), "nbf": now().timestamp(),
            "exp": claims().expires_at.timestamp(),
        })
    }

    /// A genuine signature over any two texts.
    pub(super) fn sign(&self, header: &str, payload: &str) -> String {
        let message = message(header, payload.as_bytes());
        format!("{message}.{}", BASE64URL_NOPAD.encode(self.pair.sign(message.as_bytes()).as_ref()))
    }

    /// A genuine signature over claims that are not text.
    pub(super) fn sign_bytes(&self, payload: &[u8]) -> String {
        let message = message(&self.header().to_string(), payload);
        format!("{message}.{}", BASE64URL_NOPAD.encode(self.pair.sign(message.as_bytes()).as_ref()))
    }

    /// Genuine, except for one member of the header.
    pub(super) fn headed(&self, name: &str, value: Value) -> String {
        let mut header = self.header();
        header[name] = value;
        self.sign(&header.to_string(), &self.payload().to_string())
    }

    pub(super) fn headless(&self, name: &str) -> String {
        let mut header = self.header();
        header.as_object_mut().unwrap().remove(name);
        self.sign(&header.to_string(), &self.payload().to_string())
    }

    /// Genuine, except for one claim.
    pub(super) fn claiming(&self, name: &str, value: Value) -> String {
        let mut payload = self.payload();
        payload[name] = value;
        self.sign(&self.header().to_string(), &payload.to_string())
    }

    pub(super) fn without(&self, name: &str) -> String {
        let mut payload = self.payload();
        payload.as_object_mut().unwrap().remove(name);
        self.sign(&self.header().to_string(), &payload.to_string())
    }

    /// Genuine, but with a repeated claim: `first` comes before all others.
    pub(super) fn repeating(&self, first: &str) -> String {
        let payload = self.payload().to_string().replacen('{', &format!("{{{first},"), 1);
        self.sign(&self.header().to_string(), &payload)
    }

    /// Names `alg` and has no signature at all.
    pub(super) fn unsigned(&self, alg: &str) -> String {
        let mut header = self.header();
        header["alg"] = json!(alg);
        format!("{}.", message(&header.to_string(), self.payload().to_string().as_bytes()))
    }

    /// Names `alg`, and is signed with a publicly known shared secret.
    pub(super) fn hashed(&self, alg: &str, digest: hmac::Algorithm, secret: &[u8]) -> String {
        let mut header = self.header();
        header["alg"] = json!(alg);
        let message = message(&header.to_string(), self.payload().to_string().as_bytes());
        let tag = hmac::sign(&hmac::Key::new(digest, secret), message.as_bytes());
        format!("{message}.{}", BASE64URL_NOPAD.encode(tag.as_ref()))
    }
}

pub(super) fn message(header: &str, payload: &[u8]) -> String {
    format!("{}.{}", BASE64URL_NOPAD.encode(header.as_bytes()), BASE64URL_NOPAD.encode(payload))
}

/// One test per forged token: it is refused.
macro_rules! refused {
    ($($name:ident: $forged:expr;)+) => {$(
        #[tokio::test]
        async fn $name() {
            let forge = $crate::crypto::forge::Forge::new().await;
            let forged: fn(&$crate::crypto::forge::Forge) -> String = $forged;
            let token = forged(&forge);
            assert_eq!(forge.verdict(&token).await, None, "{token}");
        }
    )+};
}

pub(super) use refused;

#[tokio::test]
async fn what_is_forged_in_no_respect_is_genuine() {
    let forge = Forge::new().await;
    assert_eq!(forge.verdict(&forge.genuine()).await, Some(claims()));
}
