//! A demonstration of the platform: it starts a server and then uses only its REST API, like any client.

mod account;
mod client;
mod events;
mod farewell;
mod lockfile;
mod question;
mod screen;
mod timeline;
mod tracker;

use std::{io::Write as _, path::PathBuf};

use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use self::{
    client::Client, events::Event, lockfile::Lockfile, question::Answerer, screen::Screen, timeline::Timeline,
    tracker::Tracker,
};
use crate::{banner, configuration::Settings, failure::Failure, run};

/// The agent's definition from `examples/dependency-review`.
const AGENT: &str = include_str!("../../../../examples/dependency-review/agent.json");
/// Maximum size of a request to the demo's server; lock files are larger than usual requests.
const BODY_LIMIT: usize = 8 << 20;

/// The options of the demo.
#[derive(Debug)]
pub struct Demo {
    /// The lock file to review; by default the one in the current directory, or this program's own.
    pub lockfile: Option<PathBuf>,
    /// The answer to the run's approval; `None` to ask.
    pub answer: Option<Answer>,
    /// Whether to exit afterwards instead of continuing to serve.
    pub exit: bool,
    /// Whether the data directory is kept.
    pub keep: bool,
}

/// The answer to the run's approval.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// File the ticket.
    Approve,
    /// Do not file the ticket.
    Deny,
}

/// What the demo created, for the final hints.
struct Shown {
    run: String,
    agent: String,
    report: String,
}

/// Runs the demo; returns when it is over, or when the process is asked to stop.
///
/// # Errors
/// When the lock file cannot be read, the server cannot start, the run does not complete, or the process is asked to stop
/// before it has.
pub async fn run(demo: Demo, settings: Settings, stop: CancellationToken) -> Result<(), Failure> {
    let lockfile = Lockfile::find(demo.lockfile.as_deref())?;
    let screen = Screen::detect();
    let tracker = Tracker::start()?;
    let settings = prepared(settings, &tracker);
    screen.passing("starting a server");
    let started = stop.run_until_cancelled(Box::pin(run::serve(&settings))).await;
    let mut server = started.unwrap_or_else(|| Err(cut_short()))?;
    let url = banner::url(server.address);
    screen.title(&format!("DevSkyy is running at {url}"));
    let stays = screen.interactive() && !demo.exit;
    let bootstrap = server.bootstrap.clone();
    let shown = async {
        let shown = show(&demo, &screen, &url, bootstrap.as_deref(), &settings, &tracker, &lockfile);
        let (client, shown) = stop.run_until_cancelled(shown).await.unwrap_or_else(|| Err(cut_short()))?;
        print(&screen, &shown.report)?;
        farewell::totals(&screen, &client, &shown.run, tracker.tickets()).await?;
        farewell::look_further(&screen, &url, &settings, &shown, demo.keep, stays);
        Ok(())
    };
    let mut outcome = shown.await;
    if outcome.is_ok() && stays {
        outcome = server.until(stop.cancelled()).await;
    }
    tracker.stop().await;
    server.stop().await;
    outcome
}

fn cut_short() -> Failure {
    Failure::operation("stopped before the run ended")
}

/// The settings of a server that may send requests to the demo's tracker, in addition to what the operator allows.
fn prepared(mut settings: Settings, tracker: &Tracker) -> Settings {
    settings.server.listen.set_port(0);
    settings.server.body_limit = settings.server.body_limit.max(BODY_LIMIT);
    settings.egress.allow_http = true;
    settings.egress.allow_private.push(tracker.address());
    settings
}

async fn show(
    demo: &Demo,
    screen: &Screen,
    url: &str,
    bootstrap: Option<&str>,
    settings: &Settings,
    tracker: &Tracker,
    lockfile: &Lockfile,
) -> Result<(Client, Shown), Failure> {
    let client = account::sign_in(url, bootstrap, &settings.data_dir).await?;
    screen.done("signed in", account::EMAIL);
    let (agent, version) = publish(&client, tracker).await?;
    screen.done("agent", &format!("Dependency review, version {version}"));
    let input = json!({"lockfile": lockfile.text, "source": lockfile.name});
    let started = client.post(&format!("/agents/{agent}/execute"), &json!({"input": input})).await?;
    let run = text(&started, "id");
    screen.done("run", &format!("{run} on {}", lockfile.origin));
    follow(&client, &run, screen, Answerer::new(demo.answer, screen)).await?;
    let ended = client.get(&format!("/runs/{run}")).await?;
    if ended["status"] != "completed" {
        let reason = ended["error"]["message"].as_str().unwrap_or("it did not complete");
        return Err(Failure::operation(format!("the run is {}: {reason}", text(&ended, "status"))));
    }
    let report = text(&ended["output"], "report");
    Ok((client, Shown { run, agent, report }))
}

/// Creates the agent; an existing one gets the definition again, and is activated if it was paused.
async fn publish(client: &Client, tracker: &Tracker) -> Result<(String, u64), Failure> {
    let mut agent: Value = serde_json::from_str(AGENT).map_err(Failure::operation)?;
    agent["definition"]["tools"]["file_ticket"]["request"]["url"] = json!(format!("{}/tickets", tracker.url()));
    let Some(known) = known(client, &text(&agent, "name")).await? else {
        let made = client.post("/agents", &agent).await?;
        return Ok((text(&made, "id"), made["current_version"].as_u64().unwrap_or_default()));
    };
    let definition = json!({"definition": agent["definition"]});
    client.post(&format!("/agents/{known}/versions"), &definition).await?;
    let current = client.post(&format!("/agents/{known}/activate"), &json!({})).await?;
    Ok((known, current["current_version"].as_u64().unwrap_or_default()))
}

/// The id of the agent with that name in the personal project, searched among similar names. Archived agents do not
/// count, because their names are available again.
async fn known(client: &Client, name: &str) -> Result<Option<String>, Failure> {
    let project = text(&client.get("/auth/me").await?, "personal_project_id");
    for page in 1_u64.. {
        let alike = format!("/agents?project_id={project}&name={name}&sort=name&page_size=100&page={page}");
        let listed = client.get(&alike).await?;
        let mut agents = listed["items"].as_array().into_iter().flatten();
        let found = agents.find(|agent| agent["name"] == name && agent["status"] != "archived");
        if found.is_some() || listed["total_pages"].as_u64().is_none_or(|pages| pages <= page) {
            return Ok(found.map(|agent| text(agent, "id")));
        }
    }
    Ok(None)
}

/// Shows the events of a run as they happen, and answers its approval, until it has ended.
async fn follow(client: &Client, run: &str, screen: &Screen, answerer: Answerer) -> Result<(), Failure> {
    let mut timeline = Timeline::new(screen);
    let mut after = 0;
    while !timeline.ended() {
        let mut events = client.events(run, after).await?;
        while let Some(event) = events.next().await? {
            after = event.position;
            timeline.show(&event);
            if event.kind == "run.approval_requested" {
                answer(client, run, &event, &answerer, screen).await?;
            }
        }
    }
    Ok(())
}

async fn answer(
    client: &Client,
    run: &str,
    asked: &Event,
    answerer: &Answerer,
    screen: &Screen,
) -> Result<(), Failure> {
    let (answer, reason) = answerer.answer(screen, &text(&asked.data, "prompt")).await?;
    let decision = if answer == Answer::Approve { "approve" } else { "deny" };
    let path = format!("/runs/{run}/approvals/{}", text(&asked.data, "approval_id"));
    client.post(&path, &json!({"decision": decision, "reason": reason})).await.map(drop)
}

/// Prints the report, the only output on standard output.
fn print(screen: &Screen, report: &str) -> Result<(), Failure> {
    screen.gap();
    let mut out = std::io::stdout().lock();
    match out.write_all(report.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => {
            Err(Failure::operation(format!("cannot write the report: {error}")))
        }
        _ => Ok(()),
    }
}

fn text(value: &Value, name: &str) -> String {
    value[name].as_str().unwrap_or_default().to_owned()
}
