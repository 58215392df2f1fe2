//! A platform whose processes come and go.
#![expect(clippy::disallowed_methods, reason = "these tests live in real time")]

use std::{sync::Arc, time::Duration};

use chrono::{TimeDelta, Utc};
use devskyy_application::{
    access::Access,
    budgets,
    error::Error,
    es::{EventContext, EventStore, Repository, Subscription},
    models::{ModelPrices, Models},
    runs::{ChildRuns, LiveRuns, ResultStore, RunWorker, WorkerPorts, WorkerSettings},
    workflow::ToolExecutor,
};
use devskyy_domain::{
    assistant::Assistant,
    definition::Definition,
    kernel::{
        Json,
        ids::{AgentId, ProjectId, RunId},
    },
    runs::{Allowance, Order, Priority, Run, Unit, Verdict},
    workflow::Workflow,
};
use devskyy_infrastructure::{
    es::{PerStream, Projection, SqlCheckpoints, SqlEventStore, verify},
    models::ProvidersProjection,
    projects::SqlProjects,
    runs::{ResultLaw, RunLaw, RunsProjection, SqlResults, SqlRunQueue},
    system::{RandomIds, SystemClock},
    tools::{EgressPolicy, Tools},
    workflow::{JsonSchemas, Limits, SandboxedExpressions},
};
use devskyy_testkit::fakes::{DeclaredAgents, FixedSecrets, McpAct, McpServer, ScriptedModels};
use serde_json::Value;
use tokio::task::JoinHandle;
use uuid::Uuid;

use super::ledger::Ledger;
use crate::databases::Fresh;

/// How long a dead process keeps its runs; long enough for a living one on a busy machine.
const LEASE: Duration = Duration::from_millis(1_500);

/// A process's connections to the outside.
#[derive(Clone)]
pub(crate) struct Outside {
    pub(crate) store: Arc<dyn EventStore>,
    pub(crate) tools: Arc<dyn ToolExecutor>,
    pub(crate) models: Arc<dyn Models>,
    pub(crate) results: Arc<dyn ResultStore>,
}

/// What outlives processes.
pub(crate) struct Rig {
    pub(crate) fresh: Fresh,
    /// A service that receives requests.
    pub(crate) ledger: Ledger,
    /// An MCP server.
    pub(crate) finder: McpServer,
    pub(crate) outside: Outside,
    /// Prices of models, for budgets.
    pub(crate) prices: Arc<dyn ModelPrices>,
    expressions: Arc<SandboxedExpressions>,
    agents: Arc<DeclaredAgents>,
}

/// A process that executes runs; dropping it ends it as a power failure would.
pub(crate) struct Process(JoinHandle<()>);

impl Drop for Process {
    fn drop(&mut self) {
        self.0.abort();
    }
}

pub(crate) fn projections() -> Vec<Arc<dyn Projection>> {
    vec![Arc::new(PerStream(RunsProjection)), Arc::new(PerStream(ProvidersProjection))]
}

pub(crate) fn project() -> ProjectId {
    ProjectId::from(Uuid::from_u128(7))
}

/// Retries while the database is too busy; another failure, or too many, fails the test.
async fn patiently<T>(mut ask: impl AsyncFnMut() -> Result<T, Error>) -> T {
    for _ in 0..20 {
        match ask().await {
            Ok(done) => return done,
            Err(Error::Port(error)) if error.retryable => tokio::time::sleep(Duration::from_millis(250)).await,
            Err(error) => panic!("{error:?}"),
        }
    }
    panic!("the database never has time")
}

impl Rig {
    pub(crate) async fn over(fresh: Fresh, models: Arc<dyn Models>) -> Self {
        let (ledger, finder) = (Ledger::start().await, McpServer::start(McpAct::Answer).await.unwrap());
        let clock = Arc::new(SystemClock);
        let store = SqlEventStore::start(fresh.db.clone(), clock.clone(), projections()).await.unwrap();
        let expressions = Arc::new(SandboxedExpressions::start(Limits::default()).unwrap());
        let policy = EgressPolicy::parse(true, &[&ledger.address, &finder.address].map(Clone::clone)).unwrap();
        let (schemas, secrets) = (Arc::new(JsonSchemas::start().unwrap()), Arc::new(FixedSecrets::default()));
        let tools = Tools::new(expressions.clone(), schemas, clock, secrets, policy).unwrap();
        let results = Arc::new(SqlResults::new(fresh.db.clone()));
        let outside = Outside { store: Arc::new(store), tools: Arc::new(tools), models, results };
        let prices = Arc::new(ScriptedModels::taking([]));
        Self { fresh, ledger, finder, outside, prices, expressions, agents: Arc::default() }
    }

    /// Defines an agent: an assistant if a model is named, else a workflow.
    pub(crate) fn agent(&self, n: u128, definition: &Value) -> AgentId {
        let id = AgentId::from(Uuid::from_u128(n));
        let definition: Definition = if definition.get("model").is_some() {
            serde_json::from_value::<Assistant>(definition.clone()).unwrap().into()
        } else {
            serde_json::from_value::<Workflow>(definition.clone()).unwrap().into()
        };
        self.agents.declare(id, project(), definition);
        id
    }

    fn runs(&self) -> Repository<Run> {
        Repository::new(self.outside.store.clone())
    }

    pub(crate) fn context() -> EventContext {
        EventContext {
            actor: "user:ada".to_owned(),
            project: Some(project()),
            correlation_id: Uuid::from_u128(1),
            causation_id: Uuid::from_u128(1),
            source: None,
            traceparent: None,
        }
    }

    pub(crate) async fn start(&self, agent: AgentId) -> RunId {
        let now = Utc::now();
        let order = Order {
            agent,
            agent_version: 1,
            project: project(),
            parent: None,
            depth: 0,
            callers: vec![],
            allowance: Allowance::default(),
            input: Json::from("do it"),
            priority: Priority::Normal,
            deadline: now + TimeDelta::hours(1),
        };
        let run = RunId::from(Uuid::now_v7());
        let queue = |fresh: &Run| fresh.queue(&order, now);
        patiently(async || self.runs().update(Self::context(), run, None, queue).await).await;
        run
    }

    /// Starts a process; `owner` distinguishes processes that run at the same time.
    pub(crate) fn process(&self, outside: &Outside, owner: u128) -> Process {
        self.process_with(outside, owner, |usual| WorkerSettings { lease: LEASE, ..usual })
    }

    /// Starts a process with changed settings.
    pub(crate) fn process_with(
        &self,
        outside: &Outside,
        owner: u128,
        habits: impl FnOnce(WorkerSettings) -> WorkerSettings,
    ) -> Process {
        let clock = Arc::new(SystemClock);
        let kept = Arc::new(budgets::Ledger::new(outside.store.clone(), clock.clone()));
        let worker = WorkerPorts {
            store: outside.store.clone(),
            queue: Arc::new(SqlRunQueue::new(self.fresh.db.clone())),
            results: outside.results.clone(),
            agents: self.agents.clone(),
            expressions: self.expressions.clone(),
            schemas: Arc::new(JsonSchemas::start().expect("threads")),
            tools: outside.tools.clone(),
            models: outside.models.clone(),
            prices: self.prices.clone(),
            ledger: kept.clone(),
            live: Arc::new(LiveRuns::default()),
            clock: clock.clone(),
            ids: Arc::new(RandomIds),
        };
        let usual = WorkerSettings::named(Uuid::now_v7().to_string());
        let idle = usual.idle.filter(|_| !self.fresh.db.of_one_process());
        let worker = RunWorker::new(worker, habits(WorkerSettings { idle, ..usual }));
        let checkpoints = Arc::new(SqlCheckpoints::new(self.fresh.db.clone()));
        let access = Access::new(Arc::new(SqlProjects::new(self.fresh.db.clone())));
        let children = ChildRuns::new(outside.store.clone(), kept, access, clock.clone());
        let reactions = Subscription::new(outside.store.clone(), checkpoints, clock, Uuid::from_u128(owner));
        let reactions = if self.fresh.db.of_one_process() { reactions.uncontested() } else { reactions };
        Process(tokio::spawn(async move {
            let told = reactions.run(&children, std::future::pending());
            let ((), told) = tokio::join!(worker.work(std::future::pending()), told);
            told.unwrap();
        }))
    }

    pub(crate) async fn run(&self, run: RunId) -> Run {
        patiently(async || Ok(self.runs().load(run).await?)).await.state
    }

    /// Plays the people who settle calls in doubt, in the run and its children, by what the other side recorded.
    pub(crate) async fn settle(&self, run: RunId) {
        let mut wanted = vec![run];
        while let Some(run) = wanted.pop() {
            let state = self.run(run).await;
            wanted.extend(state.open_children());
            for (_, _, unit) in state.units() {
                let Unit::InDoubt(call) = unit else { continue };
                let done = serde_json::from_str(r#"{"done":42,"structured_content":{"found":1}}"#).unwrap();
                let arrived = self.ledger.effects() > 0 || !self.finder.calls().is_empty();
                let verdict = if arrived { Verdict::Succeeded { result: Json::into(done) } } else { Verdict::Retry };
                let decide = |run: &Run| run.reconcile(call.operation, &verdict, "user:ada", Utc::now());
                match self.runs().update(Self::context(), run, None, decide).await {
                    Ok(_) | Err(Error::Contended) => {}
                    Err(error) => panic!("{error:?}"),
                }
            }
        }
    }

    /// Waits until the run has ended or the time is over.
    pub(crate) async fn wait(&self, run: RunId, time: Duration) -> Run {
        let until = tokio::time::Instant::now() + time;
        loop {
            let state = self.run(run).await;
            if state.ended() || tokio::time::Instant::now() > until {
                return state;
            }
            self.settle(run).await;
            tokio::time::sleep(Duration::from_millis(25)).await;
        }
    }

    /// What `verify` reports.
    pub(crate) async fn faults(&self) -> Vec<String> {
        let laws = vec![Box::new(RunLaw::default()) as _, Box::new(ResultLaw::default()) as _];
        let verdict = verify(&self.fresh.db, &projections(), laws, |_, _| ()).await.unwrap();
        verdict.faults.iter().map(ToString::to_string).collect()
    }
}

/// A tool over HTTP with this effect, at a path of the service.
pub(crate) fn tool(ledger: &Ledger, effect: &str, path: &str) -> Value {
    let url = format!("http://{}/{path}", ledger.address);
    let request = serde_json::json!({"method": "POST", "url": url, "send_arguments": true, "timeout_s": 10});
    serde_json::json!({
        "kind": "http", "effect": effect, "input_schema": {"type": "object"}, "request": request
    })
}

/// Tools by name.
pub(crate) fn tools(of: impl IntoIterator<Item = (&'static str, Value)>) -> Value {
    Value::Object(of.into_iter().map(|(name, tool)| (name.to_owned(), tool)).collect::<serde_json::Map<_, _>>())
}
