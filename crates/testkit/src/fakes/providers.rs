use std::{
    collections::{BTreeMap, HashMap},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use devskyy_application::{
    error::PortError,
    es::RecordedEvent,
    models::{
        KeyBinding, ModelError, ModelProviders, Models, PriceListOf, Provided, ProviderProbe, ProviderRecord,
        ProviderSecret, ProviderVault, ProviderViews, Route,
    },
    paging::{Key, PageOf, Part},
};
use devskyy_domain::{
    kernel::{
        Aggregate as _,
        ids::{ProjectId, ProviderId, ProviderKeyId},
    },
    models::{AllowedModels, HeldKey, PriceList, Provider, ProviderDetails, ProviderKind},
};

use super::{
    InMemoryEventStore,
    fingerprint::{Fingerprint, of_rows},
    identity::decoded,
};

/// Providers, folded from an in-memory log, with their keys in memory.
#[derive(Default)]
pub struct InMemoryProviders(Mutex<State>);

#[derive(Default)]
struct State {
    rows: BTreeMap<ProviderId, Row>,
    keys: HashMap<ProviderKeyId, Kept>,
}

struct Row {
    provider: Provider,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
    version: u64,
}

struct Kept {
    binding: KeyBinding,
    key: ProviderSecret,
    at: DateTime<Utc>,
}

impl InMemoryProviders {
    /// Providers that follow a log.
    #[must_use]
    pub fn following(store: &InMemoryEventStore) -> Arc<Self> {
        let providers = Arc::new(Self::default());
        let follower = providers.clone();
        store.follow(move |event| follower.take_in(event));
        providers
    }

    /// Number of stored keys.
    #[must_use]
    pub fn keys(&self) -> usize {
        self.state().keys.len()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn take_in(&self, event: &RecordedEvent) {
        let Some(fact) = decoded::<Provider>(event) else { return };
        let mut state = self.state();
        let row = state.rows.entry(event.stream_id.into()).or_insert_with(|| Row {
            provider: Provider::default(),
            created_at: event.recorded_at,
            updated_at: event.recorded_at,
            version: 0,
        });
        row.provider.apply(&fact);
        row.updated_at = event.recorded_at;
        row.version = event.version;
    }

    fn records(&self) -> Vec<ProviderRecord> {
        self.state().rows.iter().filter_map(|(id, row)| Some(record(*id, row, row.provider.added().ok()?))).collect()
    }
}

fn record(id: ProviderId, row: &Row, details: &ProviderDetails) -> ProviderRecord {
    let ProviderDetails { project, name, kind, base_url, models, prices, prices_version, key, enabled } =
        details.clone();
    ProviderRecord {
        id,
        project,
        name: name.as_str().to_owned(),
        kind,
        base_url: base_url.as_str().to_owned(),
        models,
        prices,
        prices_version,
        key,
        enabled,
        created_at: row.created_at,
        updated_at: row.updated_at,
        version: row.version,
    }
}

#[async_trait]
impl ProviderViews for InMemoryProviders {
    async fn find(&self, provider: ProviderId) -> Result<Option<ProviderRecord>, PortError> {
        Ok(self.records().into_iter().find(|record| record.id == provider))
    }

    async fn named(&self, project: ProjectId, name: &str) -> Result<Option<ProviderRecord>, PortError> {
        Ok(self.records().into_iter().find(|record| record.project == project && record.name == name))
    }

    async fn list(&self, project: ProjectId, part: &Part) -> Result<PageOf<ProviderRecord>, PortError> {
        let of_project = self.records().into_iter().filter(|record| record.project == project).collect();
        Ok(PageOf::cut(of_project, part, true, |record| Key::by_time(record.created_at, record.id)))
    }
}

impl Fingerprint for InMemoryProviders {
    fn fingerprint(&self) -> u64 {
        of_rows(self.state().keys.values().map(|kept| format!("{:?} {}", kept.binding, kept.at)))
    }
}

#[async_trait]
impl ProviderVault for InMemoryProviders {
    async fn save(&self, binding: &KeyBinding, key: &ProviderSecret, now: DateTime<Utc>) -> Result<(), PortError> {
        let kept = Kept { binding: binding.clone(), key: key.clone(), at: now };
        self.state().keys.insert(binding.id, kept);
        Ok(())
    }

    async fn open(&self, binding: &KeyBinding) -> Result<Option<ProviderSecret>, PortError> {
        let state = self.state();
        Ok(state.keys.get(&binding.id).filter(|kept| kept.binding == *binding).map(|kept| kept.key.clone()))
    }

    async fn hint(&self, key: ProviderKeyId) -> Result<Option<String>, PortError> {
        Ok(self.state().keys.get(&key).map(|kept| kept.key.hint()))
    }

    async fn remove(&self, key: ProviderKeyId) -> Result<(), PortError> {
        self.state().keys.remove(&key);
        Ok(())
    }

    async fn sweep(&self, before: DateTime<Utc>) -> Result<u64, PortError> {
        let held: Vec<_> = self.records().into_iter().map(|record| record.key).collect();
        let mut state = self.state();
        let count = state.keys.len();
        state.keys.retain(|id, kept| held.contains(&HeldKey::Held(*id)) || kept.at >= before);
        Ok((count - state.keys.len()) as u64)
    }
}

/// A probe that only allows `https` URLs. Each provider has one model and accepts every key but `wrong-key`;
/// `https://away.example.org` is unavailable.
#[derive(Debug, Clone, Copy, Default)]
pub struct FixedProbe;

#[async_trait]
impl ProviderProbe for FixedProbe {
    fn admits(&self, base_url: &str) -> Result<(), String> {
        if base_url.starts_with("https://") { Ok(()) } else { Err("plain http is not allowed; use https".to_owned()) }
    }

    async fn list(
        &self,
        kind: ProviderKind,
        base_url: &str,
        key: Option<&ProviderSecret>,
    ) -> Result<Vec<String>, ModelError> {
        if base_url.starts_with("https://away.example.org") {
            return Err(ModelError::Unavailable { message: "nobody is there".to_owned(), retry_after: None });
        }
        if key.is_some_and(|key| key.expose() == "wrong-key") {
            return Err(ModelError::Refused { status: Some(401), message: "it does not accept the key".to_owned() });
        }
        Ok(vec![format!("{}-1", kind.as_str())])
    }
}

/// Providers by name, of the platform and of projects; those of the platform allow every model.
#[derive(Default)]
pub struct NamedModels {
    platform: BTreeMap<String, Provided>,
    own: BTreeMap<(ProjectId, String), Provided>,
}

impl NamedModels {
    /// Adds a provider that is enabled.
    #[must_use]
    pub fn with(mut self, name: &str, models: Arc<dyn Models>) -> Self {
        let (allowed, prices) = (AllowedModels::default(), PriceList::default());
        let route = Route { id: name.to_owned(), models, allowed, prices, price_list: PriceListOf::Configuration };
        self.platform.insert(name.to_owned(), Provided::Ready(Box::new(route)));
        self
    }

    /// Adds a provider in a given state.
    #[must_use]
    pub fn with_provided(mut self, name: &str, provided: Provided) -> Self {
        self.platform.insert(name.to_owned(), provided);
        self
    }

    /// Adds a project's own provider.
    #[must_use]
    pub fn with_own(mut self, project: ProjectId, name: &str, provided: Provided) -> Self {
        self.own.insert((project, name.to_owned()), provided);
        self
    }
}

#[async_trait]
impl ModelProviders for NamedModels {
    async fn find(&self, project: ProjectId, name: &str) -> Result<Option<Provided>, PortError> {
        let own = self.own.get(&(project, name.to_owned()));
        Ok(own.or_else(|| self.platform.get(name)).cloned())
    }
}
