//! Adapters that find providers or models keep the contract, and the contract detects those that break a promise.

use std::sync::Arc;

use async_trait::async_trait;
use devskyy_application::{
    error::PortError,
    models::{
        BreakerHabits, ConfiguredModels, ModelPrices, ModelProviders, PriceListOf, Provided, Route, RoutedModels,
    },
};
use devskyy_domain::{
    conversation::AppliedPrice,
    kernel::ids::ProjectId,
    models::{AllowedModels, PriceList},
};
use devskyy_testkit::{
    contracts::routing::{OffersUnderTest, RoutesUnderTest, price, project},
    fakes::{FixedClock, NamedModels, ScriptedModels},
};

fn scripted() -> Arc<ScriptedModels> {
    Arc::new(ScriptedModels::taking([]))
}

fn route(id: &str, allowed: AllowedModels, prices: PriceList) -> Provided {
    Provided::Ready(Box::new(Route {
        id: id.to_owned(),
        models: scripted(),
        allowed,
        prices,
        price_list: PriceListOf::Configuration,
    }))
}

fn providers() -> NamedModels {
    let own = route("own", AllowedModels::default(), PriceList::default());
    NamedModels::default()
        .with("cloud", scripted())
        .with("local", scripted())
        .with_own(project(1), "cloud", own)
        .with_own(project(2), "cloud", Provided::Off("the provider is disabled"))
}

async fn named() -> RoutesUnderTest {
    RoutesUnderTest { providers: Arc::new(providers()), keep: Box::new(()) }
}

devskyy_testkit::routes_contract!(named);

mod offers {
    use super::{Arc, OffersUnderTest, scripted};

    async fn by_script() -> OffersUnderTest {
        let scripted = scripted();
        OffersUnderTest { known: scripted.clone(), prices: Arc::clone(&scripted) as _ }
    }

    devskyy_testkit::offers_contract!(by_script);
}

mod routed_offers {
    use super::{
        AllowedModels, Arc, BreakerHabits, FixedClock, NamedModels, OffersUnderTest, PriceList, RoutedModels, price,
        route,
    };

    async fn routed() -> OffersUnderTest {
        let (allowed, prices) =
            (AllowedModels::parse(&["echo"]), PriceList::parse([("echo".to_owned(), price())].into()));
        let (Ok(allowed), Ok(prices)) = (allowed, prices) else { panic!("a good model and price") };
        let providers = NamedModels::default().with_provided("scripted", route("scripted", allowed, prices));
        let clock = Arc::new(FixedClock::default());
        let routed = Arc::new(RoutedModels::new(Arc::new(providers), clock, BreakerHabits::default()));
        OffersUnderTest { known: routed.clone(), prices: routed }
    }

    devskyy_testkit::offers_contract!(routed);
}

/// Takes every name for the platform's provider of that name, or for the first project's.
struct Blind {
    honest: NamedModels,
    asks_as: Option<ProjectId>,
}

#[async_trait]
impl ModelProviders for Blind {
    async fn find(&self, project: ProjectId, _: &str) -> Result<Option<Provided>, PortError> {
        self.honest.find(self.asks_as.unwrap_or(project), "cloud").await
    }
}

/// Finds no provider.
struct Lost;

#[async_trait]
impl ModelProviders for Lost {
    async fn find(&self, _: ProjectId, _: &str) -> Result<Option<Provided>, PortError> {
        Ok(None)
    }
}

/// Has every model and its price, or none.
struct Sweeping(bool);

#[async_trait]
impl ConfiguredModels for Sweeping {
    async fn knows(&self, _: ProjectId, _: &str) -> Result<bool, PortError> {
        Ok(self.0)
    }
}

#[async_trait]
impl ModelPrices for Sweeping {
    async fn price(&self, _: ProjectId, _: &str) -> Result<Option<AppliedPrice>, PortError> {
        Ok(self.0.then(|| AppliedPrice { list: "agent:1".to_owned(), price: price() }))
    }
}

fn flawed_routes() -> [RoutesUnderTest; 3] {
    let blind =
        |asks_as| RoutesUnderTest { providers: Arc::new(Blind { honest: providers(), asks_as }), keep: Box::new(()) };
    [RoutesUnderTest { providers: Arc::new(Lost), keep: Box::new(()) }, blind(None), blind(Some(project(3)))]
}

fn flawed_offers() -> [OffersUnderTest; 2] {
    [true, false].map(|all| OffersUnderTest { known: Arc::new(Sweeping(all)), prices: Arc::new(Sweeping(all)) })
}

mod caught {
    use super::{flawed_offers, flawed_routes};

    devskyy_testkit::routes_contract!(broken flawed_routes);
    devskyy_testkit::offers_contract!(broken flawed_offers);
}
