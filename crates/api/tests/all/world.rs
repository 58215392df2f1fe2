//! A platform in memory, and a client for it.

use std::{
    rc::Rc,
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use actix_web::{
    Error, HttpResponse,
    body::{BoxBody, to_bytes},
    dev::{Service as _, ServiceResponse},
    http::{Method, StatusCode, header::HeaderMap},
    test::{TestRequest, init_service},
};
use devskyy_api::{ApiState, InFlight, Limiter, Limits, Settings, app};
use devskyy_application::{
    access::Access,
    agents::{Agents, AgentsPorts},
    audit::{Audit, AuditedEventStore, SecurityLog},
    budgets::{Budgets, BudgetsPorts, Ledger},
    es::EventStore,
    identity::{ApiKeys, ApiKeysPorts, Identity, IdentityPorts, RegistrationMode, SessionPolicy, ThrottleLimits},
    projects::{Projects, ProjectsPorts},
    runs::{LiveRuns, RunWorker, Runs, RunsPorts, WorkerPorts, WorkerSettings},
    workflow::DefinitionCheck,
};
use devskyy_domain::{
    conversation::{Message, TokenCount},
    identity::PasswordPolicy,
};
use devskyy_testkit::fakes::{
    Fingerprint, FixedClock, InMemoryAccessTokens, InMemoryAccounts, InMemoryAddressees, InMemoryAgents,
    InMemoryApiKeys, InMemoryAttempts, InMemoryAudit, InMemoryBootstrap, InMemoryDirectory, InMemoryErasures,
    InMemoryEventStore, InMemoryInvitations, InMemoryPasswordHasher, InMemoryProjectInvitations, InMemoryProjects,
    InMemoryResults, InMemoryRuns, InMemorySessions, InMemoryUsers, NamedDestinations, ScriptedModels, ScriptedTools,
    SequentialIds, SequentialTokenMint, Turn, ViewedAgents,
};
use futures_util::{FutureExt as _, future::LocalBoxFuture};
use serde_json::{Value, json};
use tokio::{sync::OnceCell, task::JoinHandle};

use crate::{expressions::Plain, keepers::Kept, moods::Moody, naps::Naps, switch::Switch, tools::Echo};

/// The application, started once per world.
type Started = Box<dyn Fn(TestRequest) -> LocalBoxFuture<'static, Result<ServiceResponse<BoxBody>, Error>>>;

pub(crate) struct World {
    started: OnceCell<Started>,
    pub(crate) state: ApiState,
    pub(crate) store: Arc<InMemoryEventStore>,
    /// The data about users, keys, providers and secrets that is stored beside the log.
    private: Vec<Arc<dyn Fingerprint>>,
    pub(crate) results: Arc<InMemoryResults>,
    pub(crate) moody: Arc<Moody>,
    pub(crate) clock: Arc<FixedClock>,
    readiness: Arc<Switch>,
    worker: RunWorker,
}

impl World {
    pub(crate) fn new() -> Self {
        Self::taking_in(RegistrationMode::Open)
    }

    /// A platform with this mode of registration.
    pub(crate) fn taking_in(registration: RegistrationMode) -> Self {
        Self::with(registration, PasswordPolicy::Classic)
    }

    /// A platform with this mode of registration and this password policy.
    pub(crate) fn with(registration: RegistrationMode, password_policy: PasswordPolicy) -> Self {
        let clock = Arc::new(FixedClock::default());
        let store = Arc::new(InMemoryEventStore::with_clock(clock.clone()));
        let moody = Arc::new(Moody::over(store.clone()));
        let (ids, mint) = (Arc::new(SequentialIds::default()), Arc::new(SequentialTokenMint::default()));
        let users = InMemoryUsers::following(&store);
        let projects = InMemoryProjects::following(&store);
        let agents = InMemoryAgents::following(&store, projects.clone());
        let sessions = Arc::new(InMemorySessions::of(users.clone()));
        let accounts = Arc::new(InMemoryAccounts::of(users.clone(), sessions.clone()));
        let trail = InMemoryAudit::following(&store);
        let security = SecurityLog::new(trail.clone(), clock.clone(), ids.clone());
        let access = Access::new(projects.clone()).noting(security.clone());
        let log: Arc<dyn EventStore> = Arc::new(AuditedEventStore::new(moody.clone(), security.clone()));
        let keys = InMemoryApiKeys::following(&store, users.clone());
        let key_secrets = keys.clone();
        let keys = ApiKeys::new(ApiKeysPorts {
            store: log.clone(),
            views: keys.clone(),
            vault: keys.clone(),
            standings: keys.clone(),
            uses: keys,
            mint: mint.clone(),
            access: access.clone(),
            clock: clock.clone(),
            ids: ids.clone(),
        });
        let kept = Kept { store: &store, log: &log, access: &access, clock: clock.clone(), ids: ids.clone() };
        let ((providers, provider_keys), (tool_secrets, opened, secret_values)) = (kept.providers(), kept.secrets());
        let check = DefinitionCheck::new(Arc::new(Plain), Arc::new(Plain), Arc::new(NamedDestinations));
        let readiness = Arc::new(Switch::default());
        let attempts = Arc::new(InMemoryAttempts::default());
        let addressees = Arc::new(InMemoryAddressees::new(mint.clone()));
        let private: Vec<Arc<dyn Fingerprint>> =
            vec![accounts.clone(), sessions.clone(), key_secrets, addressees.clone(), provider_keys, secret_values];
        let identity = Identity::new(IdentityPorts {
            store: log.clone(),
            accounts: accounts.clone(),
            changes: accounts.clone(),
            erasures: Arc::new(InMemoryErasures::default()),
            mentions: addressees.clone(),
            session_list: sessions.clone(),
            invitations: Arc::new(InMemoryInvitations::default()),
            registration,
            password_policy,
            users: users.clone(),
            sessions: sessions.clone(),
            standings: sessions,
            tokens: Arc::new(InMemoryAccessTokens::default()),
            hasher: Arc::new(InMemoryPasswordHasher::default()),
            mint: mint.clone(),
            bootstrap: Arc::new(InMemoryBootstrap::default()),
            clock: clock.clone(),
            ids: ids.clone(),
            attempts,
            limits: ThrottleLimits::default(),
            policy: SessionPolicy::default(),
            security: security.clone(),
        });
        let directory = Arc::new(InMemoryDirectory::of(users, accounts, mint.clone()));
        let invitations = InMemoryProjectInvitations::following(&store);
        let queue = InMemoryRuns::following(&store, projects.clone(), clock.clone());
        let (live, results) = (Arc::new(LiveRuns::default()), InMemoryResults::following(&store));
        let models = Arc::new(ScriptedModels::playing(|request, _| {
            if request.model == "scripted/silent" {
                return Turn::FallsSilent(String::new());
            }
            let told = request.messages.iter().any(|message| matches!(message, Message::Tool { .. }));
            match request.tools.first().filter(|_| !told) {
                Some(tool) => Turn::calls([("call", tool.name.as_str(), serde_json::from_str(r#"{"n":1}"#).unwrap())]),
                // Some servers do not report usage.
                None if request.model == "scripted/mute" => Turn::says("Answer one").billed(TokenCount::default()),
                None => Turn::says("Answer one"),
            }
        }));
        let ledger = Arc::new(Ledger::new(log.clone(), clock.clone()));
        let worker = WorkerPorts {
            store: store.clone(),
            queue: queue.clone(),
            results: results.clone(),
            agents: Arc::new(ViewedAgents(agents.clone())),
            expressions: Arc::new(Plain),
            schemas: Arc::new(Plain),
            tools: Arc::new(Echo),
            models: models.clone(),
            prices: models.clone(),
            ledger: ledger.clone(),
            live: live.clone(),
            clock: clock.clone(),
            ids: ids.clone(),
        };
        let runs = Runs::new(RunsPorts {
            store: log.clone(),
            views: queue.clone(),
            usage: queue,
            results: results.clone(),
            agents: Arc::new(ViewedAgents(agents.clone())),
            schemas: Arc::new(Plain),
            live,
            access: access.clone(),
            clock: Arc::new(Naps(clock.clone())),
            ids: ids.clone(),
        });
        let viewed = Arc::new(ViewedAgents(agents.clone()));
        let budgets = BudgetsPorts { ledger, agents: viewed, access: access.clone(), clock: clock.clone() };
        let state = ApiState {
            budgets: Arc::new(Budgets::new(budgets)),
            runs: Arc::new(runs),
            identity: Arc::new(identity),
            keys: Arc::new(keys),
            providers: Arc::new(providers),
            secrets: Arc::new(tool_secrets),
            projects: Arc::new(Projects::new(ProjectsPorts {
                store: log.clone(),
                views: projects,
                directory,
                invitations,
                addressees,
                clock: clock.clone(),
                access: access.clone(),
                ids: ids.clone(),
            })),
            audit: Arc::new(Audit::new(trail, access.clone())),
            security,
            agents: Arc::new(Agents::new(AgentsPorts {
                store: log,
                views: agents,
                access,
                check,
                models: models.clone(),
                prices: models,
                secrets: opened,
                descriptions: Arc::new(ScriptedTools::default()),
                ids: ids.clone(),
            })),
            mint,
            in_flight: InFlight::default(),
            limiter: Arc::new(Limiter::new(Limits::default())),
            ids,
            clock: clock.clone(),
            readiness: readiness.clone(),
            settings: Settings::default(),
        };
        let worker = RunWorker::new(worker, WorkerSettings::named("worker-1"));
        Self { started: OnceCell::new(), state, store, private, results, moody, clock, readiness, worker }
    }

    /// Sends a request that was made elsewhere.
    pub(crate) async fn ask(&self, request: TestRequest) -> Result<ServiceResponse<BoxBody>, Error> {
        let start = async || {
            let service = Rc::new(init_service(app(&self.state)).await);
            let started: Started = Box::new(move |request: TestRequest| {
                let service = service.clone();
                async move { service.call(request.to_request()).await }.boxed_local()
            });
            started
        };
        self.started.get_or_init(start).await(request).await
    }

    /// Makes the database fail.
    pub(crate) fn break_database(&self) {
        self.readiness.broken.store(true, Ordering::Relaxed);
    }

    /// Stops a background task.
    pub(crate) fn break_background(&self) {
        self.readiness.stuck.store(true, Ordering::Relaxed);
    }

    /// Asks the server to stop.
    pub(crate) fn drain(&self) {
        self.readiness.draining.notify_waiters();
    }

    /// Lets a worker execute runs for the rest of the test, or until it is aborted.
    pub(crate) fn work(&self) -> JoinHandle<()> {
        let worker = self.worker.clone();
        actix_web::rt::spawn(async move { worker.work(std::future::pending()).await })
    }

    /// Reads a resource until it satisfies a condition.
    pub(crate) async fn until(&self, path: &str, token: &str, wish: impl Fn(&Value) -> bool) -> Value {
        for _ in 0..500 {
            let answer = self.get(path).by(token).send().await.expect(200);
            if wish(&answer) {
                return answer;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        panic!("{path} never became what it should");
    }

    /// The number of recorded events; a refused request leaves it unchanged.
    pub(crate) async fn head(&self) -> u64 {
        self.store.head().await.unwrap()
    }

    /// What is recorded and what is stored beside it; a refused request leaves both unchanged.
    pub(crate) async fn everything(&self) -> (u64, Vec<u64>) {
        (self.head().await, self.private.iter().map(|rows| rows.fingerprint()).collect())
    }

    pub(crate) fn get(&self, path: &str) -> Call<'_> {
        Call::new(self, Method::GET, path)
    }

    pub(crate) fn post(&self, path: &str) -> Call<'_> {
        Call::new(self, Method::POST, path)
    }

    pub(crate) fn call(&self, method: Method, path: &str) -> Call<'_> {
        Call::new(self, method, path)
    }

    /// Creates a runnable agent and returns its id.
    pub(crate) async fn agent(&self, token: &str, name: &str) -> String {
        let answer = self.post("/api/v1/agents").by(token).json(&agent(name)).send().await;
        answer.expect(201)["id"].as_str().unwrap().to_owned()
    }
}

/// A request body for a runnable agent.
pub(crate) fn agent(name: &str) -> Value {
    json!({"name": name, "type": "workflow", "capabilities": ["greeting"], "definition": definition("hello")})
}

/// A small workflow.
pub(crate) fn definition(text: &str) -> Value {
    json!({"steps": [{"id": "greet", "tool": "template", "arguments": {"template": text, "context": {}}}]})
}

/// A request that is being built.
pub(crate) struct Call<'a> {
    world: &'a World,
    request: TestRequest,
}

impl<'a> Call<'a> {
    fn new(world: &'a World, method: Method, path: &str) -> Self {
        Self { world, request: TestRequest::default().method(method).uri(path) }
    }

    pub(crate) fn by(self, token: &str) -> Self {
        self.header("authorization", &format!("Bearer {token}"))
    }

    pub(crate) fn header(self, name: &str, value: &str) -> Self {
        Self { request: self.request.append_header((name, value)), ..self }
    }

    pub(crate) fn json(self, body: &Value) -> Self {
        self.text(&body.to_string())
    }

    pub(crate) fn text(self, body: &str) -> Self {
        self.header("content-type", "application/json").raw(body.as_bytes())
    }

    pub(crate) fn raw(self, body: &[u8]) -> Self {
        Self { request: self.request.set_payload(body.to_vec()), ..self }
    }

    /// Sends it and returns the response, its body still to be read.
    pub(crate) async fn open(self) -> HttpResponse<BoxBody> {
        match self.world.ask(self.request).await {
            Ok(response) => response.into_parts().1,
            Err(error) => error.error_response(),
        }
    }

    pub(crate) async fn send(self) -> Answer {
        let response = self.open().await;
        let (status, headers) = (response.status(), response.headers().clone());
        let body = to_bytes(response.into_body()).await.unwrap_or_default();
        Answer { status, headers, body: body.to_vec() }
    }
}

/// The response.
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map(|value| value.to_str().unwrap()).unwrap_or_default()
    }

    /// The JSON of a response with that status.
    #[track_caller]
    pub(crate) fn expect(&self, status: u16) -> Value {
        assert_eq!(self.status.as_u16(), status, "{}", self.text());
        serde_json::from_slice(&self.body).unwrap_or_default()
    }

    /// Asserts that it is a problem of that kind, with every member all problems share, and returns it.
    #[track_caller]
    pub(crate) fn refused(&self, status: u16, code: &str) -> Value {
        let problem = self.expect(status);
        assert_eq!(problem["code"], code, "{problem}");
        assert_eq!(problem["status"], status, "{problem}");
        assert_eq!(problem["type"], format!("/docs/errors#{code}"), "{problem}");
        assert_eq!(self.header("content-type"), "application/problem+json");
        assert_eq!(self.header("x-request-id"), problem["request_id"], "{problem}");
        assert_eq!(self.header("cache-control"), "no-store");
        assert_eq!(self.header("www-authenticate").is_empty(), status != 401, "{problem}");
        assert!(devskyy_api::problem::find(code).is_some(), "`{code}` is not registered");
        assert!(problem["title"].is_string() && problem["detail"].is_string(), "{problem}");
        problem
    }

    /// As [`Answer::refused`], with one invalid member.
    #[track_caller]
    pub(crate) fn refused_at(&self, status: u16, code: &str, pointer: &str) {
        let problem = self.refused(status, code);
        assert_eq!(problem["errors"][0]["pointer"], pointer, "{problem}");
    }
}
