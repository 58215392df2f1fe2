//! The in-memory adapters keep the contract of runs.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use devskyy_testkit::{
    contracts::runs::{Passage, RunsUnderTest},
    fakes::{FixedClock, InMemoryAgents, InMemoryEventStore, InMemoryProjects, InMemoryRuns, ViewedAgents},
    runs_contract,
};

pub(crate) struct Moves(pub(crate) Arc<FixedClock>);

#[async_trait]
impl Passage for Moves {
    async fn pass(&self, time: Duration) {
        self.0.advance(time);
    }
}

pub(crate) fn fresh() -> RunsUnderTest {
    over(InMemoryProjects::following)
}

/// Runs that never learn what happens to their projects.
pub(crate) fn heedless() -> RunsUnderTest {
    over(|_| Arc::default())
}

fn over(projects: impl FnOnce(&InMemoryEventStore) -> Arc<InMemoryProjects>) -> RunsUnderTest {
    let clock = Arc::new(FixedClock::default());
    let store = Arc::new(InMemoryEventStore::with_clock(clock.clone()));
    let projects = projects(&store);
    let agents = Arc::new(ViewedAgents(InMemoryAgents::following(&store, projects.clone())));
    let runs = InMemoryRuns::following(&store, projects, clock.clone());
    let time = Arc::new(Moves(clock.clone()));
    RunsUnderTest { store, views: runs.clone(), queue: runs, agents, clock, time, keep: Box::new(()) }
}

async fn in_memory() -> RunsUnderTest {
    fresh()
}

runs_contract!(in_memory);
