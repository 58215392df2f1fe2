//! The database statements that a model call needs to find its provider and its price.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use chrono::{DateTime, Utc};
use devskyy_application::{
    es::Repository,
    models::{BreakerHabits, KeyBinding, ProviderSecret, ProviderVault as _, RoutedModels},
};
use devskyy_domain::{
    kernel::ids::{ProviderId, ProviderKeyId},
    models::{AllowedModels, NewProvider, Price, PriceList, Provider, ProviderKind, ProviderName, ProviderUrl},
    runs::Phase,
};
use devskyy_infrastructure::{
    crypto::MasterKey,
    models::{ConfiguredProviders, Patience, SqlProviderVault, SqlProviders, Wire},
    sql::Database,
    system::SystemClock,
    tools::EgressPolicy,
};
use devskyy_testkit::{
    contracts::models::{Act, Reply, Stage as _},
    fakes::ModelServer,
};
use serde_json::json;
use uuid::Uuid;

use super::rig::{Rig, project};
use crate::databases::{Fresh, on_both_engines};

const KEY: &str = "sk-look-ups";

/// The same database, with its statements counted.
fn counted(fresh: &Fresh) -> (Database, Arc<AtomicUsize>) {
    let (mut db, count) = (fresh.db.clone(), Arc::new(AtomicUsize::new(0)));
    let counting = count.clone();
    db.reader.set_metric_callback(move |_| {
        counting.fetch_add(1, Ordering::SeqCst);
    });
    (db, count)
}

/// A provider of the project, with a key and a price.
async fn added(rig: &Rig, vault: &SqlProviderVault, server: &ModelServer) {
    let (provider, key) = (ProviderId::from(Uuid::from_u128(31)), ProviderKeyId::from(Uuid::from_u128(32)));
    let binding = KeyBinding { id: key, provider, base_url: server.base_url() };
    vault.save(&binding, &ProviderSecret::parse(KEY).unwrap(), DateTime::<Utc>::UNIX_EPOCH).await.unwrap();
    let price = Price { input: 1_000_000, ..Price::default() };
    let new = NewProvider {
        project: project(),
        name: ProviderName::parse("own").unwrap(),
        kind: ProviderKind::OpenAi,
        base_url: ProviderUrl::parse(&server.base_url()).unwrap(),
        models: AllowedModels::default(),
        prices: PriceList::parse([("echo-1".to_owned(), price)].into()).unwrap(),
        key: Some(key),
    };
    let providers = Repository::<Provider>::new(rig.outside.store.clone());
    let add = |fresh: &Provider| fresh.add(&new);
    providers.update(Rig::context(), provider, None, add).await.unwrap();
}

/// Number of statements that runs with so many model calls need to find provider and price.
async fn statements(fresh: Fresh, questions: usize) -> usize {
    let server = ModelServer::start(ProviderKind::OpenAi).await.unwrap();
    let address = server.base_url().trim_start_matches("http://").trim_end_matches("/v1").to_owned();
    let policy = EgressPolicy::parse(true, &[address]).unwrap();
    let clock = Arc::new(SystemClock);
    let wire = Arc::new(Wire::new(policy, clock.clone(), Patience::default()).unwrap());
    let (db, count) = counted(&fresh);
    let vault = SqlProviderVault::new(db.clone(), MasterKey::generate().unwrap());
    let views = Arc::new(SqlProviders::new(db));
    let configured = ConfiguredProviders::new([].into(), views, Arc::new(vault.clone()), wire);
    let routed = Arc::new(RoutedModels::new(Arc::new(configured), clock, BreakerHabits::default()));
    let mut rig = Rig::over(fresh, routed.clone()).await;
    rig.prices = routed;
    added(&rig, &vault, &server).await;
    let agent = rig.agent(1, &json!({"model": "own/echo-1", "instructions": "Do it."}));
    let _process = rig.process(&rig.outside, 1);
    for _ in 0..questions {
        server.prepare(Act::Answer(Reply::says(&["Done."])));
        let run = rig.start(agent).await;
        let ended = rig.wait(run, Duration::from_secs(30)).await;
        assert_eq!((ended.phase(), ended.cost_micros()), (&Phase::Completed, 9));
    }
    count.load(Ordering::SeqCst)
}

/// The provider for each call, and its key for the first.
async fn a_question_looks_its_provider_up_once(fresh: Fresh) {
    assert_eq!(statements(fresh, 3).await, 3 + 1);
}

on_both_engines!(a_question_looks_its_provider_up_once);
