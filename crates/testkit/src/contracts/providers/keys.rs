//! The contract of the vault of provider keys.

use chrono::{DateTime, Utc};
use devskyy_application::models::{KeyBinding, ProviderSecret};

use super::{ADDRESS, ProvidersUnderTest, key, provider};

const KEY: &str = "sk-proj-0123456789abcdefWXYZ";

fn at(second: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(1_800_000_000 + second, 0).expect("a time")
}

fn secret() -> ProviderSecret {
    ProviderSecret::parse(KEY).expect("a good key")
}

fn binding() -> KeyBinding {
    KeyBinding { id: key(1), provider: provider(1), base_url: ADDRESS.to_owned() }
}

impl ProvidersUnderTest {
    async fn handed_over(&self) {
        self.vault.save(&binding(), &secret(), at(0)).await.expect("it is kept");
    }

    async fn opens(&self, binding: &KeyBinding) -> bool {
        self.vault.open(binding).await.expect("an answer").is_some()
    }
}

/// The key is returned unchanged.
pub async fn a_key_opens_for_whom_it_was_handed_over(under_test: &ProvidersUnderTest) {
    under_test.handed_over().await;
    assert_eq!(under_test.vault.open(&binding()).await.expect("an answer"), Some(secret()));
}

/// Changing the base URL must not redirect the key.
pub async fn a_key_does_not_open_for_another_address(under_test: &ProvidersUnderTest) {
    under_test.handed_over().await;
    assert!(!under_test.opens(&KeyBinding { base_url: "https://evil.example.org".to_owned(), ..binding() }).await);
}

/// Not even at the same base URL.
pub async fn a_key_does_not_open_for_another_provider(under_test: &ProvidersUnderTest) {
    under_test.handed_over().await;
    assert!(!under_test.opens(&KeyBinding { provider: provider(2), ..binding() }).await);
}

/// The hint is the last four characters.
pub async fn a_key_is_recognised_by_its_end(under_test: &ProvidersUnderTest) {
    under_test.handed_over().await;
    assert_eq!(under_test.vault.hint(key(1)).await.expect("an answer").as_deref(), Some("WXYZ"));
}

/// Permanently.
pub async fn a_removed_key_is_gone(under_test: &ProvidersUnderTest) {
    under_test.handed_over().await;
    under_test.vault.remove(key(1)).await.expect("it is removed");
    assert!(!under_test.opens(&binding()).await);
}

/// A provider refers to it.
pub async fn a_sweep_spares_keys_that_are_held(under_test: &ProvidersUnderTest) {
    under_test.handed_over().await;
    under_test.given(1, 1, "cloud", Some(key(1))).await;
    assert_eq!(under_test.vault.sweep(at(60)).await.expect("a number"), 0);
}

/// The event that refers to it may follow.
pub async fn a_sweep_spares_keys_handed_over_lately(under_test: &ProvidersUnderTest) {
    under_test.handed_over().await;
    assert_eq!(under_test.vault.sweep(at(0)).await.expect("a number"), 0);
}

/// No event will refer to it.
pub async fn a_sweep_removes_keys_nobody_refers_to(under_test: &ProvidersUnderTest) {
    under_test.handed_over().await;
    let swept = under_test.vault.sweep(at(60)).await.expect("a number");
    assert_eq!((swept, under_test.opens(&binding()).await), (1, false));
}
