//! Following an assistant: events that resume, and between them the model's partial answer.

use std::{sync::Arc, time::Duration};

use devskyy_domain::models::ProviderKind;
use devskyy_testkit::{
    contracts::models::{Act, Reply, Stage as _},
    fakes::ModelServer,
};
use reqwest::StatusCode;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::{
    assisting::{clerk, engaged, housed, provider, served, wants_a_ticket},
    client::{Client, Frame},
    clustered::Fresh,
    process::Process,
    server::Server,
    tracker::Tracker,
    workers::worker_with,
};

fn is(kind: &str) -> impl Fn(&Frame) -> bool {
    move |frame| frame.event == kind
}

/// The text of all live pieces, each checked to follow the one before.
fn heard(frames: &[Frame]) -> String {
    let mut text = String::new();
    for frame in frames.iter().filter(|frame| is("run.model_delta")(frame)) {
        assert_eq!(frame.data["offset"], text.len(), "a piece is missing or told twice: {frames:#?}");
        text.push_str(frame.data["text"].as_str().unwrap());
    }
    text
}

/// The kinds of the frames, without repetitions.
fn kinds(frames: &[Frame]) -> Vec<&str> {
    let mut kinds: Vec<&str> = frames.iter().map(|frame| frame.event.as_str()).collect();
    kinds.dedup();
    kinds
}

fn slowly(models: &ModelServer, pieces: &[&'static str]) {
    models.speak_slowly(Duration::from_millis(150));
    models.prepare(Act::Answer(Reply::says(pieces)));
}

/// The frames of a run whose model answers slowly.
async fn followed() -> Vec<Frame> {
    let (place, tracker, models) =
        (tempfile::tempdir().unwrap(), Tracker::start(Duration::ZERO).await, provider(ProviderKind::OpenAi).await);
    let server = served(place.path(), &tracker, &models, "openai");
    let ada = Client::administrator(&server).await;
    let agent = engaged(&ada, &clerk(&tracker, "house/echo-1")).await;
    slowly(&models, &["It ", "is ", "fine."]);
    let run = ada.execute(&agent, &json!("All is well.")).await;
    ada.follow(&run, None).await.until(is("run.completed")).await
}

#[tokio::test]
async fn what_a_model_is_saying_is_told_between_its_question_and_its_answer() {
    let frames = followed().await;
    let kinds = kinds(&frames);
    let around = ["run.model_called", "run.model_delta", "run.model_answered"];
    assert!(kinds.windows(3).any(|three| three == around), "{kinds:?}");
}

#[tokio::test]
async fn events_have_ids_that_rise_and_pieces_have_none() {
    let frames = followed().await;
    let (pieces, events): (Vec<_>, Vec<_>) = frames.iter().partition(|frame| is("run.model_delta")(frame));
    let ids: Vec<u64> = events.iter().filter_map(|frame| frame.id.as_deref()?.parse().ok()).collect();
    let rise = ids.len() == events.len() && ids.is_sorted_by(|one, next| one < next);
    assert!(rise && pieces.len() > 1 && pieces.iter().all(|frame| frame.id.is_none()), "{frames:#?}");
}

/// The frames before and after a restart in the middle of a model's answer, and all events.
async fn resumed() -> (Vec<Frame>, Vec<Frame>, Vec<Value>) {
    let (place, tracker, models) =
        (tempfile::tempdir().unwrap(), Tracker::start(Duration::ZERO).await, provider(ProviderKind::OpenAi).await);
    let server = served(place.path(), &tracker, &models, "openai");
    let ada = Client::administrator(&server).await;
    let agent = engaged(&ada, &clerk(&tracker, "house/echo-1")).await;
    models.prepare(wants_a_ticket());
    models.prepare(Act::Stall("It is"));
    let run = ada.execute(&agent, &json!("The lamp is broken.")).await;
    let before = ada.follow(&run, None).await.until(is("run.model_delta")).await;
    server.kill();
    slowly(&models, &["It is ", "filed."]);

    let server = served(place.path(), &tracker, &models, "openai");
    let ada = ada.at(&server.url);
    let last = before.iter().rev().find_map(|frame| frame.id.clone());
    let after = ada.follow(&run, last.as_deref()).await.until(is("run.completed")).await;
    let all = ada.get(&format!("/api/v1/runs/{run}/events?limit=500")).await.expect(StatusCode::OK);
    (before, after, all["items"].as_array().unwrap().clone())
}

#[tokio::test]
async fn whoever_resumes_after_a_restart_in_the_middle_of_an_answer_misses_no_event_and_sees_none_twice() {
    let (before, after, all) = resumed().await;
    let told: Vec<String> = before.iter().chain(&after).filter_map(|frame| frame.id.clone()).collect();
    let there: Vec<String> = all.iter().map(|event| event["position"].to_string()).collect();
    assert_eq!(told, there);
}

#[tokio::test]
async fn an_answer_that_is_asked_for_again_after_a_restart_is_heard_from_its_beginning() {
    let (before, after, _) = resumed().await;
    assert_eq!((heard(&before).as_str(), heard(&after).as_str()), ("It is", "It is filed."));
}

/// Two servers and a worker on one PostgreSQL, and a run whose model answers once all clients have subscribed.
struct Spread {
    ada: Client,
    run: String,
    database: Fresh,
    _models: Arc<ModelServer>,
    servers: [Server; 2],
    _worker: Option<Process>,
    _tracker: Tracker,
    _place: TempDir,
}

impl Spread {
    /// Starts everything; the run is in progress.
    async fn start(carrying_out: &str, worker: bool, time: Duration) -> Self {
        let (place, tracker) = (tempfile::tempdir().unwrap(), Tracker::start(time).await);
        let (database, models) = (Fresh::make(), provider(ProviderKind::OpenAi).await);
        let address = format!("models.house.base_url={}", models.base_url());
        let flags = ["--set", carrying_out, "--set", "models.house.kind=openai", "--set", &address];
        let server = |name: &str| database.server_with(&place.path().join(name), &tracker, &flags);
        let one = server("one");
        let ada = Client::administrator(&one).await;
        let servers = [one, server("other")];
        let worker =
            worker.then(|| worker_with(&place.path().join("worker"), &database, &tracker, housed(&models, "openai")));
        let agent = engaged(&ada, &clerk(&tracker, "house/echo-1")).await;
        models.prepare(wants_a_ticket());
        let run = ada.execute(&agent, &json!("The lamp is broken.")).await;
        slowly(&models, &["It ", "is ", "filed ", "and ", "will ", "be ", "seen ", "to."]);
        Self { ada, run, database, _models: models, servers, _worker: worker, _tracker: tracker, _place: place }
    }

    /// The text that clients of both servers receive until the run has ended.
    async fn heard(&self) -> [String; 2] {
        let at = |server: &Server| {
            let ada = self.ada.at(&server.url);
            async move { heard(&ada.follow(&self.run, None).await.until(is("run.completed")).await) }
        };
        let [one, other] = &self.servers;
        tokio::join!(at(one), at(other)).into()
    }
}

const SAID: &str = "It is filed and will be seen to.";

#[tokio::test]
#[ignore = "needs PostgreSQL"]
async fn what_a_model_says_at_a_worker_is_heard_at_every_server() {
    let spread = Spread::start("runs.concurrency=0", true, Duration::from_secs(3)).await;
    assert_eq!(spread.heard().await, [SAID, SAID]);
}

#[tokio::test]
#[ignore = "needs PostgreSQL"]
async fn what_a_model_says_at_one_server_is_heard_once_there_and_at_the_other() {
    let spread = Spread::start("runs.concurrency=8", false, Duration::from_secs(3)).await;
    assert_eq!(spread.heard().await, [SAID, SAID]);
}

#[tokio::test]
#[ignore = "needs PostgreSQL"]
async fn a_connection_that_breaks_is_made_again_and_what_a_model_says_is_heard() {
    let spread = Spread::start("runs.concurrency=0", true, Duration::from_secs(6)).await;
    let cut = async {
        tokio::time::sleep(Duration::from_millis(1_500)).await;
        spread.database.tell(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
             WHERE datname = current_database() AND application_name = 'devskyy live'",
        );
    };
    assert_eq!(tokio::join!(spread.heard(), cut).0, [SAID, SAID]);
}
