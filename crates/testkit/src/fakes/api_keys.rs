use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use devskyy_application::{
    context::KeyGrant,
    error::PortError,
    es::RecordedEvent,
    identity::{KeyRecord, KeySecret, KeyStandings, KeyUses, KeyVault, KeyViews, UserStatus, UserViews},
    paging::{Key, PageOf, Part},
};
use devskyy_domain::{
    identity::{ApiKey, ApiKeyEvent, KeyScope},
    kernel::ids::{ApiKeyId, KeySecretId, ProjectId},
};

use super::{
    InMemoryEventStore, InMemoryUsers,
    fingerprint::{Fingerprint, of_rows},
    identity::decoded,
};

/// API keys, folded from an in-memory log, with their secrets and last uses in memory.
pub struct InMemoryApiKeys {
    users: Arc<InMemoryUsers>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    rows: Vec<Row>,
    secrets: HashMap<KeySecretId, KeySecret>,
    uses: HashMap<ApiKeyId, DateTime<Utc>>,
}

struct Row {
    record: KeyRecord,
    secret: KeySecretId,
    previous: Option<(KeySecretId, DateTime<Utc>)>,
}

impl InMemoryApiKeys {
    /// Keys that follow a log, issued by these users.
    #[must_use]
    pub fn following(store: &InMemoryEventStore, users: Arc<InMemoryUsers>) -> Arc<Self> {
        let keys = Arc::new(Self { users, state: Mutex::default() });
        let follower = keys.clone();
        store.follow(move |event| follower.take_in(event));
        keys
    }

    /// Number of stored secrets.
    #[must_use]
    pub fn secrets(&self) -> usize {
        self.state().secrets.len()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn take_in(&self, event: &RecordedEvent) {
        let Some(fact) = decoded::<ApiKey>(event) else { return };
        let mut state = self.state();
        if let ApiKeyEvent::Issued(it) = fact {
            let record = KeyRecord {
                id: event.stream_id.into(),
                project: it.project,
                issuer: it.issuer,
                name: it.name.as_str().to_owned(),
                role: it.role,
                scopes: it.scopes.iter().map(|scope| scope.as_str().to_owned()).collect(),
                expires_at: it.expires_at,
                created_at: event.recorded_at,
                rotated_at: None,
                revoked_at: None,
                version: event.version,
            };
            state.rows.push(Row { record, secret: it.secret, previous: None });
            return;
        }
        let Some(row) = state.rows.iter_mut().find(|row| row.record.id == event.stream_id.into()) else { return };
        row.record.version = event.version;
        match fact {
            ApiKeyEvent::Issued(_) => {}
            ApiKeyEvent::Rotated(it) => {
                row.previous = Some((std::mem::replace(&mut row.secret, it.secret), it.previous_until));
                row.record.expires_at = it.expires_at;
                row.record.rotated_at = Some(event.recorded_at);
            }
            ApiKeyEvent::Revoked(_) => row.record.revoked_at = Some(event.recorded_at),
        }
    }
}

#[async_trait]
impl KeyViews for InMemoryApiKeys {
    async fn find(&self, key: ApiKeyId) -> Result<Option<KeyRecord>, PortError> {
        Ok(self.state().rows.iter().map(|row| &row.record).find(|record| record.id == key).cloned())
    }

    async fn list(&self, project: ProjectId, part: &Part) -> Result<PageOf<KeyRecord>, PortError> {
        let state = self.state();
        let of_project = state.rows.iter().map(|row| &row.record).filter(|record| record.project == project);
        Ok(PageOf::cut(of_project.cloned().collect(), part, true, |record| Key::by_time(record.created_at, record.id)))
    }
}

impl Fingerprint for InMemoryApiKeys {
    /// Covers the secrets; uses are not included.
    fn fingerprint(&self) -> u64 {
        of_rows(
            self.state().secrets.values().map(|it| format!("{} {} {:?} {}", it.id, it.key, it.digest, it.created_at)),
        )
    }
}

#[async_trait]
impl KeyVault for InMemoryApiKeys {
    async fn save(&self, secret: &KeySecret) -> Result<(), PortError> {
        self.state().secrets.insert(secret.id, secret.clone());
        Ok(())
    }

    async fn remove(&self, secret: KeySecretId) -> Result<(), PortError> {
        self.state().secrets.remove(&secret);
        Ok(())
    }

    async fn sweep(&self, before: DateTime<Utc>) -> Result<u64, PortError> {
        let mut state = self.state();
        let State { rows, secrets, .. } = &mut *state;
        let present = secrets.len();
        let refers = |row: &Row, id| row.secret == id || row.previous.is_some_and(|(previous, _)| previous == id);
        secrets.retain(|id, secret| secret.created_at >= before || rows.iter().any(|row| refers(row, *id)));
        Ok((present - secrets.len()) as u64)
    }
}

#[async_trait]
impl KeyStandings for InMemoryApiKeys {
    async fn of(&self, key: ApiKeyId, digest: &[u8; 32], now: DateTime<Utc>) -> Result<Option<KeyGrant>, PortError> {
        let Some(record) = self.find(key).await? else { return Ok(None) };
        let issuer = self.users.find(record.issuer).await?;
        if !issuer.is_some_and(|issuer| issuer.status == UserStatus::Active) {
            return Ok(None);
        }
        let state = self.state();
        let Some(row) = state.rows.iter().find(|row| row.record.id == key) else { return Ok(None) };
        let previous = row.previous.filter(|(_, until)| *until > now).map(|(id, _)| id);
        let counting = [Some(row.secret), previous];
        let mut secrets = counting.iter().flatten().filter_map(|id| state.secrets.get(id));
        let counts = record.revoked_at.is_none() && record.expires_at > now;
        if !counts || !secrets.any(|secret| secret.digest == *digest) {
            return Ok(None);
        }
        let KeyRecord { project, issuer, role, scopes, .. } = record;
        Ok(Some(KeyGrant {
            project,
            issuer,
            role,
            scopes: scopes.iter().map(|scope| KeyScope::named(scope)).collect(),
        }))
    }

    fn forget(&self, _key: ApiKeyId) {}
}

#[async_trait]
impl KeyUses for InMemoryApiKeys {
    fn note(&self, key: ApiKeyId, at: DateTime<Utc>) {
        let mut state = self.state();
        let newest = state.uses.entry(key).or_insert(at);
        *newest = at.max(*newest);
    }

    async fn last(&self, keys: &[ApiKeyId]) -> Result<Vec<(ApiKeyId, DateTime<Utc>)>, PortError> {
        let state = self.state();
        Ok(keys.iter().filter_map(|key| Some((*key, *state.uses.get(key)?))).collect())
    }
}
