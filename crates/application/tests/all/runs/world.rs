//! A platform in memory whose time passes only while a task is polled, driven one poll at a time.

use std::{
    pin::pin,
    sync::{Arc, Mutex},
    task::{Context, Waker},
    time::Duration,
};

use devskyy_application::{
    access::Access,
    budgets::{Budgets, BudgetsPorts, Ledger},
    context::Actor,
    error::Error,
    es::{EventFilter, EventStore, Position, Reaction, RecordedEvent, SettingAside},
    runs::{
        ArchivedRuns, CancelRun, ChildRuns, DecideApproval, GetRun, LiveRuns, RunStatus, RunView, RunWorker, Runs,
        RunsPorts, StartRun, WorkerPorts, WorkerSettings,
    },
};
use devskyy_domain::{
    assistant::Assistant,
    definition::Definition,
    kernel::{
        Json,
        ids::{AgentId, ApprovalId, OperationId, ProjectId, RunId},
    },
    runs::{Choice, Priority},
    workflow::Workflow,
};
use devskyy_testkit::fakes::{
    DeclaredAgents, FixedClock, InMemoryEventStore, InMemoryProjects, InMemoryResults, InMemoryRuns, InMemorySetAside,
    PathExpressions, PlainSchemas, ScriptedModels, ScriptedTools, SequentialIds,
};
use futures_util::FutureExt;
use uuid::Uuid;

use super::{
    fakes::{InterruptibleResults, InterruptibleStore, TornStore},
    waiting::CountedStore,
};

/// Time that passes with every poll.
const TICK: Duration = Duration::from_millis(250);
/// More polls than any run of these tests needs.
pub(crate) const ENOUGH: usize = 20_000;

pub(crate) struct World {
    pub(crate) clock: Arc<FixedClock>,
    pub(crate) store: Arc<InMemoryEventStore>,
    /// The same log, as the facade of runs reads it.
    pub(crate) counted: Arc<CountedStore>,
    pub(crate) results: Arc<InMemoryResults>,
    pub(crate) agents: Arc<DeclaredAgents>,
    pub(crate) tools: Arc<ScriptedTools>,
    pub(crate) models: Arc<ScriptedModels>,
    pub(crate) live: Arc<LiveRuns>,
    pub(crate) runs: Runs,
    pub(crate) views: Arc<InMemoryRuns>,
    pub(crate) budgets: Budgets,
    ports: WorkerPorts,
    /// The reaction that connects runs with each other, and the log it reads.
    pub(crate) children: Arc<SettingAside>,
    pub(crate) torn: Arc<TornStore>,
    pub(crate) aside: Arc<InMemorySetAside>,
    reactions: [Arc<dyn Reaction>; 2],
    reacted: Mutex<Position>,
    workers: Mutex<u32>,
    seen: Mutex<Option<(RunId, Position, RunView)>>,
}

pub(crate) fn json(text: &str) -> Json {
    serde_json::from_str(text).unwrap()
}

/// An assistant if a model is named, else a workflow.
pub(crate) fn definition(text: &str) -> Definition {
    match json(text).get("model") {
        Some(_) => serde_json::from_str::<Assistant>(text).unwrap().into(),
        None => serde_json::from_str::<Workflow>(text).unwrap().into(),
    }
}

pub(crate) const PROJECT: u128 = 7;

impl World {
    pub(crate) fn new() -> Self {
        Self::with(ScriptedModels::taking([]))
    }

    /// A platform with this model.
    pub(crate) fn with(models: ScriptedModels) -> Self {
        let (models, live) = (Arc::new(models), Arc::new(LiveRuns::default()));
        let clock = Arc::new(FixedClock::default());
        let store = Arc::new(InMemoryEventStore::with_clock(clock.clone()));
        let projects = InMemoryProjects::following(&store);
        let views = InMemoryRuns::following(&store, projects.clone(), clock.clone());
        let results = InMemoryResults::following(&store);
        let agents = Arc::new(DeclaredAgents::default());
        let tools = Arc::new(ScriptedTools::default());
        let ids = Arc::new(SequentialIds::default());
        let counted = Arc::new(CountedStore::new(store.clone()));
        let access = Access::new(projects);
        let runs = Runs::new(RunsPorts {
            store: counted.clone(),
            views: views.clone(),
            usage: views.clone(),
            results: results.clone(),
            agents: agents.clone(),
            schemas: Arc::new(PlainSchemas),
            live: live.clone(),
            access: access.clone(),
            clock: clock.clone(),
            ids: ids.clone(),
        });
        let log = Arc::new(InterruptibleStore(store.clone()));
        let ledger = Arc::new(Ledger::new(store.clone(), clock.clone()));
        let budgets = Budgets::new(BudgetsPorts {
            ledger: ledger.clone(),
            agents: agents.clone(),
            access: access.clone(),
            clock: clock.clone(),
        });
        let ports = WorkerPorts {
            store: log.clone(),
            queue: views.clone(),
            results: Arc::new(InterruptibleResults(results.clone())),
            agents: agents.clone(),
            expressions: Arc::new(PathExpressions),
            schemas: Arc::new(PlainSchemas),
            tools: tools.clone(),
            models: models.clone(),
            prices: models.clone(),
            ledger: Arc::new(Ledger::new(log, clock.clone())),
            live: live.clone(),
            clock: clock.clone(),
            ids,
        };
        let torn = Arc::new(TornStore::over(store.clone()));
        let aside = Arc::new(InMemorySetAside::with_clock(clock.clone()));
        let children = Arc::new(ChildRuns::new(torn.clone(), ledger, access, clock.clone()));
        let children = Arc::new(SettingAside::new(children, aside.clone(), store.clone()));
        let archived = Arc::new(ArchivedRuns::new(store.clone(), views.clone(), clock.clone()));
        let reactions: [Arc<dyn Reaction>; 2] = [children.clone(), archived];
        let (reacted, workers, seen) = (Mutex::new(0), Mutex::new(0), Mutex::new(None));
        Self {
            clock,
            store,
            counted,
            results,
            agents,
            tools,
            models,
            live,
            runs,
            views,
            budgets,
            ports,
            children,
            torn,
            aside,
            reactions,
            reacted,
            workers,
            seen,
        }
    }

    pub(crate) fn agent(&self, n: u128, text: &str) -> AgentId {
        let id = AgentId::from(Uuid::from_u128(n));
        self.agents.declare(id, ProjectId::from(Uuid::from_u128(PROJECT)), definition(text));
        id
    }

    pub(crate) fn actor() -> Actor {
        Actor::system("test", Uuid::from_u128(1))
    }

    /// Awaits something that completes at once in memory.
    pub(crate) fn ask<T>(&self, question: impl Future<Output = T>) -> T {
        question.now_or_never().expect("adapters in memory answer at once")
    }

    pub(crate) fn try_start(&self, agent: AgentId, input: &str) -> Result<RunId, Error> {
        let (priority, input) = (Priority::Normal, json(input));
        let command = StartRun { agent, input, priority, deadline: None, wait: None, idempotency: None };
        self.ask(self.runs.start.handle(&Self::actor(), command)).map(|started| started.run.summary.id)
    }

    pub(crate) fn start(&self, text: &str, input: &str) -> RunId {
        let agent = self.agent(1, text);
        self.try_start(agent, input).unwrap()
    }

    /// The current view of the run; read again only if the log has moved.
    pub(crate) fn view(&self, run: RunId) -> RunView {
        let head = self.ask(self.store.head()).unwrap();
        let mut seen = self.seen.lock().unwrap();
        match &*seen {
            Some((of, at, view)) if *of == run && *at == head => view.clone(),
            _ => {
                let view =
                    self.ask(self.runs.get.handle(&Self::actor(), GetRun { run, moment: None, steps: true })).unwrap();
                *seen = Some((run, head, view.clone()));
                view
            }
        }
    }

    pub(crate) fn status(&self, run: RunId) -> RunStatus {
        self.view(run).summary.status
    }

    /// Whether the newest event is the successful end of a run; cheaper than reading the run.
    pub(crate) fn has_completed(&self) -> bool {
        let head = self.ask(self.store.head()).unwrap();
        let last = self.ask(self.store.read_all(head - 1, 1, &EventFilter::default())).unwrap();
        last.events.iter().any(|event| event.event_type.as_ref() == "run.completed")
    }

    /// All recorded events, in order.
    pub(crate) fn recorded(&self) -> Vec<RecordedEvent> {
        let (mut all, mut after) = (Vec::new(), 0);
        loop {
            let page = self.ask(self.store.read_all(after, 500, &EventFilter::default())).unwrap();
            all.extend(page.events);
            if page.scanned_to == after {
                return all;
            }
            after = page.scanned_to;
        }
    }

    pub(crate) fn cancel(&self, run: RunId) -> Result<RunView, Error> {
        self.ask(self.runs.cancel.handle(&Self::actor(), CancelRun { run, reason: None, expected: None }))
    }

    pub(crate) fn open_approval(&self, run: RunId) -> Option<ApprovalId> {
        let view = self.view(run);
        let all = view.steps.iter().flat_map(|step| {
            std::iter::once(&step.execution).chain(step.elements.iter().flatten()).collect::<Vec<_>>()
        });
        let mut open = all.filter_map(|execution| execution.approval.as_ref());
        open.find(|approval| approval.status.as_str() == "open").map(|approval| approval.id)
    }

    pub(crate) fn decide(&self, run: RunId, decision: Choice) -> Result<RunView, Error> {
        let approval = self.open_approval(run).expect("a question is open");
        let command = DecideApproval { run, approval, decision, arguments: None, reason: None, expected: None };
        self.ask(self.runs.decide_approval.handle(&Self::actor(), command))
    }

    pub(crate) fn doubtful(&self, run: RunId) -> Option<OperationId> {
        let view = self.view(run);
        let all = view
            .steps
            .into_iter()
            .flat_map(|step| std::iter::once(step.execution).chain(step.elements.into_iter().flatten()));
        let mut doubtful = all.filter(|execution| execution.status.as_str() == "in_doubt");
        doubtful.find_map(|execution| execution.operation_id)
    }

    /// Lets the reactions process new events.
    pub(crate) fn react(&self) {
        let mut reacted = self.reacted.lock().unwrap();
        while *reacted < self.ask(self.store.head()).unwrap() {
            let page = self.ask(self.store.read_all(*reacted, 100, &EventFilter::default())).unwrap();
            *reacted = page.scanned_to;
            for event in &page.events {
                let hears = |one: &&Arc<dyn Reaction>| one.reader().categories.contains(&event.category.as_ref());
                for reaction in self.reactions.iter().filter(hears) {
                    self.ask(reaction.handle(event)).unwrap();
                }
            }
        }
    }

    pub(crate) fn worker(&self) -> RunWorker {
        self.worker_with(|ports| ports)
    }

    /// A worker with one port replaced.
    pub(crate) fn worker_with(&self, change: impl FnOnce(WorkerPorts) -> WorkerPorts) -> RunWorker {
        let mut workers = self.workers.lock().unwrap();
        *workers += 1;
        // A process of its own, which has cached nothing about budgets.
        let ledger = Arc::new(Ledger::new(self.ports.store.clone(), self.clock.clone()));
        let ports = WorkerPorts { ledger, ..self.ports.clone() };
        RunWorker::new(change(ports), WorkerSettings::named(format!("worker-{workers}")))
    }

    /// A new worker works for at most so many polls, then vanishes; returns whether the condition was met before.
    pub(crate) fn work_for(&self, polls: usize, done: impl Fn(&Self) -> bool) -> bool {
        self.drive(&self.worker(), polls, done)
    }

    /// A worker works for at most so many polls, then vanishes; returns whether the condition was met before.
    pub(crate) fn drive(&self, worker: &RunWorker, polls: usize, done: impl Fn(&Self) -> bool) -> bool {
        let mut work = pin!(worker.work(std::future::pending()));
        for _ in 0..polls {
            let mut context = Context::from_waker(Waker::noop());
            assert!(work.as_mut().poll(&mut context).is_pending(), "a worker works until it is stopped");
            self.react();
            if done(self) {
                return true;
            }
            self.clock.advance(TICK);
        }
        false
    }

    /// A new worker works until the condition is met.
    pub(crate) fn work_until(&self, done: impl Fn(&Self) -> bool) {
        assert!(self.work_for(ENOUGH, done), "the condition is never met");
    }

    pub(crate) fn work_to_end(&self, run: RunId) -> RunView {
        self.work_until(|world| world.status(run).ended());
        self.view(run)
    }

    /// How often an event of that type was recorded.
    pub(crate) fn times(&self, event_type: &str) -> usize {
        self.recorded().iter().filter(|event| event.event_type.as_ref() == event_type).count()
    }

    pub(crate) fn work_until_waiting(&self, run: RunId) {
        self.work_until(|world| world.status(run) == RunStatus::Waiting);
    }
}
