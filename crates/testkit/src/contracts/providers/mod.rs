//! The contract of a project's model providers. `providers_contract!(factory)` creates one test per promise.
#![expect(clippy::expect_used, reason = "a broken promise is a panic")]

pub mod keys;
pub mod views;

use std::{any::Any, collections::BTreeMap, sync::Arc};

use devskyy_application::{
    es::{AppendRequest, EventContext, EventStore, Precondition, Repository},
    models::{ProviderRecord, ProviderVault, ProviderViews},
};
use devskyy_domain::{
    kernel::{
        Decision,
        ids::{ProjectId, ProviderId, ProviderKeyId},
    },
    models::{AllowedModels, NewProvider, Price, PriceList, Provider, ProviderKind, ProviderName, ProviderUrl},
};
use uuid::Uuid;

/// The adapters of providers over their log.
pub struct ProvidersUnderTest {
    /// The log.
    pub store: Arc<dyn EventStore>,
    /// The read model.
    pub views: Arc<dyn ProviderViews>,
    /// The vault of API keys.
    pub vault: Arc<dyn ProviderVault>,
    /// Resources that must live as long as the test.
    pub keep: Box<dyn Any + Send + Sync>,
}

pub(super) const ADDRESS: &str = "https://api.example.org/v1";

pub(super) fn project(n: u128) -> ProjectId {
    ProjectId::from(Uuid::from_u128(0xa000 + n))
}

pub(super) fn provider(n: u128) -> ProviderId {
    ProviderId::from(Uuid::from_u128(0xe000 + n))
}

pub(super) fn key(n: u128) -> ProviderKeyId {
    ProviderKeyId::from(Uuid::from_u128(0xf000 + n))
}

pub(super) fn url(raw: &str) -> ProviderUrl {
    ProviderUrl::parse(raw).expect("a good address")
}

pub(super) fn prices() -> PriceList {
    let price = Price { input: 2, output: 10, cache_read: 1, cache_write: 3, reasoning: 9 };
    PriceList::parse(BTreeMap::from([("echo-1".to_owned(), price)])).expect("good prices")
}

impl ProvidersUnderTest {
    /// Records a provider's decision.
    pub async fn decide(&self, n: u128, decide: impl FnOnce(&Provider) -> Decision<Provider>) {
        let repository = Repository::<Provider>::new(self.store.clone());
        let loaded = repository.load(provider(n)).await.expect("the log can be read");
        let events = decide(&loaded.state).expect("a good decision");
        let write = Repository::<Provider>::write(provider(n), Precondition::Version(loaded.version), &events);
        let context = EventContext {
            actor: "user:ada".to_owned(),
            project: Some(project(1)),
            correlation_id: Uuid::from_u128(1),
            causation_id: Uuid::from_u128(1),
            source: None,
            traceparent: None,
        };
        let writes = vec![write.expect("an event can be written")];
        let request = AppendRequest { writes, claims: vec![], idempotency: None, context };
        self.store.append(request).await.expect("the log accepts the events");
    }

    /// A provider of a project, with a key if one is given.
    pub async fn given(&self, n: u128, of_project: u128, name: &str, key: Option<ProviderKeyId>) {
        let new = NewProvider {
            project: project(of_project),
            name: ProviderName::parse(name).expect("a good name"),
            kind: ProviderKind::Anthropic,
            base_url: url(ADDRESS),
            models: AllowedModels::parse(&["echo-1"]).expect("good models"),
            prices: prices(),
            key,
        };
        self.decide(n, |it| it.add(&new)).await;
    }

    pub(super) async fn found(&self, n: u128) -> Option<ProviderRecord> {
        self.views.find(provider(n)).await.expect("an answer")
    }
}

/// Creates a test for each promise, over the adapter from the factory.
#[macro_export]
macro_rules! providers_contract {
    ($($how:tt)+) => {
        $crate::promises! { [$($how)+] [(&) providers::views] =>
            a_new_provider_shows_what_it_was_made_of,
            a_change_shows_at_once,
            a_move_without_a_key_drops_the_key,
            a_provider_is_found_by_name_in_its_project_only,
            a_removed_provider_is_absent,
            a_name_that_became_free_leads_to_its_new_owner,
            a_list_shows_the_newest_first_and_no_other_projects,
        }
        $crate::promises! { [$($how)+] [(&) providers::keys] =>
            a_key_opens_for_whom_it_was_handed_over,
            a_key_does_not_open_for_another_address,
            a_key_does_not_open_for_another_provider,
            a_key_is_recognised_by_its_end,
            a_removed_key_is_gone,
            a_sweep_spares_keys_that_are_held,
            a_sweep_spares_keys_handed_over_lately,
            a_sweep_removes_keys_nobody_refers_to,
        }
    };
}
