//! The provider of the benchmark's project, found as a server finds it: each request reads a row of the view and
//! decrypts a key with the master key.

use std::sync::Arc;

use chrono::Utc;
use devskyy_application::{
    es::{EventStore, Repository},
    models::{BreakerHabits, KeyBinding, ProviderSecret, ProviderVault as _, RoutedModels},
};
use devskyy_domain::{
    kernel::ids::{ProviderId, ProviderKeyId},
    models::{AllowedModels, NewProvider, Price, PriceList, Provider, ProviderKind, ProviderName, ProviderUrl},
};
use devskyy_infrastructure::{
    crypto::MasterKey,
    models::{ConfiguredProviders, Patience, SqlProviderVault, SqlProviders, Wire},
    sql::Database,
    system::SystemClock,
    tools::EgressPolicy,
};
use uuid::Uuid;

use crate::rig::{context, project};

/// Models of a provider called `house` at an address, with a key and a price.
pub(crate) async fn house(db: Database, store: Arc<dyn EventStore>, address: &str) -> Arc<RoutedModels> {
    let (clock, base_url) = (Arc::new(SystemClock), format!("http://{address}/v1"));
    let policy = EgressPolicy::parse(true, &[address.to_owned()]).unwrap();
    let wire = Arc::new(Wire::new(policy, clock.clone(), Patience::default()).unwrap());
    let vault = Arc::new(SqlProviderVault::new(db.clone(), MasterKey::generate().unwrap()));
    let (provider, key) = (ProviderId::from(Uuid::now_v7()), ProviderKeyId::from(Uuid::now_v7()));
    let binding = KeyBinding { id: key, provider, base_url: base_url.clone() };
    vault.save(&binding, &ProviderSecret::parse("sk-bench").unwrap(), Utc::now()).await.unwrap();
    let price = Price { input: 1_000_000, output: 2_000_000, ..Price::default() };
    let new = NewProvider {
        project: project(),
        name: ProviderName::parse("house").unwrap(),
        kind: ProviderKind::OpenAi,
        base_url: ProviderUrl::parse(&base_url).unwrap(),
        models: AllowedModels::default(),
        prices: PriceList::parse([("echo-1".to_owned(), price)].into()).unwrap(),
        key: Some(key),
    };
    let add = |fresh: &Provider| fresh.add(&new);
    Repository::<Provider>::new(store).update(context(Uuid::from(provider)), provider, None, add).await.unwrap();
    let configured = ConfiguredProviders::new([].into(), Arc::new(SqlProviders::new(db)), vault, wire);
    Arc::new(RoutedModels::new(Arc::new(configured), clock, BreakerHabits::default()))
}
