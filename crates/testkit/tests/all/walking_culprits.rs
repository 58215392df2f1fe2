//! Lists that lose their place in one way each. A contract that accepts one of them is useless.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use async_trait::async_trait;
use devskyy_application::{
    agents::{AgentFilter, AgentVersionSummary, AgentVersionView, AgentView, AgentViews},
    error::PortError,
    paging::{Beyond, Key, KeyValue, KeysetRequest, PageOf, Part},
};
use devskyy_domain::{agents::VersionNumber, kernel::ids::AgentId};
use devskyy_testkit::contracts::{
    is_broken,
    people::{self as promise, PeopleUnderTest},
};
use uuid::Uuid;

#[derive(Clone, Copy)]
enum Flaw {
    /// Omits the first item after a place.
    Skips,
    /// Repeats the item of a place.
    Repeats,
    /// Continues after as many rows as it has returned.
    Counts,
    /// Compares only the sort value, and omits equal ones.
    ForgetsEquals,
    /// Never reports that a list continues.
    EndsEarly,
}

struct Losing {
    honest: Arc<dyn AgentViews>,
    flaw: Flaw,
    told: AtomicUsize,
}

impl Losing {
    async fn flawed(&self, filter: AgentFilter, wanted: &KeysetRequest) -> Result<PageOf<AgentView>, PortError> {
        let KeysetRequest { after, limit } = wanted.clone();
        let ask = |after, limit| {
            let part = Part::Keyset(KeysetRequest { after, limit });
            let filter = filter.clone();
            async move { self.honest.list(filter, &part).await }
        };
        match (self.flaw, after) {
            (Flaw::Skips, Some(after)) => {
                let mut found = ask(Some(after), limit + 1).await?;
                found.items = found.items.split_off(found.items.len().min(1));
                Ok(found)
            }
            (Flaw::Repeats, Some(after)) => {
                let again = self.honest.find(after.id.into()).await?;
                let mut found = ask(Some(after), limit).await?;
                found.items.splice(0..0, again);
                found.items.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
                Ok(found)
            }
            (Flaw::Counts, after) => {
                let told = if after.is_some() { self.told.load(Ordering::Relaxed) } else { 0 };
                let PageOf { mut items, .. } = ask(None, 1_000).await?;
                let mut items = items.split_off(told.min(items.len()));
                let more = items.len() as u64 > limit;
                items.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
                self.told.store(told + items.len(), Ordering::Relaxed);
                let next = more.then(|| Key { value: KeyValue::Number(0), id: Uuid::nil() });
                Ok(PageOf { items, beyond: Beyond::Next(next) })
            }
            (Flaw::ForgetsEquals, Some(after)) => {
                let id = if filter.sort.descending { Uuid::nil() } else { Uuid::max() };
                ask(Some(Key { id, ..after }), limit).await
            }
            (Flaw::EndsEarly, after) => Ok(PageOf { beyond: Beyond::Next(None), ..ask(after, limit).await? }),
            (Flaw::Skips | Flaw::Repeats | Flaw::ForgetsEquals, None) => ask(None, limit).await,
        }
    }
}

#[async_trait]
impl AgentViews for Losing {
    async fn find(&self, agent: AgentId) -> Result<Option<AgentView>, PortError> {
        self.honest.find(agent).await
    }

    async fn list(&self, filter: AgentFilter, part: &Part) -> Result<PageOf<AgentView>, PortError> {
        match part {
            Part::Page(_) => self.honest.list(filter, part).await,
            Part::Keyset(wanted) => self.flawed(filter, wanted).await,
        }
    }

    async fn versions(&self, agent: AgentId, part: &Part) -> Result<PageOf<AgentVersionSummary>, PortError> {
        self.honest.versions(agent, part).await
    }

    async fn version(&self, agent: AgentId, number: VersionNumber) -> Result<Option<AgentVersionView>, PortError> {
        self.honest.version(agent, number).await
    }
}

fn losing(flaw: Flaw) -> PeopleUnderTest {
    let people = PeopleUnderTest::in_memory();
    let agents = Losing { honest: people.agents.clone(), flaw, told: AtomicUsize::new(0) };
    PeopleUnderTest { agents: Arc::new(agents), ..people }
}

#[tokio::test]
async fn a_list_that_skips_at_the_border_is_broken() {
    assert!(is_broken(promise::agents_added_during_a_walk_hide_and_repeat_nothing(&losing(Flaw::Skips))).await);
}

#[tokio::test]
async fn a_list_that_repeats_at_the_border_is_broken() {
    assert!(is_broken(promise::agents_added_during_a_walk_hide_and_repeat_nothing(&losing(Flaw::Repeats))).await);
}

#[tokio::test]
async fn a_list_that_counts_rows_is_caught_when_some_are_added() {
    assert!(is_broken(promise::agents_added_during_a_walk_hide_and_repeat_nothing(&losing(Flaw::Counts))).await);
}

#[tokio::test]
async fn a_list_that_takes_equals_for_told_is_broken() {
    assert!(is_broken(promise::agents_are_walked_once_in_every_order(&losing(Flaw::ForgetsEquals))).await);
}

#[tokio::test]
async fn a_list_that_ends_early_is_broken() {
    assert!(is_broken(promise::agents_are_walked_once_in_every_order(&losing(Flaw::EndsEarly))).await);
}
