//! The contract of the read model of providers.

use devskyy_application::paging::Part;
use devskyy_domain::models::{AllowedModels, HeldKey, PriceList, Provider, ProviderChange, ProviderKind};

use super::{ADDRESS, ProvidersUnderTest, key, prices, project, provider, url};

/// With all properties.
pub async fn a_new_provider_shows_what_it_was_made_of(under_test: &ProvidersUnderTest) {
    under_test.given(1, 1, "cloud", Some(key(1))).await;
    let found = under_test.found(1).await.expect("it is there");
    let models = AllowedModels::parse(&["echo-1"]).expect("good models");
    assert_eq!(
        (found.project, found.name.as_str(), found.kind, found.base_url.as_str(), found.models, found.prices),
        (project(1), "cloud", ProviderKind::Anthropic, ADDRESS, models, prices())
    );
    assert_eq!((found.prices_version, found.key, found.enabled, found.version), (1, HeldKey::Held(key(1)), true, 2));
}

/// The read model is updated in the same unit of work.
pub async fn a_change_shows_at_once(under_test: &ProvidersUnderTest) {
    under_test.given(1, 1, "cloud", None).await;
    let change = ProviderChange {
        models: Some(AllowedModels::default()),
        prices: Some(PriceList::default()),
        enabled: Some(false),
        key: Some(key(2)),
        ..ProviderChange::default()
    };
    under_test.decide(1, |it| it.change(&change)).await;
    let found = under_test.found(1).await.expect("it is there");
    let now = (found.models, found.prices, found.prices_version, found.enabled, found.key);
    assert_eq!(now, (AllowedModels::default(), PriceList::default(), 2, false, HeldKey::Held(key(2))));
}

/// The key was for another base URL.
pub async fn a_move_without_a_key_drops_the_key(under_test: &ProvidersUnderTest) {
    under_test.given(1, 1, "cloud", Some(key(1))).await;
    let change = ProviderChange { base_url: Some(url("https://other.example.org")), ..ProviderChange::default() };
    under_test.decide(1, |it| it.change(&change)).await;
    let found = under_test.found(1).await.expect("it is there");
    assert_eq!((found.base_url.as_str(), found.key), ("https://other.example.org", HeldKey::Dropped));
}

/// Two projects may use the same name.
pub async fn a_provider_is_found_by_name_in_its_project_only(under_test: &ProvidersUnderTest) {
    under_test.given(1, 1, "cloud", None).await;
    under_test.given(2, 2, "cloud", None).await;
    let mut found = vec![];
    for n in 1..=3 {
        found.push(under_test.views.named(project(n), "cloud").await.expect("an answer").map(|record| record.id));
    }
    assert_eq!(found, [Some(provider(1)), Some(provider(2)), None]);
}

/// By id and by name.
pub async fn a_removed_provider_is_absent(under_test: &ProvidersUnderTest) {
    under_test.given(1, 1, "cloud", None).await;
    under_test.decide(1, Provider::remove).await;
    let named = under_test.views.named(project(1), "cloud").await.expect("an answer");
    assert_eq!((under_test.found(1).await, named), (None, None));
}

/// Not to the removed provider.
pub async fn a_name_that_became_free_leads_to_its_new_owner(under_test: &ProvidersUnderTest) {
    under_test.given(1, 1, "cloud", None).await;
    under_test.decide(1, Provider::remove).await;
    under_test.given(2, 1, "cloud", None).await;
    let named = under_test.views.named(project(1), "cloud").await.expect("an answer");
    assert_eq!(named.map(|record| record.id), Some(provider(2)));
}

/// Of equal times, the greater id comes first.
pub async fn a_list_shows_the_newest_first_and_no_other_projects(under_test: &ProvidersUnderTest) {
    for (n, of_project, name) in [(1, 1, "a"), (2, 1, "b"), (3, 2, "c"), (4, 1, "d")] {
        under_test.given(n, of_project, name, None).await;
    }
    under_test.decide(2, Provider::remove).await;
    let listed = under_test.views.list(project(1), &Part::default()).await.expect("a list");
    assert_eq!(listed.items.iter().map(|record| record.id).collect::<Vec<_>>(), [provider(4), provider(1)]);
}
