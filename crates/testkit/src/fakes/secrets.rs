use std::{
    collections::{BTreeMap, HashMap},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use devskyy_application::{
    error::PortError,
    es::RecordedEvent,
    paging::{Key, PageOf, Part},
    secrets::{SecretBinding, SecretVault, SecretView, SecretViews},
    workflow::{ToolSecret, ToolSecrets},
};
use devskyy_domain::{
    kernel::{
        Aggregate as _,
        ids::{ProjectId, SecretId, SecretValueId},
    },
    secrets::{Secret, SecretDetails, SecretHosts, SecretValue},
};

use super::{
    InMemoryEventStore,
    fingerprint::{Fingerprint, of_rows},
    identity::decoded,
};

/// Secrets, folded from an in-memory log, with their values in memory.
#[derive(Default)]
pub struct InMemorySecrets(Mutex<State>);

#[derive(Default)]
struct State {
    rows: BTreeMap<SecretId, Row>,
    values: HashMap<SecretValueId, Kept>,
}

struct Row {
    secret: Secret,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
    version: u64,
}

struct Kept {
    binding: SecretBinding,
    value: SecretValue,
    at: DateTime<Utc>,
}

impl InMemorySecrets {
    /// Secrets that follow a log.
    #[must_use]
    pub fn following(store: &InMemoryEventStore) -> Arc<Self> {
        let secrets = Arc::new(Self::default());
        let follower = secrets.clone();
        store.follow(move |event| follower.take_in(event));
        secrets
    }

    /// Number of stored values.
    #[must_use]
    pub fn values(&self) -> usize {
        self.state().values.len()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn take_in(&self, event: &RecordedEvent) {
        let Some(fact) = decoded::<Secret>(event) else { return };
        let mut state = self.state();
        let row = state.rows.entry(event.stream_id.into()).or_insert_with(|| Row {
            secret: Secret::default(),
            created_at: event.recorded_at,
            updated_at: event.recorded_at,
            version: 0,
        });
        row.secret.apply(&fact);
        row.updated_at = event.recorded_at;
        row.version = event.version;
    }

    fn views(&self) -> Vec<SecretView> {
        self.state().rows.iter().filter_map(|(id, row)| Some(view(*id, row, row.secret.added().ok()?))).collect()
    }
}

fn view(id: SecretId, row: &Row, details: &SecretDetails) -> SecretView {
    let SecretDetails { project, name, hosts, value } = details.clone();
    let Row { created_at, updated_at, version, .. } = *row;
    SecretView { id, project, name: name.as_str().to_owned(), hosts, value, created_at, updated_at, version }
}

#[async_trait]
impl SecretViews for InMemorySecrets {
    async fn find(&self, secret: SecretId) -> Result<Option<SecretView>, PortError> {
        Ok(self.views().into_iter().find(|view| view.id == secret))
    }

    async fn named(&self, project: ProjectId, name: &str) -> Result<Option<SecretView>, PortError> {
        Ok(self.views().into_iter().find(|view| view.project == project && view.name == name))
    }

    async fn list(&self, project: ProjectId, part: &Part) -> Result<PageOf<SecretView>, PortError> {
        let of_project = self.views().into_iter().filter(|view| view.project == project).collect();
        Ok(PageOf::cut(of_project, part, true, |view| Key::by_time(view.created_at, view.id)))
    }
}

impl Fingerprint for InMemorySecrets {
    fn fingerprint(&self) -> u64 {
        of_rows(self.state().values.values().map(|kept| format!("{:?} {}", kept.binding, kept.at)))
    }
}

#[async_trait]
impl SecretVault for InMemorySecrets {
    async fn save(&self, binding: &SecretBinding, value: &SecretValue, now: DateTime<Utc>) -> Result<(), PortError> {
        let kept = Kept { binding: binding.clone(), value: value.clone(), at: now };
        self.state().values.insert(binding.id, kept);
        Ok(())
    }

    async fn open(&self, binding: &SecretBinding) -> Result<Option<SecretValue>, PortError> {
        let state = self.state();
        Ok(state.values.get(&binding.id).filter(|kept| kept.binding == *binding).map(|kept| kept.value.clone()))
    }

    async fn remove(&self, value: SecretValueId) -> Result<(), PortError> {
        self.state().values.remove(&value);
        Ok(())
    }

    async fn sweep(&self, before: DateTime<Utc>) -> Result<u64, PortError> {
        let held: Vec<_> = self.views().into_iter().map(|view| view.value).collect();
        let mut state = self.state();
        let count = state.values.len();
        state.values.retain(|id, kept| held.contains(id) || kept.at >= before);
        Ok((count - state.values.len()) as u64)
    }
}

/// The same secrets for every project, by name.
#[derive(Debug, Clone, Default)]
pub struct FixedSecrets(pub BTreeMap<String, ToolSecret>);

impl FixedSecrets {
    /// One secret with that name, for `example.org`.
    #[must_use]
    pub fn named(name: &str) -> Self {
        let secret = SecretHosts::parse(&["example.org"]).ok().zip(SecretValue::parse("fixed-secret").ok());
        let secret = secret.map(|(hosts, value)| (name.to_owned(), ToolSecret { value, hosts }));
        Self(secret.into_iter().collect())
    }
}

#[async_trait]
impl ToolSecrets for FixedSecrets {
    async fn knows(&self, _: ProjectId, name: &str) -> Result<bool, PortError> {
        Ok(self.0.contains_key(name))
    }

    async fn open(&self, _: ProjectId, name: &str) -> Result<Option<ToolSecret>, PortError> {
        Ok(self.0.get(name).cloned())
    }
}
