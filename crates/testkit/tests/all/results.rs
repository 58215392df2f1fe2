//! Results in memory keep the contract, and the contract detects stores with one flaw each.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
};

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use devskyy_application::{error::PortError, runs::ResultStore};
use devskyy_domain::{kernel::ids::ProjectId, runs::ResultHash};
use devskyy_testkit::{
    contracts::results::ResultsUnderTest,
    fakes::{InMemoryEventStore, InMemoryResults},
};
use uuid::Uuid;

async fn in_memory() -> ResultsUnderTest {
    let store = Arc::new(InMemoryEventStore::default());
    let results = InMemoryResults::following(&store);
    ResultsUnderTest { store, results, keep: Box::new(()) }
}

devskyy_testkit::results_contract!(in_memory);

/// What is wrong with a store.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Flaw {
    /// It stores nothing.
    Forgets,
    /// It always finds something.
    MakesUp,
    /// It does not separate projects.
    KnowsNoProjects,
    /// It stores each text as often as it is given.
    Hoards,
    /// It stores the beginning of a text.
    Cuts,
    /// It does not check the log before it deletes.
    IgnoresEvents,
    /// It deletes everything.
    IsHasty,
    /// It does not record that a text was stored again.
    RemembersTheFirstTime,
    /// It never deletes.
    NeverDeletes,
}

/// Each text with the time it was last stored, and how often it was.
type Texts = BTreeMap<(ProjectId, ResultHash), (Vec<u8>, DateTime<Utc>, u64)>;

/// A store with a flaw; what it omits is not done elsewhere.
struct Flawed {
    flaw: Flaw,
    texts: Mutex<Texts>,
}

impl Flawed {
    fn key(&self, project: ProjectId, hash: ResultHash) -> (ProjectId, ResultHash) {
        let one = ProjectId::from(Uuid::nil());
        (if self.flaw == Flaw::KnowsNoProjects { one } else { project }, hash)
    }
}

#[async_trait]
impl ResultStore for Flawed {
    async fn keep(
        &self,
        project: ProjectId,
        hash: ResultHash,
        text: &[u8],
        now: DateTime<Utc>,
    ) -> Result<(), PortError> {
        let most = if self.flaw == Flaw::Cuts { 1_000 } else { text.len() };
        let mut texts = self.texts.lock().unwrap_or_else(PoisonError::into_inner);
        let fresh = (text[..most.min(text.len())].to_vec(), now, 0);
        let (_, at, times) = texts.entry(self.key(project, hash)).or_insert(fresh);
        *times += if self.flaw == Flaw::Hoards || *times == 0 { 1 } else { 0 };
        if self.flaw != Flaw::RemembersTheFirstTime {
            *at = now;
        }
        Ok(())
    }

    async fn find(&self, project: ProjectId, hash: ResultHash) -> Result<Option<Vec<u8>>, PortError> {
        let texts = self.texts.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(match self.flaw {
            Flaw::Forgets => None,
            Flaw::MakesUp => Some(Vec::new()),
            _ => texts.get(&self.key(project, hash)).map(|(text, ..)| text.clone()),
        })
    }

    async fn sweep(&self, before: DateTime<Utc>) -> Result<u64, PortError> {
        let mut texts = self.texts.lock().unwrap_or_else(PoisonError::into_inner);
        let count = |texts: &Texts| texts.values().map(|kept| kept.2).sum::<u64>();
        let all = count(&texts);
        match self.flaw {
            Flaw::NeverDeletes => {}
            Flaw::IsHasty => texts.clear(),
            _ => texts.retain(|_, (_, at, _)| *at >= before),
        }
        Ok(all - count(&texts))
    }
}

fn flawed() -> Vec<ResultsUnderTest> {
    let flaws = [
        Flaw::Forgets,
        Flaw::MakesUp,
        Flaw::KnowsNoProjects,
        Flaw::Hoards,
        Flaw::Cuts,
        Flaw::IgnoresEvents,
        Flaw::IsHasty,
        Flaw::RemembersTheFirstTime,
        Flaw::NeverDeletes,
    ];
    let broken = |flaw| ResultsUnderTest {
        store: Arc::new(InMemoryEventStore::default()),
        results: Arc::new(Flawed { flaw, texts: Mutex::default() }),
        keep: Box::new(()),
    };
    flaws.map(broken).into()
}

mod caught {
    use super::flawed;

    devskyy_testkit::results_contract!(each broken flawed);
}
