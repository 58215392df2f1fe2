//! Wiring of runs: their use cases, and the background work that executes them.

use std::{sync::Arc, time::Duration};

use chrono::TimeDelta;
use devskyy_application::{
    agents::AgentViews,
    budgets::{Budgets, BudgetsPorts, Ledger},
    error::PortError,
    es::{Reaction, Reader, SettingAside, Subscription},
    models::RoutedModels,
    ports::Clock,
    runs::{
        ArchivedRuns, ChildRuns, LiveRelay, LiveRuns, ResultStore, RunWorker, RunnableAgents, Runs, RunsPorts,
        WorkerPorts, WorkerSettings,
    },
};
use devskyy_infrastructure::{
    es::{SqlCheckpoints, SqlSetAside},
    runs::{AgentsForRuns, PostgresLiveWire, SqlResults, SqlRunQueue, SqlRuns, SqlUsage},
    tools::Tools,
};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::Ground;
use crate::{configuration::Settings, failure::Failure, tasks::Tasks};

/// The subscriptions that servers run.
pub(crate) const READERS: [Reader; 2] = [ChildRuns::READER, ArchivedRuns::READER];
/// Pause between two sweeps of results.
const PAUSE: Duration = Duration::from_secs(3_600);
/// Age after which no event can refer to an unreferenced result any more; the append takes seconds.
const ORPHANED: TimeDelta = TimeDelta::days(1);

/// Interval of looking for events that were set aside and are due.
const LOOK: Duration = Duration::from_secs(60);

/// The background work for runs.
pub(super) struct Workers {
    worker: RunWorker,
    subscription: Subscription,
    children: Arc<SettingAside>,
    archived: Arc<SettingAside>,
    /// Sends live deltas to other processes; there are none on SQLite.
    relay: Option<Arc<LiveRelay>>,
    results: Arc<dyn ResultStore>,
    clock: Arc<dyn Clock>,
}

pub(super) fn runs(
    settings: &Settings,
    ground: &Ground,
    agents: Arc<dyn AgentViews>,
    models: Arc<RoutedModels>,
    tools: Arc<Tools>,
) -> Result<(Runs, Budgets, Workers), Failure> {
    let Ground { database, log, clock, ids, schemas, access, .. } = ground.clone();
    let live = Arc::new(LiveRuns::default());
    let agents: Arc<dyn RunnableAgents> = Arc::new(AgentsForRuns::new(agents, log.clone()));
    let ledger = Arc::new(Ledger::new(ground.audited(), clock.clone()));
    let worker = worker(ground, agents.clone(), ledger.clone(), live.clone(), models, tools);
    let owner = ids.next();
    // On SQLite all events come from this process, which gets a signal for each: there is no need to poll.
    let alone = database.of_one_process();
    let checkpoints = Arc::new(SqlCheckpoints::new(database.clone()));
    let subscription = Subscription::new(log.clone(), checkpoints, clock.clone(), owner);
    let relay = PostgresLiveWire::of(database.clone())
        .map(|wire| Arc::new(LiveRelay::new(live.clone(), Arc::new(wire), clock.clone())));
    let results: Arc<dyn ResultStore> = Arc::new(SqlResults::new(database.clone()));
    let (views, usage) = (Arc::new(SqlRuns::new(database.clone())), Arc::new(SqlUsage::new(database)));
    let workers = Workers {
        worker: RunWorker::new(worker, habits(settings, owner, alone)),
        subscription: if alone { subscription.uncontested() } else { subscription },
        children: lenient(ground, Arc::new(ChildRuns::new(log.clone(), ledger.clone(), access.clone(), clock.clone()))),
        archived: lenient(ground, Arc::new(ArchivedRuns::new(log, views.clone(), clock.clone()))),
        relay,
        results: results.clone(),
        clock: clock.clone(),
    };
    let ports = BudgetsPorts { ledger, agents: agents.clone(), access: access.clone(), clock: clock.clone() };
    let store = ground.audited();
    let runs = Runs::new(RunsPorts { store, views, usage, results, agents, schemas, live, access, clock, ids });
    Ok((runs, Budgets::new(ports), workers))
}

/// A run that cannot be read must not block the others: its events are set aside.
fn lenient(ground: &Ground, reaction: Arc<dyn Reaction>) -> Arc<SettingAside> {
    let aside = Arc::new(SqlSetAside::new(ground.database.clone()));
    Arc::new(SettingAside::new(reaction, aside, ground.log.clone()))
}

fn worker(
    ground: &Ground,
    agents: Arc<dyn RunnableAgents>,
    ledger: Arc<Ledger>,
    live: Arc<LiveRuns>,
    models: Arc<RoutedModels>,
    tools: Arc<Tools>,
) -> WorkerPorts {
    let Ground { database, log, clock, ids, expressions, schemas, .. } = ground.clone();
    WorkerPorts {
        store: log,
        queue: Arc::new(SqlRunQueue::new(database.clone())),
        results: Arc::new(SqlResults::new(database)),
        agents,
        expressions,
        schemas,
        tools,
        models: models.clone(),
        prices: models,
        ledger,
        live,
        clock,
        ids,
    }
}

fn habits(settings: &Settings, owner: Uuid, alone: bool) -> WorkerSettings {
    let usual = WorkerSettings::named(format!("worker-{owner}"));
    let slots = settings.runs.concurrency;
    WorkerSettings {
        slots,
        own_share: own_share(slots, settings.runs.project_share),
        per_project: settings.runs.project_concurrency,
        lease: settings.runs.lease,
        grace: settings.runs.drain_timeout,
        idle: usual.idle.filter(|_| !alone),
        ..usual
    }
}

/// Maximum slots for runs of one project: a share in percent, rounded up; `None` if that is all of them.
fn own_share(slots: usize, percent: usize) -> Option<usize> {
    Some((slots * percent).div_ceil(100)).filter(|share| *share < slots)
}

impl Workers {
    /// Starts executing runs.
    pub(super) fn carry_out(&self, tasks: &Tasks) {
        let worker = self.worker.clone();
        tasks.keep("run worker", move |stop| {
            let worker = worker.clone();
            async move {
                worker.work(stop.cancelled_owned()).await;
                Ok(())
            }
        });
    }

    /// Starts the reactions of runs to each other, and the relay of live deltas.
    pub(super) fn start(&self, tasks: &Tasks) {
        if let Some(relay) = self.relay.clone() {
            tasks.keep("live relay", move |stop| {
                let relay = relay.clone();
                async move {
                    relay.work(stop.cancelled_owned()).await;
                    Ok(())
                }
            });
        }
        self.follow(tasks, "child runs", "child runs set aside", &self.children);
        self.follow(tasks, "runs of archived projects", "archived projects set aside", &self.archived);
        let (results, clock) = (self.results.clone(), self.clock.clone());
        tasks.every("results", PAUSE, move || {
            let (results, before) = (results.clone(), clock.now() - ORPHANED);
            async move {
                let swept = results.sweep(before).await?;
                tracing::debug!(swept, "swept results no event refers to");
                Ok::<_, PortError>(())
            }
        });
    }

    /// Starts a reaction, and the retries of events it has set aside.
    fn follow(&self, tasks: &Tasks, hearing: &'static str, trying: &'static str, reaction: &Arc<SettingAside>) {
        let (subscription, heard) = (self.subscription.clone(), reaction.clone());
        tasks.keep(hearing, move |stop: CancellationToken| {
            let (subscription, heard) = (subscription.clone(), heard.clone());
            async move { Ok(subscription.run(heard.as_ref(), stop.cancelled_owned()).await?) }
        });
        let reaction = reaction.clone();
        tasks.every(trying, LOOK, move || {
            let reaction = reaction.clone();
            async move { reaction.try_again().await }
        });
    }
}

#[cfg(test)]
mod tests {
    use super::own_share;

    #[test]
    fn a_project_takes_its_share_rounded_up_and_is_held_to_none_where_that_is_all_there_is() {
        let shares = [(8, 75), (3, 50), (3, 75), (1, 75), (4, 100)].map(|(slots, percent)| own_share(slots, percent));
        assert_eq!(shares, [Some(6), Some(2), None, None, None]);
    }
}
