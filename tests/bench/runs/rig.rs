//! A platform in this process, wired like a server: SQLite with durable commits, one worker, a tool and a model that
//! respond at once.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use chrono::{TimeDelta, Utc};
use devskyy_application::{
    budgets::Ledger,
    es::{EventContext, EventStore, Repository},
    runs::{LiveRuns, RunWorker, WorkerPorts, WorkerSettings},
};
use devskyy_domain::{
    agents::{Agent, AgentName, AgentType, Capabilities, Description, NewAgent},
    assistant::Assistant,
    budgets::{Budget, BudgetOwner, Period, Terms},
    definition::Definition,
    kernel::{
        Json,
        ids::{AgentId, ProjectId, RunId},
    },
    runs::{Allowance, Order, Phase, Priority, Run},
    workflow::Workflow,
};
use devskyy_infrastructure::{
    agents::{AgentsProjection, SqlAgents},
    es::{PerStream, SqlEventStore},
    models::ProvidersProjection,
    runs::{AgentsForRuns, RunsProjection, SqlResults, SqlRunQueue},
    sql::Database,
    system::{RandomIds, SystemClock},
    tools::{EgressPolicy, Tools},
    workflow::{JsonSchemas, Limits, SandboxedExpressions},
};
use devskyy_testkit::fakes::FixedSecrets;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::task::JoinHandle;
use uuid::Uuid;

use crate::{fakes::Instantly, noted::Noted, provider::house};

pub(crate) struct Rig {
    pub(crate) tool: Instantly,
    pub(crate) model: Instantly,
    pub(crate) noted: Arc<Noted>,
    store: Arc<dyn EventStore>,
    http: reqwest::Client,
    worker: JoinHandle<()>,
    asked: AtomicU64,
    _directory: TempDir,
}

/// The project of everything that is measured.
pub(crate) fn project() -> ProjectId {
    ProjectId::from(Uuid::from_u128(7))
}

/// The context of a user's request about this stream.
pub(crate) fn context(id: Uuid) -> EventContext {
    EventContext {
        actor: "user:bench".to_owned(),
        project: Some(project()),
        correlation_id: id,
        causation_id: id,
        source: None,
        traceparent: None,
    }
}

impl Drop for Rig {
    fn drop(&mut self) {
        self.worker.abort();
    }
}

impl Rig {
    pub(crate) async fn start() -> Self {
        Self::start_with_turns(0).await
    }

    /// The same with a model that requests a tool so many times.
    pub(crate) async fn start_with_turns(turns: usize) -> Self {
        let directory = tempfile::tempdir_in(".").unwrap();
        let db = Database::connect(&format!("sqlite://{}/runs.db", directory.path().display()), 8).await.unwrap();
        db.migrate().await.unwrap();
        let clock = Arc::new(SystemClock);
        let projections = vec![
            Arc::new(PerStream(AgentsProjection)) as _,
            Arc::new(PerStream(ProvidersProjection)) as _,
            Arc::new(PerStream(RunsProjection)) as _,
        ];
        let store: Arc<dyn EventStore> =
            Arc::new(SqlEventStore::start_shared(db.clone(), clock.clone(), projections).await.unwrap());
        let (tool, model) = (Instantly::tool().await, Instantly::model(turns).await);
        let routed = house(db.clone(), store.clone(), &model.address).await;
        let noted = Arc::new(Noted::over(store.clone(), routed.clone()));
        let schemas = Arc::new(JsonSchemas::start().unwrap());
        let expressions = Arc::new(SandboxedExpressions::start(Limits::default()).unwrap());
        let policy = EgressPolicy::parse(true, std::slice::from_ref(&tool.address)).unwrap();
        let secrets = Arc::new(FixedSecrets::default());
        let tools = Tools::new(expressions.clone(), schemas.clone(), clock.clone(), secrets, policy).unwrap();
        let ports = WorkerPorts {
            store: noted.clone(),
            queue: Arc::new(SqlRunQueue::new(db.clone())),
            results: Arc::new(SqlResults::new(db.clone())),
            agents: Arc::new(AgentsForRuns::new(Arc::new(SqlAgents::new(db)), store.clone())),
            expressions,
            schemas,
            tools: Arc::new(tools),
            models: noted.clone(),
            prices: routed,
            ledger: Arc::new(Ledger::new(noted.clone(), clock.clone())),
            live: Arc::new(LiveRuns::default()),
            clock,
            ids: Arc::new(RandomIds),
        };
        let settings = WorkerSettings { slots: 64, idle: None, ..WorkerSettings::named("bench") };
        let worker = RunWorker::new(ports, settings);
        let worker = tokio::spawn(async move { worker.work(std::future::pending()).await });
        let http = reqwest::Client::builder().no_proxy().build().unwrap();
        Self { tool, model, noted, store, http, worker, asked: AtomicU64::new(0), _directory: directory }
    }

    /// An assistant if a model is named, else a workflow.
    pub(crate) async fn agent(&self, definition: &Value) -> AgentId {
        let id = AgentId::from(Uuid::now_v7());
        let (kind, definition): (_, Definition) = if definition.get("model").is_some() {
            (AgentType::Assistant, serde_json::from_value::<Assistant>(definition.clone()).unwrap().into())
        } else {
            (AgentType::Workflow, serde_json::from_value::<Workflow>(definition.clone()).unwrap().into())
        };
        let new = NewAgent {
            project: project(),
            name: AgentName::parse(&format!("Agent {id}")).unwrap(),
            kind,
            capabilities: Capabilities::default(),
            description: Description::default(),
        };
        let create = |fresh: &Agent| fresh.create(&new, Some(&definition));
        Repository::<Agent>::new(self.store.clone()).update(context(id.into()), id, None, create).await.unwrap();
        id
    }

    /// Sets a budget of the project that allows every call, so that each is reserved and settled in it.
    pub(crate) async fn limit(&self) {
        let owner = BudgetOwner::Project { project: project() };
        let terms = Terms::parse(Some(*Terms::LIMIT.end()), None, Period::Total).unwrap();
        let set = |fresh: &Budget| fresh.set(owner, terms, Utc::now());
        let budgets = Repository::<Budget>::new(self.store.clone());
        budgets.update(context(project().into()), owner.budget(), None, set).await.unwrap();
    }

    /// Starts a run with a unique input.
    pub(crate) async fn queue(&self, agent: AgentId) -> RunId {
        let (run, now) = (RunId::from(Uuid::now_v7()), Utc::now());
        let order = Order {
            agent,
            agent_version: 1,
            project: project(),
            parent: None,
            depth: 0,
            callers: vec![],
            allowance: Allowance::default(),
            input: Json::from(format!("number {}", self.asked.fetch_add(1, Ordering::Relaxed))),
            priority: Priority::Normal,
            deadline: now + TimeDelta::hours(1),
        };
        let runs = Repository::<Run>::new(self.store.clone());
        runs.update(context(run.into()), run, None, |fresh: &Run| fresh.queue(&order, now)).await.unwrap();
        run
    }

    async fn until(&self, runs: &[RunId], done: impl Fn(&Run) -> bool) {
        let repository = Repository::<Run>::new(self.store.clone());
        for run in runs {
            loop {
                let state = repository.load(*run).await.unwrap().state;
                assert!(!matches!(state.phase(), Phase::Failed(_)), "{:?}", state.phase());
                if done(&state) {
                    break;
                }
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        }
    }

    pub(crate) async fn finished(&self, runs: &[RunId]) {
        self.until(runs, Run::ended).await;
    }

    /// Waits until these runs make no further progress by themselves.
    pub(crate) async fn at_rest(&self, runs: &[RunId]) {
        self.until(runs, |run| run.ended() || run.waits_for_a_person()).await;
    }

    pub(crate) async fn bare_tool(&self) {
        let url = format!("http://{}/act", self.tool.address);
        self.http.post(url).json(&json!({"n": 1})).send().await.unwrap().bytes().await.unwrap();
    }

    /// How long the same request takes alone.
    pub(crate) async fn bare_model(&self, question: &Value) -> Duration {
        let url = format!("http://{}/v1/chat/completions", self.model.address);
        let asked = Instant::now();
        self.http.post(url).json(question).send().await.unwrap().bytes().await.unwrap();
        asked.elapsed()
    }
}
