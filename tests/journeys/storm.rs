//! Many runs of every kind while workers are killed and stopped: each ends as it would without that.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use devskyy_domain::{
    conversation::{Finish, TokenCount},
    models::ProviderKind,
};
use devskyy_testkit::{
    chance::Chance,
    contracts::models::{Act, CallScript, Reply},
    fakes::{McpAct, McpServer, ModelServer},
};
use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::{
    client::Client,
    clustered::Fresh,
    process::Process,
    program::{devskyy, ended},
    tracker::Tracker,
    workers::worker_with,
};

const RUNS: usize = 500;
/// Runs of each kind with each input, after which they repeat.
const KINDS: usize = 25;
const WORKERS: usize = 3;
/// Between two kills.
const PAUSE: Duration = Duration::from_secs(2);
/// Longer than a lease.
const STOPPED: Duration = Duration::from_secs(5);
/// Until all runs have ended.
const PATIENCE: Duration = Duration::from_secs(420);

/// A model that files a ticket about its input, once, and then reports that.
fn clerk(question: &Value) -> Option<Act> {
    let messages = question["messages"].as_array()?;
    if messages.iter().any(|message| message["role"] == "tool") {
        return Some(Act::Answer(Reply::says(&["It is ", "filed."])));
    }
    let told = messages.iter().find(|message| message["role"] == "user")?["content"].as_str()?;
    let arguments: &'static str = json!({"unsafe": told}).to_string().leak();
    let call = CallScript { id: "call_1", name: "file", arguments: vec![arguments] };
    let usage = TokenCount { input: 20, output: 7, ..TokenCount::default() };
    Some(Act::Answer(Reply { pieces: vec![], calls: vec![call], finish: Finish::ToolCalls, usage, cut: 0, mind: None }))
}

/// Everything that is not a worker.
struct Scene {
    tracker: Tracker,
    finder: McpServer,
    models: Arc<ModelServer>,
    ada: Client,
    agents: [String; 5],
    /// Whether a worker is stopped that may continue in the middle of its work.
    stopped: AtomicBool,
}

impl Scene {
    /// Requests, approvals, elements, a child agent, an assistant, an MCP server.
    async fn set(tracker: Tracker, finder: McpServer, models: Arc<ModelServer>, ada: Client) -> Self {
        let mut once = tracker.tool();
        once["effect"] = json!("unsafe");
        let tools = json!({"again": tracker.tool(), "once": once});
        let unsafe_step = json!({"id": "file", "tool": "once", "arguments": {"unsafe": {"$jq": ".input.tag"}}});
        let plain = json!({"tools": tools, "steps": [unsafe_step], "output": {"$jq": ".input.n + 1"}});
        let each = json!({
            "tools": tools,
            "steps": [
                {"id": "each", "for_each": "[range(.input.n + 1)]", "tool": "again",
                 "arguments": {"tag": {"$jq": ".input.tag"}, "part": {"$jq": ".item"}}},
                {"id": "ask", "needs": ["each"], "approval": {"prompt": "File {{ input.tag }}?"}},
                {"id": "file", "needs": ["ask"], "tool": "once", "arguments": {"unsafe": {"$jq": ".input.tag"}}}
            ],
            "output": {"parts": {"$jq": ".steps.each.output | length"}, "said": {"$jq": ".steps.ask.output.decision"}}
        });
        let plain = ada.agent("Plain", &plain).await;
        let parent = json!({
            "steps": [{"id": "child", "agent": plain, "input": {"$jq": ".input"}}],
            "output": {"child": {"$jq": ".steps.child.output"}}
        });
        let (each, parent) = (ada.agent("Each", &each).await, ada.agent("Parent", &parent).await);
        let mut file = tracker.tool();
        file["effect"] = json!("unsafe");
        file["description"] = json!("Files a ticket.");
        file["input_schema"] = json!({"type": "object", "required": ["unsafe"]});
        let definition = json!({"model": "house/echo-1", "instructions": "File it.", "tools": {"file": file}});
        let body = json!({"name": "Clerk", "type": "assistant", "capabilities": ["test"], "definition": definition});
        let clerk = ada.post("/api/v1/agents", &body).await.expect(StatusCode::CREATED);
        let clerk = clerk["id"].as_str().unwrap().to_owned();
        let server = json!({"url": finder.url(), "tool": "find", "timeout_s": 10});
        let find = json!({"kind": "mcp", "effect": "unsafe", "input_schema": {"type": "object"}, "server": server});
        let finds = json!({
            "tools": {"find": find},
            "steps": [{"id": "find", "tool": "find", "arguments": {"name": {"$jq": ".input.tag"}}}],
            "output": {"$jq": ".input.n + 2"}
        });
        let finds = ada.agent("Finder", &finds).await;
        let agents = [plain, each, parent, clerk, finds];
        Self { tracker, finder, models, ada, agents, stopped: AtomicBool::new(false) }
    }

    /// Starts the run of this number, which determines its kind.
    async fn start(&self, number: usize) -> String {
        let tag = format!("t{number}");
        let input = if kind(number) == 3 { json!(tag) } else { json!({"tag": tag, "n": number / 5 % 5}) };
        self.ada.execute(&self.agents[kind(number)], &input).await
    }

    /// Plays the people: approves, and settles calls in doubt by what the tracker and the MCP server recorded.
    async fn attend(&self) {
        let open = self.ada.get("/api/v1/approvals?status=open&page_size=100").await.expect(StatusCode::OK);
        for approval in open["items"].as_array().unwrap() {
            let (run, id) = (approval["run_id"].as_str().unwrap(), approval["id"].as_str().unwrap());
            let path = format!("/api/v1/runs/{run}/approvals/{id}");
            let answer = self.ada.post(&path, &json!({"decision": "approve"})).await;
            assert!([200, 409].contains(&answer.status.as_u16()), "{:#}", answer.body);
        }
        let waiting = self.ada.get("/api/v1/runs?status=waiting&page_size=100").await.expect(StatusCode::OK);
        for run in waiting["items"].as_array().unwrap() {
            // A worker that is stopped between intent and request may still send it.
            let doubtful = run["waiting_for"].as_array().unwrap().contains(&json!("reconcile"));
            if doubtful && !self.stopped.load(Ordering::SeqCst) {
                self.settle(run["id"].as_str().unwrap()).await;
            }
        }
    }

    async fn settle(&self, run: &str) {
        let run = self.ada.get(&format!("/api/v1/runs/{run}")).await.expect(StatusCode::OK);
        let tag = if run["input"].is_string() { &run["input"] } else { &run["input"]["tag"] };
        let filed = self.tracker.tickets().iter().any(|ticket| ticket["asked"]["unsafe"] == *tag);
        let arrived = filed || self.finder.calls().iter().any(|call| call["arguments"]["name"] == *tag);
        let verdict = if arrived { json!({"verdict": "succeeded", "result": {}}) } else { json!({"verdict": "retry"}) };
        for operation in doubtful(&run["steps"]) {
            let path = format!("/api/v1/runs/{}/steps/{operation}/reconcile", run["id"].as_str().unwrap());
            let answer = self.ada.post(&path, &verdict).await;
            assert!([200, 409].contains(&answer.status.as_u16()), "{:#}", answer.body);
        }
    }

    /// The name of the worker that first claimed a run.
    async fn worker_of(&self, run: &str) -> String {
        let all = self.ada.get(&format!("/api/v1/runs/{run}/events?limit=500")).await.expect(StatusCode::OK);
        let claimed = all["items"].as_array().unwrap().iter().find(|event| event["type"] == "run.claimed").unwrap();
        claimed["data"]["worker"].as_str().unwrap().to_owned()
    }

    /// How many runs have not ended.
    async fn open(&self) -> u64 {
        let mut open = 0;
        for status in ["queued", "running", "waiting", "cancelling"] {
            let page = self.ada.get(&format!("/api/v1/runs?status={status}&page_size=1")).await.expect(StatusCode::OK);
            open += page["total"].as_u64().unwrap();
        }
        open
    }

    /// The outcome of each run.
    async fn outcomes(&self, runs: &[String]) -> Vec<(Value, Value)> {
        let mut outcomes = Vec::new();
        for run in runs {
            let ended = self.ada.get(&format!("/api/v1/runs/{run}")).await.expect(StatusCode::OK);
            outcomes.push((ended["status"].clone(), ended["output"].clone()));
        }
        outcomes
    }

    fn worker(&self, directory: &Path, database: &Fresh) -> Process {
        let (models, reached) = (self.models.base_url(), reached(&self.tracker, &self.finder));
        tokio::task::block_in_place(|| {
            worker_with(directory, database, &self.tracker, |command| {
                command.args(["--set", &format!("models.house.base_url={models}"), "--set", &reached]);
            })
        })
    }
}

const fn kind(number: usize) -> usize {
    number % 5
}

/// The setting that lets tools reach both.
fn reached(tracker: &Tracker, finder: &McpServer) -> String {
    format!("egress.allow_private={},{}", tracker.address, finder.address)
}

/// The operations in doubt, wherever they are.
fn doubtful(steps: &Value) -> Vec<String> {
    match steps {
        Value::Array(all) => all.iter().flat_map(doubtful).collect(),
        Value::Object(step) if step.get("status") == Some(&json!("in_doubt")) && step["operation_id"].is_string() => {
            vec![step["operation_id"].as_str().unwrap().to_owned()]
        }
        Value::Object(step) => step.values().flat_map(doubtful).collect(),
        _ => Vec::new(),
    }
}

/// The worker that is stopped once, during its work and for longer than its leases last, and then continues.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sleeper {
    Awake,
    Stopped(Instant),
    WentOn,
}

/// The number of runs on which a worker has a lease that has not lapsed.
fn held(database: &Fresh, worker: &str) -> u64 {
    let now = "EXTRACT(EPOCH FROM clock_timestamp()) * 1000000";
    database.count(&format!("SELECT count(*) FROM run_leases WHERE owner = '{worker}' AND lease_until >= {now}"))
}

impl Sleeper {
    /// Stops the worker while it holds a run, or lets it continue once it holds none any more.
    async fn next(self, scene: &Scene, database: &Fresh, name: &str, worker: &Process) -> Self {
        match self {
            Self::Awake => {
                for _ in 0..STOPS {
                    scene.stopped.store(true, Ordering::SeqCst);
                    worker.signal("-STOP");
                    if held(database, name) > 0 {
                        return Self::Stopped(Instant::now());
                    }
                    worker.signal("-CONT");
                    scene.stopped.store(false, Ordering::SeqCst);
                    tokio::time::sleep(Duration::from_millis(50)).await;
                }
                self
            }
            Self::Stopped(since) if since.elapsed() > STOPPED && held(database, name) == 0 => {
                worker.signal("-CONT");
                tokio::time::sleep(Duration::from_secs(1)).await;
                scene.stopped.store(false, Ordering::SeqCst);
                Self::WentOn
            }
            Self::Stopped(_) | Self::WentOn => self,
        }
    }
}

/// How often a worker is stopped in the hope that it holds a run, before others are killed again.
const STOPS: usize = 10;

/// The outcome of a storm.
#[derive(Debug)]
struct Storm {
    kills: u32,
    /// Runs that have not ended.
    open: u64,
    sleeper: Sleeper,
}

/// Kills a random worker every two seconds, and once stops the first one beyond its lease, until that one has continued
/// and all runs have ended.
async fn storm(scene: &Scene, place: &Path, database: &Fresh, first: &str, workers: &mut [Process]) -> Storm {
    let (begun, mut chance) = (Instant::now(), Chance::drawn());
    let (mut kills, mut sleeper) = (0, Sleeper::Awake);
    loop {
        let open = scene.open().await;
        if open == 0 && sleeper == Sleeper::WentOn || begun.elapsed() > PATIENCE {
            return Storm { kills, open, sleeper };
        }
        tokio::time::sleep(PAUSE).await;
        sleeper = sleeper.next(scene, database, first, &workers[0]).await;
        // The first one is spared until it was stopped and has continued.
        let spared = usize::from(sleeper != Sleeper::WentOn);
        let victim = spared + usize::try_from(chance.below((WORKERS - spared) as u64)).unwrap();
        workers[victim].signal("-KILL");
        kills += 1;
        workers[victim] = scene.worker(&place.join(format!("worker-{victim}")), database);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
#[ignore = "needs PostgreSQL"]
async fn runs_of_every_kind_end_as_in_peace_while_workers_are_killed_and_stopped() {
    let (place, database) = (tempfile::tempdir().unwrap(), Fresh::make());
    let tracker = Tracker::start(Duration::from_millis(30)).await;
    let models = ModelServer::playing(ProviderKind::OpenAi, clerk).await.unwrap();
    let finder = McpServer::start(McpAct::Answer).await.unwrap();
    let (house, reached) = (format!("models.house.base_url={}", models.base_url()), reached(&tracker, &finder));
    let settings = [house.as_str(), &reached, "limits.writes=0", "runs.concurrency=0"];
    let flags: Vec<&str> = settings.into_iter().flat_map(|setting| ["--set", setting]).collect();
    let server = database.server_with(&place.path().join("server"), &tracker, &flags);
    let scene = Arc::new(Scene::set(tracker, finder, models, Client::administrator(&server).await).await);
    let start = |n: usize| scene.worker(&place.path().join(format!("worker-{n}")), &database);
    // Without kills there is one worker, whose name is known from there.
    let mut workers = vec![start(0)];
    let people = tokio::spawn({
        let scene = scene.clone();
        async move {
            loop {
                scene.attend().await;
                tokio::time::sleep(Duration::from_millis(200)).await;
            }
        }
    });

    // Without kills: one of each kind with each input, after which numbers repeat.
    let mut peace = Vec::new();
    for number in 0..KINDS {
        peace.push(scene.start(1_000_000 + number).await);
    }
    let begun = Instant::now();
    while scene.open().await > 0 && begun.elapsed() < PATIENCE {
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    let expected = scene.outcomes(&peace).await;
    assert!(expected.iter().all(|(status, _)| status == "completed"), "{expected:?}");
    let first = scene.worker_of(&peace[0]).await;
    workers.extend((1..WORKERS).map(start));

    let starting = tokio::spawn({
        let scene = scene.clone();
        async move {
            let mut runs = Vec::new();
            for number in 0..RUNS {
                runs.push(scene.start(number).await);
            }
            runs
        }
    });
    tokio::time::sleep(Duration::from_millis(500)).await;
    let Storm { kills, open, sleeper } = storm(&scene, place.path(), &database, &first, &mut workers).await;
    let runs = starting.await.unwrap();
    people.abort();

    let outcomes = scene.outcomes(&runs).await;
    let wrong: Vec<_> = (0..RUNS).filter(|number| outcomes[*number] != expected[number % KINDS]).collect();
    let told: Vec<_> = wrong.iter().take(5).map(|number| (number, &runs[*number], &outcomes[*number])).collect();
    let survived = wrong.is_empty() && open == 0 && kills > 4 && sleeper == Sleeper::WentOn;
    assert!(survived, "{kills} kills, {open} open, {sleeper:?}, {}: {told:?}", wrong.len());
    effects_are_right(&scene);
    drop(workers);
    server.signal("-TERM");
    tokio::task::block_in_place(|| server.ended());
    let mut verify = devskyy(&place.path().join("server"));
    database.choose(verify.arg("verify"));
    let (code, out, error) = ended(&mut verify);
    assert_eq!(code, 0, "{kills} kills: {out}{error}");
}

/// Every unsafe effect happened exactly once, every other one under one key.
fn effects_are_right(scene: &Scene) {
    let Scene { tracker, finder, .. } = scene;
    let tickets = tracker.tickets();
    let mut had: BTreeMap<String, usize> = BTreeMap::new();
    for ticket in &tickets {
        *had.entry(ticket["asked"].to_string()).or_default() += 1;
    }
    let twice: Vec<_> = had.iter().filter(|(_, times)| **times > 1).collect();
    let unsafe_ones = tickets.iter().filter(|ticket| ticket["asked"]["unsafe"].is_string()).count();
    let found: Vec<String> = finder.calls().iter().map(|call| call["arguments"]["name"].to_string()).collect();
    let different = found.iter().collect::<BTreeSet<_>>().len();
    let of_a_kind = (RUNS + KINDS) / 5;
    assert_eq!((twice, unsafe_ones, tracker.bare()), (vec![], 4 * of_a_kind, 0));
    assert_eq!((found.len(), different), (of_a_kind, of_a_kind));
}
