//! The probe of tests keeps the contract, and the contract detects probes that break a promise.

use std::sync::Arc;

use async_trait::async_trait;
use devskyy_application::models::{ModelError, ProviderProbe, ProviderSecret};
use devskyy_domain::models::ProviderKind;
use devskyy_testkit::{contracts::probing::ProbeUnderTest, fakes::FixedProbe};

fn probing(probe: impl ProviderProbe + 'static) -> ProbeUnderTest {
    ProbeUnderTest {
        probe: Arc::new(probe),
        kind: ProviderKind::OpenAi,
        base_url: "https://api.example.org/v1".to_owned(),
        away: "https://away.example.org/v1".to_owned(),
        models: vec!["openai-1".to_owned()],
        keep: Box::new(()),
    }
}

async fn fixed() -> ProbeUnderTest {
    probing(FixedProbe)
}

devskyy_testkit::probing_contract!(fixed);

/// Finds no problem.
struct Easygoing;

#[async_trait]
impl ProviderProbe for Easygoing {
    fn admits(&self, _: &str) -> Result<(), String> {
        Ok(())
    }

    async fn list(&self, _: ProviderKind, _: &str, _: Option<&ProviderSecret>) -> Result<Vec<String>, ModelError> {
        Ok(vec![])
    }
}

/// Lets nothing through, and always gives the same reason.
struct Closed;

#[async_trait]
impl ProviderProbe for Closed {
    fn admits(&self, _: &str) -> Result<(), String> {
        Err("no".to_owned())
    }

    async fn list(&self, _: ProviderKind, _: &str, _: Option<&ProviderSecret>) -> Result<Vec<String>, ModelError> {
        Err(ModelError::Timeout)
    }
}

fn flawed() -> [ProbeUnderTest; 2] {
    [probing(Easygoing), probing(Closed)]
}

mod caught {
    use super::flawed;

    devskyy_testkit::probing_contract!(each broken flawed);
}
