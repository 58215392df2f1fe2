//! The contract of provider lookup, and of known models and their prices.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a broken promise is a panic")]

use std::{any::Any, sync::Arc};

use devskyy_application::models::{ConfiguredModels, ModelPrices, ModelProviders, Provided};
use devskyy_domain::{kernel::ids::ProjectId, models::Price};
use uuid::Uuid;

/// Platform providers `cloud` and `local`. Project 1 has its own `cloud`, and project 2 has one that is disabled.
pub struct RoutesUnderTest {
    /// Looks up providers.
    pub providers: Arc<dyn ModelProviders>,
    /// Resources that must live as long as the test.
    pub keep: Box<dyn Any + Send + Sync>,
}

/// A provider `scripted` with one model, `echo`, at [`price`].
pub struct OffersUnderTest {
    /// The known models.
    pub known: Arc<dyn ConfiguredModels>,
    /// Their prices.
    pub prices: Arc<dyn ModelPrices>,
}

/// The price of the model, equal for all classes.
#[must_use]
pub const fn price() -> Price {
    let each = 1_000_000;
    Price { input: each, output: each, cache_read: each, cache_write: each, reasoning: each }
}

/// Project `n` of a suite.
#[must_use]
pub fn project(n: u128) -> ProjectId {
    ProjectId::from(Uuid::from_u128(0xa000 + n))
}

impl RoutesUnderTest {
    async fn found(&self, of: u128, name: &str) -> Option<Provided> {
        self.providers.find(project(of), name).await.unwrap()
    }

    async fn id(&self, of: u128, name: &str) -> String {
        match self.found(of, name).await {
            Some(Provided::Ready(route)) => route.id,
            Some(Provided::Off(why)) => panic!("{name} cannot be asked: {why}"),
            None => panic!("there is no {name}"),
        }
    }
}

/// For every project.
pub async fn the_platforms_providers_are_everybodys(it: &RoutesUnderTest) {
    assert_eq!(it.id(1, "local").await, it.id(3, "local").await);
}

/// Under the same name.
pub async fn a_projects_own_provider_comes_before_the_platforms(it: &RoutesUnderTest) {
    assert_ne!(it.id(1, "cloud").await, it.id(3, "cloud").await);
}

/// A prompt never falls back to a provider that the project has replaced.
pub async fn a_provider_that_cannot_be_asked_hides_the_platforms(it: &RoutesUnderTest) {
    assert!(matches!(it.found(2, "cloud").await, Some(Provided::Off(_))));
}

/// Absence is not an error.
pub async fn an_unknown_provider_is_absent(it: &RoutesUnderTest) {
    assert!(it.found(1, "nobody").await.is_none());
}

/// So that cached state belongs to the right provider.
pub async fn a_provider_is_the_same_each_time(it: &RoutesUnderTest) {
    assert_eq!(it.id(1, "cloud").await, it.id(1, "cloud").await);
    assert_ne!(it.id(3, "cloud").await, it.id(3, "local").await);
}

/// It can be called.
pub async fn a_model_of_a_provider_is_known(it: &OffersUnderTest) {
    assert!(it.known.knows(project(1), "scripted/echo").await.unwrap());
}

/// Neither of an unknown provider, nor without a name.
pub async fn other_models_are_not_known(it: &OffersUnderTest) {
    for name in ["nobody/echo", "scripted/", "scripted", "echo", ""] {
        assert!(!it.known.knows(project(1), name).await.unwrap(), "{name}");
    }
}

/// It is used to compute the cost of answers.
pub async fn a_known_model_has_its_price(it: &OffersUnderTest) {
    let priced = it.prices.price(project(1), "scripted/echo").await.unwrap();
    assert_eq!(priced.map(|applied| applied.price), Some(price()));
}

/// Unknown prices are not guessed.
pub async fn other_models_have_no_price(it: &OffersUnderTest) {
    for name in ["nobody/echo", "scripted/", "scripted", "echo", ""] {
        assert_eq!(it.prices.price(project(1), name).await.unwrap(), None, "{name}");
    }
}

/// Creates a test for each promise about provider lookup.
#[macro_export]
macro_rules! routes_contract {
    ($($how:tt)+) => {
        $crate::promises! { [$($how)+] [(&) routing] =>
            the_platforms_providers_are_everybodys,
            a_projects_own_provider_comes_before_the_platforms,
            a_provider_that_cannot_be_asked_hides_the_platforms,
            an_unknown_provider_is_absent,
            a_provider_is_the_same_each_time,
        }
    };
}

/// Creates a test for each promise about known models.
#[macro_export]
macro_rules! offers_contract {
    ($($how:tt)+) => {
        $crate::promises! { [$($how)+] [(&) routing] =>
            a_model_of_a_provider_is_known,
            other_models_are_not_known,
            a_known_model_has_its_price,
            other_models_have_no_price,
        }
    };
}
