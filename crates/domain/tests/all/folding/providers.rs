use std::collections::BTreeMap;

use devskyy_domain::models::{
    AllowedModels, NewProvider, Price, PriceList, Provider, ProviderChange, ProviderEvent, ProviderKind, ProviderName,
    ProviderUrl,
};
use uuid::Uuid;

use super::{Rules, holds};

fn url(n: u8) -> ProviderUrl {
    ProviderUrl::parse(&format!("https://models-{n}.example.org/v1")).unwrap()
}

fn models(n: u8) -> AllowedModels {
    AllowedModels::parse(&[format!("large-{n}")]).unwrap()
}

fn prices(n: u8) -> PriceList {
    let price = Price { input: n.into(), output: 7, ..Price::default() };
    PriceList::parse(BTreeMap::from([("large".to_owned(), price)])).unwrap()
}

fn new(one: u8, other: u8) -> NewProvider {
    NewProvider {
        project: Uuid::from_u128(1).into(),
        name: ProviderName::parse("house").unwrap(),
        kind: if one == 0 { ProviderKind::OpenAi } else { ProviderKind::Anthropic },
        base_url: url(one),
        models: models(other),
        prices: prices(other),
        key: (other > 1).then(|| Uuid::from_u128(other.into()).into()),
    }
}

const PROVIDER: Rules<Provider> = Rules {
    asks: &[
        |it, one, other| it.add(&new(one, other)),
        |it, one, other| {
            it.change(&ProviderChange {
                base_url: Some(url(one)),
                models: Some(models(other)),
                ..ProviderChange::default()
            })
        },
        |it, one, other| {
            it.change(&ProviderChange {
                prices: Some(prices(one)),
                enabled: Some(other > 1),
                ..ProviderChange::default()
            })
        },
        |it, one, _| {
            it.change(&ProviderChange { key: Some(Uuid::from_u128(one.into()).into()), ..ProviderChange::default() })
        },
        |it, one, _| if one == 0 { it.remove() } else { Ok(vec![]) },
    ],
    sound: |it| it.added().map_or(true, |details| details.prices_version > 0),
    ended: |it, _| matches!(it, Provider::Removed(_)),
    noted: |event| matches!(event, ProviderEvent::KeySet(_)),
};

holds! {
    provider: PROVIDER;
}
