//! Every event of model providers is read back as it was written.

use std::collections::BTreeMap;

use devskyy_domain::models::{
    AllowedModels, Price, PriceList, ProviderAdded, ProviderDisabled, ProviderEnabled, ProviderEvent, ProviderKeySet,
    ProviderKind, ProviderModelsAllowed, ProviderMoved, ProviderName, ProviderPriced, ProviderRemoved, ProviderUrl,
};
use uuid::Uuid;

use crate::golden::{holds, today};

#[test]
fn every_stored_fact_is_still_understood() {
    let price =
        Price { input: 2_500_000, output: 10_000_000, cache_read: 1_250_000, cache_write: 0, reasoning: 10_000_000 };
    let prices = PriceList::parse(BTreeMap::from([("gpt-4o".to_owned(), price)])).unwrap();
    let added = ProviderAdded {
        project: Uuid::from_u128(1).into(),
        name: ProviderName::parse("openai").unwrap(),
        kind: ProviderKind::OpenAi,
        base_url: ProviderUrl::parse("https://api.openai.com/v1").unwrap(),
        models: AllowedModels::parse(&["gpt-4o"]).unwrap(),
        prices: prices.clone(),
    };
    let moved = ProviderMoved { base_url: ProviderUrl::parse("https://gateway.example.org/v1").unwrap() };
    let allowed = ProviderModelsAllowed { models: AllowedModels::parse(&["gpt-4o", "o3"]).unwrap() };
    holds::<ProviderEvent>(&[
        today(added),
        today(moved),
        today(allowed),
        today(ProviderPriced { version: 2, prices }),
        today(ProviderKeySet { key: Uuid::from_u128(2).into() }),
        today(ProviderEnabled {}),
        today(ProviderDisabled {}),
        today(ProviderRemoved {}),
    ]);
}
