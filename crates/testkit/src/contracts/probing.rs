//! The contract of probes of model providers.
#![expect(clippy::unwrap_used, reason = "a broken promise is a panic")]

use std::{any::Any, sync::Arc};

use devskyy_application::models::{ModelError, ProviderProbe, ProviderSecret};
use devskyy_domain::models::ProviderKind;

/// A probe, and a provider that refuses the key `wrong-key`.
pub struct ProbeUnderTest {
    /// The probe.
    pub probe: Arc<dyn ProviderProbe>,
    /// The provider's protocol.
    pub kind: ProviderKind,
    /// The provider's base URL.
    pub base_url: String,
    /// The provider's models.
    pub models: Vec<String>,
    /// A base URL without a server.
    pub away: String,
    /// Resources that must live as long as the test.
    pub keep: Box<dyn Any + Send + Sync>,
}

impl ProbeUnderTest {
    async fn listed(&self, base_url: &str, key: &str) -> Result<Vec<String>, ModelError> {
        self.probe.list(self.kind, base_url, Some(&ProviderSecret::parse(key).unwrap())).await
    }
}

/// Under the provider's own names.
pub async fn a_provider_tells_its_models(it: &ProbeUnderTest) {
    assert_eq!(it.listed(&it.base_url, "sk-good-key").await.unwrap(), it.models);
}

/// With the provider's status.
pub async fn a_wrong_key_is_told(it: &ProbeUnderTest) {
    let told = it.listed(&it.base_url, "wrong-key").await;
    assert!(matches!(told, Err(ModelError::Refused { status: Some(401), .. })), "{told:?}");
}

/// The error is temporary.
pub async fn a_provider_that_is_away_is_told(it: &ProbeUnderTest) {
    let told = it.listed(&it.away, "sk-good-key").await;
    assert!(matches!(told, Err(ModelError::Unavailable { .. })), "{told:?}");
}

/// Public hosts are allowed.
pub async fn a_public_name_over_https_is_admitted(it: &ProbeUnderTest) {
    assert_eq!(it.probe.admits("https://api.example.org/v1"), Ok(()));
}

/// A project cannot have keys and prompts sent into the operator's own network.
pub async fn an_address_that_is_not_public_is_not_admitted(it: &ProbeUnderTest) {
    for base_url in ["http://10.1.2.3/v1", "ftp://api.example.org", ""] {
        assert!(it.probe.admits(base_url).is_err(), "{base_url}");
    }
}

/// Creates a test for each promise of a probe.
#[macro_export]
macro_rules! probing_contract {
    ($($how:tt)+) => {
        $crate::promises! { [$($how)+] [(&) probing] =>
            a_provider_tells_its_models,
            a_wrong_key_is_told,
            a_provider_that_is_away_is_told,
            a_public_name_over_https_is_admitted,
            an_address_that_is_not_public_is_not_admitted,
        }
    };
}
