//! Runs that are cancelled, or reach their deadline, in the middle of a model's answer.

use std::{sync::Arc, time::Duration};

use devskyy_domain::{
    conversation::{Finish, TokenCount},
    models::ProviderKind,
};
use devskyy_testkit::{
    contracts::models::{Act, CallScript, Reply, Stage as _},
    fakes::ModelServer,
};
use reqwest::StatusCode;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::{
    assisting::{clerk, engaged, provider, served, wants_a_ticket},
    client::Client,
    program::devskyy,
    server::Server,
    tracker::Tracker,
};

/// Between two pieces of the answer.
const PAUSE: Duration = Duration::from_millis(100);
/// Time in which a server notices that the connection it writes to is closed.
const SOON: Duration = Duration::from_secs(5);
/// Long enough for a first answer and a ticket, and over long before the second answer is.
const TIME: Duration = Duration::from_secs(8);

/// A text, and then a call whose arguments take minutes.
fn rambles() -> Act {
    let arguments = std::iter::once("{\"title\":\"").chain(std::iter::repeat_n("lamp ", 3_000)).chain(["\"}"]);
    let call = CallScript { id: "call_2", name: "file_ticket", arguments: arguments.collect() };
    let (pieces, usage) = (vec!["One ", "more."], TokenCount { input: 30, output: 9, ..TokenCount::default() });
    Act::Answer(Reply { pieces, calls: vec![call], finish: Finish::ToolCalls, usage, cut: 0, mind: None })
}

/// A run that has filed a ticket, and whose model is about to request another one.
struct Rambling {
    kind: ProviderKind,
    models: Arc<ModelServer>,
    ada: Client,
    run: String,
    server: Server,
    place: TempDir,
    _tracker: Tracker,
}

impl Rambling {
    async fn begun(kind: ProviderKind, time: Option<Duration>) -> Self {
        let (place, tracker, models) =
            (tempfile::tempdir().unwrap(), Tracker::start(Duration::ZERO).await, provider(kind).await);
        let server = served(place.path(), &tracker, &models, kind.as_str());
        let ada = Client::administrator(&server).await;
        let agent = engaged(&ada, &clerk(&tracker, "house/echo-1")).await;
        models.speak_slowly(PAUSE);
        models.prepare(wants_a_ticket());
        models.prepare(rambles());
        #[expect(clippy::disallowed_methods, reason = "the server lives in real time")]
        let deadline = time.map(|time| chrono::Utc::now() + time);
        let body = json!({"input": "The lamp is broken.", "deadline": deadline});
        let started = ada.post(&format!("/api/v1/agents/{agent}/execute"), &body).await.expect(StatusCode::ACCEPTED);
        let run = started["id"].as_str().unwrap().to_owned();
        let mut following = ada.follow(&run, None).await;
        following.until(|frame| frame.event == "run.model_delta" && frame.data["text"] == "more.").await;
        // Its text is complete: what it sends now is the call.
        tokio::time::sleep(PAUSE * 3).await;
        assert!(!hung_up(&models, PAUSE).await, "nobody has hung up yet");
        Self { kind, models, ada, run, server, place, _tracker: tracker }
    }

    /// How the run ended, whether the model's server noticed that the client was gone, and which calls the model sees
    /// when it is called again from there: those it requested, and those that have a result.
    async fn end(self) -> (Value, bool, Vec<String>, Vec<String>) {
        let ended = self.ada.run_ended(&self.run).await;
        let gone = hung_up(&self.models, SOON).await;
        self.models.speak_slowly(Duration::ZERO);
        self.models.prepare(Act::Answer(Reply::says(&["Only one."])));
        let fork = json!({"step": "turn_2", "wait_s": 30});
        let fork = self.ada.post(&format!("/api/v1/runs/{}/fork", self.run), &fork).await;
        assert_eq!(fork.body["output"], "Only one.", "{:#}", fork.body);
        let asked = self.models.received().into_iter().rfind(|asked| asked.request.starts_with("POST ")).unwrap();
        let (wanted, told) = calls(self.kind, &asked.body["messages"]);
        self.server.signal("-TERM");
        tokio::task::block_in_place(|| self.server.ended());
        let (code, out, error) = crate::program::ended(devskyy(self.place.path()).arg("verify"));
        assert_eq!(code, 0, "{out}{error}");
        (ended["status"].clone(), gone, wanted, told)
    }
}

async fn hung_up(models: &ModelServer, patience: Duration) -> bool {
    tokio::time::timeout(patience, models.hung_up()).await.is_ok()
}

/// The ids of the calls requested in a conversation, and of those with results, in order.
fn calls(kind: ProviderKind, messages: &Value) -> (Vec<String>, Vec<String>) {
    let all = messages.as_array().unwrap();
    let id = |value: &Value| value.as_str().unwrap().to_owned();
    match kind {
        ProviderKind::OpenAi => {
            let wanted = all.iter().flat_map(|message| message["tool_calls"].as_array().into_iter().flatten());
            let told = all.iter().filter(|message| message["role"] == "tool");
            (wanted.map(|call| id(&call["id"])).collect(), told.map(|result| id(&result["tool_call_id"])).collect())
        }
        ProviderKind::Anthropic => {
            let blocks = all.iter().flat_map(|message| message["content"].as_array().into_iter().flatten());
            let of = |kind: &'static str| blocks.clone().filter(move |block| block["type"] == kind);
            let wanted = of("tool_use").map(|block| id(&block["id"])).collect();
            (wanted, of("tool_result").map(|block| id(&block["tool_use_id"])).collect())
        }
    }
}

/// The call that was made, and no part of the one that was cut short.
fn stopped_as(status: &str) -> (Value, bool, Vec<String>, Vec<String>) {
    (json!(status), true, vec!["call_1".to_owned()], vec!["call_1".to_owned()])
}

async fn cancelled(kind: ProviderKind) -> (Value, bool, Vec<String>, Vec<String>) {
    let rambling = Rambling::begun(kind, None).await;
    let answer = rambling.ada.post(&format!("/api/v1/runs/{}/cancel", rambling.run), &json!({})).await;
    assert!(answer.status.is_success(), "{:#}", answer.body);
    rambling.end().await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_cancelled_in_the_middle_of_a_streamed_chat_completion_hangs_up_and_leaves_its_calls_in_pairs() {
    assert_eq!(cancelled(ProviderKind::OpenAi).await, stopped_as("cancelled"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_cancelled_in_the_middle_of_a_streamed_message_hangs_up_and_leaves_its_calls_in_pairs() {
    assert_eq!(cancelled(ProviderKind::Anthropic).await, stopped_as("cancelled"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_expires_in_the_middle_of_a_streamed_chat_completion_hangs_up_and_leaves_its_calls_in_pairs() {
    let rambling = Rambling::begun(ProviderKind::OpenAi, Some(TIME)).await;
    assert_eq!(rambling.end().await, stopped_as("expired"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_expires_in_the_middle_of_a_streamed_message_hangs_up_and_leaves_its_calls_in_pairs() {
    let rambling = Rambling::begun(ProviderKind::Anthropic, Some(TIME)).await;
    assert_eq!(rambling.end().await, stopped_as("expired"));
}
