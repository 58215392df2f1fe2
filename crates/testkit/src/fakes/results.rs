use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use devskyy_application::{error::PortError, es::RecordedEvent, runs::ResultStore};
use devskyy_domain::{
    kernel::ids::{ProjectId, RunId},
    runs::{ResultHash, Run, RunEvent},
};

use super::{InMemoryEventStore, identity::decoded};

type Key = (ProjectId, ResultHash);

/// Results in memory; the references of events come from an in-memory log.
#[derive(Default)]
pub struct InMemoryResults(Mutex<State>);

#[derive(Default)]
struct State {
    texts: BTreeMap<Key, Kept>,
    projects: BTreeMap<RunId, ProjectId>,
    referred: BTreeSet<Key>,
}

struct Kept {
    text: Vec<u8>,
    at: DateTime<Utc>,
}

impl InMemoryResults {
    /// Results that follow a log.
    #[must_use]
    pub fn following(store: &InMemoryEventStore) -> Arc<Self> {
        let results = Arc::new(Self::default());
        let follower = results.clone();
        store.follow(move |event| follower.take_in(event));
        results
    }

    /// All stored texts, of all projects.
    #[must_use]
    pub fn texts(&self) -> Vec<Vec<u8>> {
        self.state().texts.values().map(|kept| kept.text.clone()).collect()
    }

    /// Corrupts all stored texts, as a failing disk would.
    pub fn damage(&self) {
        self.state().texts.values_mut().for_each(|kept| kept.text.push(b' '));
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn take_in(&self, recorded: &RecordedEvent) {
        let Some(event) = decoded::<Run>(recorded) else { return };
        let (run, mut state) = (RunId::from(recorded.stream_id), self.state());
        if let RunEvent::Queued(queued) = &event {
            state.projects.insert(run, queued.order.project);
        }
        let Some(project) = state.projects.get(&run).copied() else { return };
        state.referred.extend(event.stored().map(|stored| (project, stored.hash)));
    }
}

#[async_trait]
impl ResultStore for InMemoryResults {
    async fn keep(
        &self,
        project: ProjectId,
        hash: ResultHash,
        text: &[u8],
        now: DateTime<Utc>,
    ) -> Result<(), PortError> {
        let mut state = self.state();
        let fresh = || Kept { text: text.to_vec(), at: now };
        state.texts.entry((project, hash)).or_insert_with(fresh).at = now;
        Ok(())
    }

    async fn find(&self, project: ProjectId, hash: ResultHash) -> Result<Option<Vec<u8>>, PortError> {
        Ok(self.state().texts.get(&(project, hash)).map(|kept| kept.text.clone()))
    }

    async fn sweep(&self, before: DateTime<Utc>) -> Result<u64, PortError> {
        let State { texts, referred, .. } = &mut *self.state();
        let count = texts.len();
        texts.retain(|key, kept| referred.contains(key) || kept.at >= before);
        Ok((count - texts.len()) as u64)
    }
}
