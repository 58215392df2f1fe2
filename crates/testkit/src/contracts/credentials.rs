//! The contract of passwords, secrets, access tokens and the bootstrap token.
#![expect(clippy::unwrap_used, reason = "a broken promise is a panic")]

use std::{any::Any, collections::BTreeSet, sync::Arc};

use chrono::{DateTime, TimeDelta, Utc};
use devskyy_application::identity::{AccessClaims, AccessTokens, BootstrapTokens, PasswordHasher, TokenMint};
use devskyy_domain::identity::{Password, PasswordPolicy};
use uuid::Uuid;

/// The adapters that handle credentials.
pub struct CredentialsUnderTest {
    /// Hashes passwords.
    pub hasher: Arc<dyn PasswordHasher>,
    /// Generates secrets and digests.
    pub mint: Arc<dyn TokenMint>,
    /// Signs access tokens.
    pub tokens: Arc<dyn AccessTokens>,
    /// Stores the bootstrap token.
    pub bootstrap: Arc<dyn BootstrapTokens>,
    /// Resources that must live as long, for example a directory.
    pub keep: Box<dyn Any + Send + Sync>,
}

const PASSWORD: &str = "Correct-Horse-7";

fn password() -> Password {
    Password::parse(PASSWORD, None, PasswordPolicy::Classic).unwrap()
}

fn noon() -> DateTime<Utc> {
    DateTime::from_timestamp(1_767_268_800, 0).unwrap()
}

/// Claims of a token that is valid for a quarter of an hour.
fn claims() -> AccessClaims {
    AccessClaims {
        id: Uuid::from_u128(1),
        user: Uuid::from_u128(2).into(),
        session: Uuid::from_u128(3).into(),
        issued_at: noon(),
        expires_at: noon() + TimeDelta::minutes(15),
    }
}

impl CredentialsUnderTest {
    async fn verified(&self, token: &str, now: DateTime<Utc>) -> Option<AccessClaims> {
        self.tokens.verify(token, now).await.unwrap()
    }
}

/// The correct password is accepted.
pub async fn the_password_that_was_hashed_is_recognised(it: &CredentialsUnderTest) {
    let hash = it.hasher.hash(&password()).await.unwrap();
    assert!(it.hasher.verify(PASSWORD, Some(&hash)).await.unwrap());
}

/// A similar password is rejected.
pub async fn another_password_is_not_recognised(it: &CredentialsUnderTest) {
    let hash = it.hasher.hash(&password()).await.unwrap();
    assert!(!it.hasher.verify("Correct-Horse-8", Some(&hash)).await.unwrap());
}

/// Without a hash, every password is rejected.
pub async fn nobody_knows_the_password_of_nobody(it: &CredentialsUnderTest) {
    assert!(!it.hasher.verify(PASSWORD, None).await.unwrap());
}

/// Equal passwords of two people have different hashes.
pub async fn one_password_never_has_the_same_hash_twice(it: &CredentialsUnderTest) {
    assert_ne!(it.hasher.hash(&password()).await.unwrap(), it.hasher.hash(&password()).await.unwrap());
}

/// Secrets are unique.
pub async fn no_secret_is_made_twice(it: &CredentialsUnderTest) {
    let made: BTreeSet<_> = (0..100).map(|_| it.mint.token().unwrap()).collect();
    assert_eq!(made.len(), 100);
}

/// A secret needs no escaping in URLs and headers, and has 256 bits.
pub async fn a_secret_is_safe_in_addresses(it: &CredentialsUnderTest) {
    let secret = it.mint.token().unwrap();
    let safe = secret.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte));
    assert!(safe && secret.len() >= 43, "{secret}");
}

/// Digests are deterministic.
pub async fn a_digest_is_the_same_each_time(it: &CredentialsUnderTest) {
    let both = || (it.mint.digest("token"), it.mint.keyed("mail", b"ada"));
    assert_eq!(both(), both());
}

/// Similar secrets have different digests.
pub async fn other_secrets_have_other_digests(it: &CredentialsUnderTest) {
    let secrets = ["token", "Token", "toke", "", "token "];
    let digests: BTreeSet<_> = secrets.map(|secret| it.mint.digest(secret)).into();
    assert_eq!(digests.len(), 5);
}

/// Digests for different purposes differ.
pub async fn purposes_never_meet(it: &CredentialsUnderTest) {
    assert_ne!(it.mint.keyed("mail", b"ada"), it.mint.keyed("address", b"ada"));
    assert_ne!(it.mint.keyed("mail", b"ada"), it.mint.keyed("mail", b"eve"));
    assert_ne!(it.mint.keyed("mail", b"ada"), it.mint.digest("ada"));
}

/// A valid token returns its claims.
pub async fn a_genuine_token_says_what_was_signed(it: &CredentialsUnderTest) {
    let token = it.tokens.issue(&claims()).await.unwrap();
    assert_eq!(it.verified(&token, noon()).await, Some(claims()));
}

/// With a tolerance of a few seconds.
pub async fn a_token_does_not_count_after_its_end(it: &CredentialsUnderTest) {
    let token = it.tokens.issue(&claims()).await.unwrap();
    assert_eq!(it.verified(&token, noon() + TimeDelta::minutes(16)).await, None);
}

/// With a tolerance of a few seconds.
pub async fn a_token_does_not_count_before_its_time(it: &CredentialsUnderTest) {
    let token = it.tokens.issue(&claims()).await.unwrap();
    assert_eq!(it.verified(&token, noon() - TimeDelta::minutes(1)).await, None);
}

/// Forged tokens are rejected.
pub async fn a_token_nobody_signed_says_nothing(it: &CredentialsUnderTest) {
    let token = it.tokens.issue(&claims()).await.unwrap();
    let halves = (token.split_at(token.len() / 2), token.chars().rev().collect::<String>());
    for forged in ["", "a.b.c", halves.0.0, halves.0.1, &halves.1] {
        assert_eq!(it.verified(forged, noon()).await, None, "{forged}");
    }
}

/// The public keys are a key set (RFC 7517).
pub async fn the_public_keys_are_a_set_of_keys(it: &CredentialsUnderTest) {
    let document: serde_json::Value = serde_json::from_str(&it.tokens.public_keys().await.unwrap()).unwrap();
    assert!(document["keys"].is_array(), "{document}");
}

/// Repeated calls return the same offer.
pub async fn an_offer_stands_until_it_is_withdrawn(it: &CredentialsUnderTest) {
    assert_eq!(it.bootstrap.offer().await.unwrap(), it.bootstrap.offer().await.unwrap());
}

/// The offered token is accepted.
pub async fn the_token_on_offer_matches(it: &CredentialsUnderTest) {
    let offer = it.bootstrap.offer().await.unwrap();
    assert!(it.bootstrap.matches(&offer.token).await.unwrap());
}

/// Wrong tokens are rejected, with or without an offer.
pub async fn a_guess_does_not_match(it: &CredentialsUnderTest) {
    assert!(!it.bootstrap.matches("").await.unwrap(), "nothing is on offer yet");
    it.bootstrap.offer().await.unwrap();
    assert!(!it.bootstrap.matches("guess").await.unwrap());
    assert!(!it.bootstrap.matches("").await.unwrap());
}

/// A withdrawn token is rejected.
pub async fn nothing_matches_a_withdrawn_token(it: &CredentialsUnderTest) {
    let offer = it.bootstrap.offer().await.unwrap();
    it.bootstrap.withdraw().await.unwrap();
    assert!(!it.bootstrap.matches(&offer.token).await.unwrap());
}

/// A new offer has a new token; withdrawing without an offer is no error.
pub async fn an_offer_after_a_withdrawal_is_another(it: &CredentialsUnderTest) {
    it.bootstrap.withdraw().await.unwrap();
    let before = it.bootstrap.offer().await.unwrap();
    it.bootstrap.withdraw().await.unwrap();
    assert_ne!(it.bootstrap.offer().await.unwrap().token, before.token);
}

/// Creates a test for each promise about credentials.
#[macro_export]
macro_rules! credentials_contract {
    ($($how:tt)+) => {
        $crate::promises! { [$($how)+] [(&) credentials] =>
            the_password_that_was_hashed_is_recognised,
            another_password_is_not_recognised,
            nobody_knows_the_password_of_nobody,
            one_password_never_has_the_same_hash_twice,
            no_secret_is_made_twice,
            a_secret_is_safe_in_addresses,
            a_digest_is_the_same_each_time,
            other_secrets_have_other_digests,
            purposes_never_meet,
            a_genuine_token_says_what_was_signed,
            a_token_does_not_count_after_its_end,
            a_token_does_not_count_before_its_time,
            a_token_nobody_signed_says_nothing,
            the_public_keys_are_a_set_of_keys,
            an_offer_stands_until_it_is_withdrawn,
            the_token_on_offer_matches,
            a_guess_does_not_match,
            nothing_matches_a_withdrawn_token,
            an_offer_after_a_withdrawal_is_another,
        }
    };
}
