//! Providers on SQL keep the contract, and model calls find them.

use std::{collections::BTreeMap, sync::Arc};

use devskyy_application::{
    es::EventStore,
    models::{KeyBinding, ModelProviders, Provided, ProviderSecret, Route},
};
use devskyy_domain::models::{AllowedModels, PriceList, ProviderChange, ProviderKind, ProviderUrl};
use devskyy_infrastructure::{
    crypto::MasterKey,
    es::{PerStream, Projection, SqlEventStore},
    models::{
        ConfiguredProviders, Endpoint, HttpProviderProbe, Patience, PlatformProvider, ProvidersProjection,
        SqlProviderVault, SqlProviders, Wire,
    },
    tools::EgressPolicy,
};
use devskyy_testkit::{
    contracts::{
        models::{Act, Reply, Stage as _, question},
        probing::ProbeUnderTest,
        providers::ProvidersUnderTest,
        routing::RoutesUnderTest,
    },
    fakes::{FixedClock, ModelServer, NoDeltas},
};
use sea_orm::{ConnectionTrait as _, Statement};
use uuid::Uuid;

use crate::databases::{self, Fresh};

async fn over(fresh: Fresh) -> ProvidersUnderTest {
    let projections: Vec<Arc<dyn Projection>> = vec![Arc::new(PerStream(ProvidersProjection))];
    let db = fresh.db.clone();
    let store = SqlEventStore::start(db.clone(), Arc::new(FixedClock::default()), projections).await.unwrap();
    let store: Arc<dyn EventStore> = Arc::new(store);
    let vault = Arc::new(SqlProviderVault::new(db.clone(), MasterKey::parse(&"ab".repeat(32)).unwrap()));
    ProvidersUnderTest { store, views: Arc::new(SqlProviders::new(db)), vault, keep: Box::new(fresh) }
}

mod on_sqlite {
    use super::{ProvidersUnderTest, databases, over};

    async fn providers() -> ProvidersUnderTest {
        over(databases::sqlite().await).await
    }

    devskyy_testkit::providers_contract!(providers);
}

mod on_postgres {
    use super::{ProvidersUnderTest, databases, over};

    async fn providers() -> ProvidersUnderTest {
        over(databases::postgres().await).await
    }

    devskyy_testkit::providers_contract!(
        #[ignore = "needs PostgreSQL"]
        providers
    );
}

fn id<T: From<Uuid>>(number: u128) -> T {
    Uuid::from_u128(number).into()
}

/// The operator's providers `cloud` and `local`, and those of projects.
fn configured(kept: &ProvidersUnderTest, base_url: &str, egress: EgressPolicy) -> ConfiguredProviders {
    let endpoint = Endpoint {
        kind: ProviderKind::OpenAi,
        base_url: base_url.to_owned(),
        key: None,
        trusted: true,
        first_byte: None,
    };
    let provider = PlatformProvider { endpoint, models: AllowedModels::default(), prices: PriceList::default() };
    let platform = BTreeMap::from([("cloud".to_owned(), provider.clone()), ("local".to_owned(), provider)]);
    let wire = Wire::new(egress, Arc::new(FixedClock::default()), Patience::default()).unwrap();
    ConfiguredProviders::new(platform, kept.views.clone(), kept.vault.clone(), Arc::new(wire))
}

async fn kept() -> ProvidersUnderTest {
    over(databases::sqlite().await).await
}

async fn ready(providers: &ConfiguredProviders, project: u128, name: &str) -> Route {
    match providers.find(id(project), name).await.unwrap() {
        Some(Provided::Ready(route)) => *route,
        Some(Provided::Off(why)) => panic!("{why}"),
        None => panic!("absent"),
    }
}

async fn routes() -> RoutesUnderTest {
    let kept = kept().await;
    kept.given(1, 1, "cloud", None).await;
    kept.given(2, 2, "cloud", None).await;
    kept.decide(2, |it| it.change(&ProviderChange { enabled: Some(false), ..ProviderChange::default() })).await;
    let providers = configured(&kept, "http://127.0.0.1:9/v1", EgressPolicy::default());
    RoutesUnderTest { providers: Arc::new(providers), keep: Box::new(kept) }
}

devskyy_testkit::routes_contract!(routes);

/// A provider with that protocol, and a probe that may reach this machine.
async fn probed(kind: ProviderKind) -> ProbeUnderTest {
    let server = ModelServer::start(kind).await.unwrap();
    let egress = EgressPolicy::parse(true, &["127.0.0.0/8".to_owned()]).unwrap();
    let wire = Wire::new(egress, Arc::new(FixedClock::default()), Patience::default()).unwrap();
    ProbeUnderTest {
        probe: Arc::new(HttpProviderProbe::new(Arc::new(wire))),
        kind,
        base_url: server.base_url(),
        models: vec!["echo-1".to_owned(), "echo-2".to_owned()],
        away: "http://127.0.0.1:9/v1".to_owned(),
        keep: Box::new(server),
    }
}

mod openai {
    use super::{ProbeUnderTest, ProviderKind, probed};

    async fn probe() -> ProbeUnderTest {
        probed(ProviderKind::OpenAi).await
    }

    devskyy_testkit::probing_contract!(probe);
}

mod anthropic {
    use super::{ProbeUnderTest, ProviderKind, probed};

    async fn probe() -> ProbeUnderTest {
        probed(ProviderKind::Anthropic).await
    }

    devskyy_testkit::probing_contract!(probe);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_provider_that_moved_is_not_asked_until_it_has_a_new_key() {
    let kept = kept().await;
    kept.given(1, 1, "cloud", Some(id(0xf001))).await;
    let base_url = Some(ProviderUrl::parse("https://other.example.org").unwrap());
    kept.decide(1, |it| it.change(&ProviderChange { base_url, ..ProviderChange::default() })).await;
    let providers = configured(&kept, "http://127.0.0.1:9/v1", EgressPolicy::default());
    let found = providers.find(id(0xa001), "cloud").await.unwrap();
    assert!(matches!(found, Some(Provided::Off("the provider has no key for its address; set one"))));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_reaches_the_provider_it_was_handed_over_for() {
    let (kept, server) = (kept().await, ModelServer::start(ProviderKind::Anthropic).await.unwrap());
    let binding = KeyBinding { id: id(0xf001), provider: id(0xe001), base_url: server.base_url() };
    let key = ProviderSecret::parse("sk-of-the-project").unwrap();
    kept.vault.save(&binding, &key, chrono::DateTime::UNIX_EPOCH).await.unwrap();
    kept.given(1, 1, "own", None).await;
    let base_url = Some(ProviderUrl::parse(&server.base_url()).unwrap());
    let change = ProviderChange { base_url, key: Some(id(0xf001)), ..ProviderChange::default() };
    kept.decide(1, |it| it.change(&change)).await;
    let egress = EgressPolicy::parse(true, &["127.0.0.0/8".to_owned()]).unwrap();
    let providers = configured(&kept, "http://127.0.0.1:9/v1", egress);
    server.prepare(Act::Answer(Reply::says(&["hm"])));
    ready(&providers, 0xa001, "own").await.models.ask(&question(), &NoDeltas).await.unwrap();
    assert_eq!(server.received()[0].headers["x-api-key"], "sk-of-the-project");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_is_not_found_in_the_database() {
    let fresh = databases::sqlite().await;
    let db = fresh.db.clone();
    let kept = over(fresh).await;
    let binding = KeyBinding { id: id(0xf001), provider: id(0xe001), base_url: "https://a.example.org".to_owned() };
    let key = ProviderSecret::parse("sk-of-the-project").unwrap();
    kept.vault.save(&binding, &key, chrono::DateTime::UNIX_EPOCH).await.unwrap();
    let sql =
        "SELECT count(*) AS n FROM provider_keys WHERE instr(CAST(sealed AS TEXT), 'sk-of') > 0 OR hint LIKE '%sk-of%'";
    let statement = Statement::from_string(sea_orm::DatabaseBackend::Sqlite, sql);
    let found: i64 = db.reader.query_one_raw(statement).await.unwrap().unwrap().try_get("", "n").unwrap();
    assert_eq!(found, 0);
}
