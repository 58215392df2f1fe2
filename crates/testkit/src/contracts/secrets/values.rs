//! The contract of the vault of secret values.

use chrono::{DateTime, Utc};
use devskyy_application::secrets::SecretBinding;
use devskyy_domain::secrets::SecretValue;

use super::{SecretsUnderTest, hosts, secret, value};

fn at(second: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(1_800_000_000 + second, 0).expect("a time")
}

fn kept() -> SecretValue {
    SecretValue::parse("Bearer 0123456789").expect("a good value")
}

fn binding() -> SecretBinding {
    SecretBinding { id: value(1), secret: secret(1), hosts: hosts(&["api.example.org"]) }
}

impl SecretsUnderTest {
    async fn handed_over(&self) {
        self.vault.save(&binding(), &kept(), at(0)).await.expect("it is kept");
    }

    async fn opens(&self, binding: &SecretBinding) -> bool {
        self.vault.open(binding).await.expect("an answer").is_some()
    }
}

/// The value is returned unchanged.
pub async fn a_value_opens_for_what_it_was_handed_over(under_test: &SecretsUnderTest) {
    under_test.handed_over().await;
    assert_eq!(under_test.vault.open(&binding()).await.expect("an answer"), Some(kept()));
}

/// Changing a row must not redirect the value.
pub async fn a_value_does_not_open_for_another_host(under_test: &SecretsUnderTest) {
    under_test.handed_over().await;
    assert!(!under_test.opens(&SecretBinding { hosts: hosts(&["evil.example.org"]), ..binding() }).await);
}

/// Not even for the same host.
pub async fn a_value_does_not_open_for_another_secret(under_test: &SecretsUnderTest) {
    under_test.handed_over().await;
    assert!(!under_test.opens(&SecretBinding { secret: secret(2), ..binding() }).await);
}

/// Permanently.
pub async fn a_removed_value_is_gone(under_test: &SecretsUnderTest) {
    under_test.handed_over().await;
    under_test.vault.remove(value(1)).await.expect("it is removed");
    assert!(!under_test.opens(&binding()).await);
}

/// A secret refers to it.
pub async fn a_sweep_spares_values_that_are_held(under_test: &SecretsUnderTest) {
    under_test.handed_over().await;
    under_test.given(1, 1, "key").await;
    assert_eq!(under_test.vault.sweep(at(60)).await.expect("a number"), 0);
}

/// The event that refers to it may follow.
pub async fn a_sweep_spares_values_handed_over_lately(under_test: &SecretsUnderTest) {
    under_test.handed_over().await;
    assert_eq!(under_test.vault.sweep(at(0)).await.expect("a number"), 0);
}

/// No event will refer to it.
pub async fn a_sweep_removes_values_nobody_refers_to(under_test: &SecretsUnderTest) {
    under_test.handed_over().await;
    let swept = under_test.vault.sweep(at(60)).await.expect("a number");
    assert_eq!((swept, under_test.opens(&binding()).await), (1, false));
}
