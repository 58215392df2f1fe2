//! Wiring of language models: the operator's providers from the configuration, and those of projects.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use chrono::TimeDelta;
use devskyy_application::{
    models::{BreakerHabits, ProviderVault, Providers, ProvidersPorts, RoutedModels},
    ports::Clock,
};
use devskyy_domain::models::{AllowedModels, Price, PriceList, ProviderError};
use devskyy_infrastructure::{
    crypto::MasterKey,
    models::{
        ConfiguredProviders, Endpoint, HttpProviderProbe, Patience, PlatformProvider, SqlProviderVault, SqlProviders,
        Wire,
    },
};

use super::{Ground, unusable};
use crate::{
    configuration::{ModelProvider, Settings},
    failure::Failure,
    tasks::Tasks,
};

/// Pause between two sweeps of keys.
const PAUSE: Duration = Duration::from_secs(3_600);
/// Age in hours after which no event can refer to an unreferenced key any more.
const HOURS: i64 = 1;

/// Models and their providers.
pub(super) struct Wired {
    /// Every model by its name.
    pub(super) routed: Arc<RoutedModels>,
    /// The use cases of projects' providers.
    pub(super) providers: Arc<Providers>,
    /// The API keys of projects' providers.
    pub(super) keys: Keys,
}

/// The API keys of projects' providers.
#[derive(Clone)]
pub(super) struct Keys {
    vault: Arc<dyn ProviderVault>,
    clock: Arc<dyn Clock>,
}

pub(super) fn models(settings: &Settings, ground: &Ground, master: MasterKey) -> Result<Wired, Failure> {
    let Ground { database, clock, ids, egress, access, .. } = ground.clone();
    let wire = Wire::new(egress, clock.clone(), Patience::default()).map_err(|error| unusable(&error))?;
    let (wire, views) = (Arc::new(wire), Arc::new(SqlProviders::new(database.clone())));
    let vault: Arc<dyn ProviderVault> = Arc::new(SqlProviderVault::new(database, master));
    let probe = Arc::new(HttpProviderProbe::new(wire.clone()));
    let configured = ConfiguredProviders::new(platform(settings)?, views.clone(), vault.clone(), wire);
    let routed = RoutedModels::new(Arc::new(configured), clock.clone(), BreakerHabits::default());
    let store = ground.audited();
    let ports = ProvidersPorts { store, views, vault: vault.clone(), probe, access, clock: clock.clone(), ids };
    Ok(Wired { routed: Arc::new(routed), providers: Arc::new(Providers::new(ports)), keys: Keys { vault, clock } })
}

impl Keys {
    /// Deletes unreferenced keys, for as long as the server runs.
    pub(super) fn start(&self, tasks: &Tasks) {
        let (vault, clock) = (self.vault.clone(), self.clock.clone());
        tasks.every("provider keys", PAUSE, move || {
            let (vault, before) = (vault.clone(), clock.now() - TimeDelta::hours(HOURS));
            async move { vault.sweep(before).await.map(|_| ()) }
        });
    }
}

fn platform(settings: &Settings) -> Result<BTreeMap<String, PlatformProvider>, Failure> {
    settings.models.iter().map(|(name, provider)| Ok((name.clone(), of_platform(name, provider)?))).collect()
}

fn of_platform(name: &str, provider: &ModelProvider) -> Result<PlatformProvider, Failure> {
    let wrong =
        |member: &str, why: &dyn std::fmt::Display| Failure::configuration(format!("models.{name}.{member}: {why}"));
    let models = AllowedModels::parse(&provider.models).map_err(|error| wrong("models", &error))?;
    let listed = provider.prices.iter().map(|line| price(line)).collect::<Result<BTreeMap<_, _>, String>>();
    let listed = listed.map_err(|why| wrong("prices", &why))?;
    let prices = PriceList::parse(listed).map_err(|error: ProviderError| wrong("prices", &error))?;
    let ModelProvider { kind, base_url, api_key, first_byte, .. } = provider.clone();
    let endpoint = Endpoint { kind, base_url, key: api_key, trusted: true, first_byte };
    Ok(PlatformProvider { endpoint, models, prices })
}

/// Parses `gpt-4o input=2500000 output=10000000`.
fn price(line: &str) -> Result<(String, Price), String> {
    let unreadable = || format!("`{line}` is not like `gpt-4o input=2500000 output=10000000`");
    let mut words = line.split_whitespace();
    let model = words.next().ok_or_else(unreadable)?;
    let mut price = Price::default();
    for word in words {
        let (class, amount) = word.split_once('=').ok_or_else(unreadable)?;
        let amount = amount.parse().map_err(|_| unreadable())?;
        match class {
            "input" => price.input = amount,
            "output" => price.output = amount,
            "cache_read" => price.cache_read = amount,
            "cache_write" => price.cache_write = amount,
            "reasoning" => price.reasoning = amount,
            _ => return Err(unreadable()),
        }
    }
    Ok((model.to_owned(), price))
}

#[cfg(test)]
mod tests {
    use super::{Price, price};

    #[test]
    fn a_price_is_read_by_class() {
        let expected = Price { input: 2, output: 10, reasoning: 7, ..Price::default() };
        assert_eq!(price("meta/llama input=2 reasoning=7 output=10"), Ok(("meta/llama".to_owned(), expected)));
    }

    #[test]
    fn a_class_that_nobody_knows_is_refused() {
        assert!(price("gpt inptu=2").is_err());
    }
}
