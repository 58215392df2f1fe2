//! Language models and their providers.
//!
//! A model is named `<provider>/<model>`. A project's own providers take precedence over the platform's, which the
//! operator configures. Keys are never shown: they are sealed for one provider at one address.

mod add_provider;
mod breaker;
mod breakers;
mod change_provider;
mod get_provider;
mod list_providers;
mod ports;
mod provider_ports;
mod provider_views;
mod providers;
mod remove_provider;
mod routed;
mod routing;
mod test_provider;

pub use self::{
    add_provider::{AddProvider, AddProviderHandler, RawProvider},
    breaker::{Breaker, BreakerHabits, Leave, Verdict},
    change_provider::{ChangeProvider, ChangeProviderHandler},
    get_provider::{GetProvider, GetProviderHandler},
    list_providers::{ListProviders, ListProvidersHandler},
    ports::{ConfiguredModels, Deltas, ModelAnswer, ModelError, ModelRequest, Models, OutputFormat, ToolOffer},
    provider_ports::{KeyBinding, ProviderProbe, ProviderSecret, ProviderVault, ProviderViews},
    provider_views::{ProviderRecord, ProviderView, Reachability},
    providers::{Providers, ProvidersPorts, held_name},
    remove_provider::{RemoveProvider, RemoveProviderHandler},
    routed::RoutedModels,
    routing::{ModelPrices, ModelProviders, PriceListOf, Provided, Route},
    test_provider::{TestProvider, TestProviderHandler},
};
