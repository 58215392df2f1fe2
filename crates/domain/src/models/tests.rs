//! Rules of model providers.

use std::collections::BTreeMap;

use uuid::Uuid;

use super::{
    AllowedModels, HeldKey, NewProvider, Price, PriceList, Provider, ProviderChange, ProviderError, ProviderEvent,
    ProviderKind, ProviderMoved, ProviderName, ProviderPriced, ProviderUrl,
};
use crate::{
    conversation::TokenCount,
    kernel::{
        given::{Given, given},
        ids::ProviderKeyId,
    },
};

fn id<T: From<Uuid>>(number: u128) -> T {
    Uuid::from_u128(number).into()
}

fn url(raw: &str) -> ProviderUrl {
    ProviderUrl::parse(raw).unwrap()
}

fn new(key: Option<ProviderKeyId>) -> NewProvider {
    NewProvider {
        project: id(1),
        name: ProviderName::parse("cloud").unwrap(),
        kind: ProviderKind::OpenAi,
        base_url: url("https://api.example.org/v1"),
        models: AllowedModels::default(),
        prices: PriceList::default(),
        key,
    }
}

fn added(key: Option<ProviderKeyId>) -> Given<Provider> {
    given(Provider::default().add(&new(key)).unwrap())
}

fn changed(provider: &Given<Provider>, change: &ProviderChange) -> HeldKey {
    provider.after(|it| it.change(change)).unwrap().added().unwrap().key
}

fn moved() -> ProviderChange {
    ProviderChange { base_url: Some(url("https://elsewhere.example.org")), ..ProviderChange::default() }
}

#[test]
fn moving_a_provider_drops_its_key() {
    assert_eq!(changed(&added(Some(id(7))), &moved()), HeldKey::Dropped);
}

#[test]
fn moving_a_provider_with_a_new_key_keeps_it_usable() {
    let change = ProviderChange { key: Some(id(8)), ..moved() };
    assert_eq!(changed(&added(Some(id(7))), &change), HeldKey::Held(id(8)));
}

#[test]
fn a_provider_that_never_wanted_a_key_moves_without_one() {
    assert_eq!(changed(&added(None), &moved()), HeldKey::None);
}

#[test]
fn an_address_written_with_a_slash_is_the_same_address() {
    let same = ProviderChange { base_url: Some(url("https://api.example.org/v1/")), ..ProviderChange::default() };
    assert_eq!(added(Some(id(7))).when(|it| it.change(&same)), Ok(vec![]));
}

#[test]
fn another_price_list_has_the_next_number() {
    let prices =
        PriceList::parse(BTreeMap::from([("gpt".to_owned(), Price { input: 3, ..Price::default() })])).unwrap();
    let change = ProviderChange { prices: Some(prices.clone()), ..ProviderChange::default() };
    let expected = vec![ProviderPriced { version: 2, prices }.into()];
    assert_eq!(added(None).when(|it| it.change(&change)), Ok(expected));
}

#[test]
fn a_provider_is_enabled_until_it_is_disabled() {
    let off = ProviderChange { enabled: Some(false), ..ProviderChange::default() };
    let after = added(None).after(|it| it.change(&off)).unwrap();
    assert!(!after.added().unwrap().enabled);
}

#[test]
fn enabling_twice_changes_nothing() {
    let on = ProviderChange { enabled: Some(true), ..ProviderChange::default() };
    assert_eq!(added(None).when(|it| it.change(&on)), Ok(vec![]));
}

#[test]
fn a_removed_provider_does_not_change() {
    let removed = added(None).after(Provider::remove).unwrap();
    assert_eq!(removed.change(&moved()), Err(ProviderError::Removed));
}

#[test]
fn removing_twice_changes_nothing() {
    assert_eq!(added(None).after(Provider::remove).unwrap().remove(), Ok(vec![]));
}

#[test]
fn what_was_never_added_cannot_be_removed() {
    assert_eq!(Provider::default().remove(), Err(ProviderError::NotAdded));
}

#[test]
fn facts_about_a_removed_provider_are_taken_in_without_effect() {
    let moved: ProviderEvent = ProviderMoved { base_url: url("http://late") }.into();
    let late = Provider::Removed(id(1));
    assert_eq!(crate::kernel::Aggregate::evolved(late.clone(), [&moved]), late);
}

#[test]
fn a_name_is_a_slug() {
    for (name, fine) in [("openai", true), ("a-1", true), ("", false), ("1a", false), ("A", false), ("a/b", false)] {
        assert_eq!(ProviderName::parse(name).is_ok(), fine, "{name:?}");
    }
}

#[test]
fn an_address_has_a_host_and_hides_nothing() {
    for wrong in
        ["ftp://a", "a.org", "https://", "https://u:p@a.org", "https://a.org?x=1", "https://a.org#f", "https://a b"]
    {
        assert_eq!(ProviderUrl::parse(wrong), Err(ProviderError::BaseUrlFormat), "{wrong:?}");
    }
}

#[test]
fn an_empty_list_allows_every_model() {
    assert!(AllowedModels::default().allow("meta/llama-3:8b"));
}

#[test]
fn a_list_allows_what_is_on_it() {
    let models = AllowedModels::parse(&["a", "b"]).unwrap();
    assert_eq!((models.allow("a"), models.allow("c")), (true, false));
}

#[test]
fn a_model_that_is_no_name_is_told_by_its_place() {
    assert_eq!(AllowedModels::parse(&["a", "b c"]), Err(ProviderError::ModelFormat(1)));
}

#[test]
fn each_class_of_tokens_costs_its_own_price_and_fractions_are_rounded_up() {
    let price =
        Price { input: 1_000_000, output: 2_000_000, cache_read: 1, cache_write: 3_000_000, reasoning: 4_000_000 };
    let usage = TokenCount { input: 1, output: 10, cache_read: 1, cache_write: 100, reasoning: 1_000 };
    assert_eq!(price.of(&usage), 1 + 20 + 300 + 4_000 + 1);
}

#[test]
fn a_price_beyond_reason_is_refused() {
    let dear = BTreeMap::from([("gpt".to_owned(), Price { output: u64::MAX, ..Price::default() })]);
    assert_eq!(PriceList::parse(dear), Err(ProviderError::PriceRange("gpt".to_owned())));
}
