//! Assistants whose first model does not answer: over real sockets, a provider with another protocol does.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use devskyy_application::{
    es::StreamId,
    models::{BreakerHabits, RoutedModels},
    paging::{PageRequest, Part},
    runs::{Dimension, Grouping, ModelUse, RunPublished, UsageDays, UsageFilter, UsageViews as _},
};
use devskyy_domain::{
    conversation::{Finish, TokenCount},
    kernel::{EventSet as _, ids::AgentId},
    models::{AllowedModels, Price, PriceList, ProviderKind},
    runs::{ModelAnswered, Phase, Run, RunEvent},
};
use devskyy_infrastructure::{
    crypto::MasterKey,
    models::{ConfiguredProviders, Endpoint, Patience, PlatformProvider, SqlProviderVault, SqlProviders, Wire},
    runs::SqlUsage,
    sql::Database,
    system::SystemClock,
    tools::EgressPolicy,
};
use devskyy_testkit::{
    contracts::models::{Act, CallScript, Reply, Stage as _},
    fakes::ModelServer,
};
use serde_json::json;

use super::rig::{Process, Rig, project};
use crate::databases::{Fresh, sqlite};

/// How long a run may take on a busy machine.
const PATIENCE: Duration = Duration::from_secs(30);
/// How long a provider may be silent here.
const SILENCE: Duration = Duration::from_millis(400);
/// The usage of the provider that answers: some of each class.
const USED: TokenCount = TokenCount { input: 20, output: 7, cache_read: 300, cache_write: 40, reasoning: 5 };
/// Longer than any of these tests.
const LONG: BreakerHabits =
    BreakerHabits { failures: 2, rest: Duration::from_secs(600), longest: Duration::from_secs(600) };

/// Both providers over their protocols, and an assistant that calls the first and falls back to the second.
struct Scene {
    rig: Rig,
    first: Arc<ModelServer>,
    second: Arc<ModelServer>,
    agent: AgentId,
    _process: Process,
}

fn provider(server: &ModelServer, kind: ProviderKind, input: u64) -> PlatformProvider {
    let price = Price { input, output: 2_000_000, cache_read: 100_000, cache_write: 1_250_000, reasoning: 0 };
    let prices = PriceList::parse(BTreeMap::from([("echo-1".to_owned(), price)])).unwrap();
    let endpoint = Endpoint {
        kind,
        base_url: server.base_url(),
        key: Some("sk-fallback".into()),
        trusted: true,
        first_byte: None,
    };
    PlatformProvider { endpoint, models: AllowedModels::default(), prices }
}

fn routed(db: &Database, platform: BTreeMap<String, PlatformProvider>, habits: BreakerHabits) -> Arc<RoutedModels> {
    let (clock, patience) = (Arc::new(SystemClock), Patience { first_byte: SILENCE, idle: SILENCE });
    let wire = Arc::new(Wire::new(EgressPolicy::default(), clock.clone(), patience).unwrap());
    let vault = Arc::new(SqlProviderVault::new(db.clone(), MasterKey::generate().unwrap()));
    let views = Arc::new(SqlProviders::new(db.clone()));
    Arc::new(RoutedModels::new(Arc::new(ConfiguredProviders::new(platform, views, vault, wire)), clock, habits))
}

impl Scene {
    async fn set(fresh: Fresh, kinds: [ProviderKind; 2], habits: BreakerHabits) -> Self {
        let [first, second] = kinds.map(ModelServer::start);
        let (first, second) = (first.await.unwrap(), second.await.unwrap());
        let platform = BTreeMap::from([
            ("first".to_owned(), provider(&first, kinds[0], 9_000_000)),
            ("second".to_owned(), provider(&second, kinds[1], 1_000_000)),
        ]);
        let routed = routed(&fresh.db, platform, habits);
        let mut rig = Rig::over(fresh, routed.clone()).await;
        rig.prices = routed;
        let agent = rig.agent(
            1,
            &json!({
                "model": "first/echo-1", "fallbacks": ["second/echo-1"], "instructions": "Do it.",
                "tools": {"read": {
                    "kind": "builtin", "builtin": "parse", "description": "Reads a text.", "input_schema": {"type": "object"}
                }}
            }),
        );
        let _process = rig.process(&rig.outside, 1);
        Self { rig, first, second, agent, _process }
    }

    /// A run in which the first behaves like that and the second answers; returns its events.
    async fn run(&self, act: Act) -> Vec<RunEvent> {
        self.first.prepare(act);
        self.second.prepare(Act::Answer(Reply { usage: USED, ..Reply::says(&["It is ", "done."]) }));
        self.run_on().await
    }

    async fn run_on(&self) -> Vec<RunEvent> {
        let run = self.rig.start(self.agent).await;
        let ended = self.rig.wait(run, PATIENCE).await;
        assert_eq!(*ended.phase(), Phase::Completed);
        let stored = self.rig.outside.store.read_stream(StreamId::of::<Run>(run), 0, 100).await.unwrap();
        stored.iter().map(|event| event.decode().unwrap()).collect()
    }

    /// How often each was called.
    fn asked(&self) -> (usize, usize) {
        (self.first.received().len(), self.second.received().len())
    }
}

fn failing(status: u16, retry_after: Option<&'static str>) -> Act {
    Act::Status { status, retry_after, code: "overloaded_error" }
}

fn kinds(events: &[RunEvent]) -> Vec<&'static str> {
    events.iter().map(RunEvent::event_type).collect()
}

fn answered(events: &[RunEvent]) -> &ModelAnswered {
    let answer = events.iter().rev().find_map(|event| match event {
        RunEvent::ModelAnswered(answered) => Some(answered),
        _ => None,
    });
    answer.expect("a model answered")
}

/// An answer that requests a call.
fn calls(id: &'static str, name: &'static str, mind: Option<&'static str>) -> Act {
    let calls = vec![CallScript { id, name, arguments: vec!["{\"text\":\"1\"}"] }];
    Act::Answer(Reply { calls, mind, finish: Finish::ToolCalls, usage: USED, ..Reply::says(&[]) })
}

/// The record of a run in which the first behaves like that: its events, the answers and their models, and their cost
/// at which price of an input token.
async fn told_after(
    kinds_of: [ProviderKind; 2],
    act: Act,
) -> (Vec<&'static str>, String, TokenCount, Option<u64>, Option<u64>) {
    let scene = Scene::set(sqlite().await, kinds_of, BreakerHabits::default()).await;
    let events = scene.run(act).await;
    let ModelAnswered { answered_by, usage, cost_micros, price, .. } = answered(&events).clone();
    assert_eq!(scene.rig.faults().await, Vec::<String>::new());
    (kinds(&events), answered_by, usage, cost_micros, price.map(|applied| applied.price.input))
}

/// One call, one answer, at the price of the provider that gave it.
fn by_the_second() -> (Vec<&'static str>, String, TokenCount, Option<u64>, Option<u64>) {
    let events = ["run.queued", "run.claimed", "run.model_called", "run.model_answered", "run.completed"];
    (events.to_vec(), "second/echo-1".to_owned(), USED, Some(114), Some(1_000_000))
}

#[tokio::test]
async fn messages_answer_where_chat_completions_fail() {
    for act in [failing(500, None), failing(429, Some("60")), Act::Silence, Act::BreakOff("It"), Act::Stall("It")] {
        let told = told_after([ProviderKind::OpenAi, ProviderKind::Anthropic], act.clone()).await;
        assert_eq!(told, by_the_second(), "{act:?}");
    }
}

#[tokio::test]
async fn chat_completions_answer_where_messages_fail() {
    for act in [failing(529, None), failing(429, Some("60")), Act::Silence, Act::BreakOff("It"), Act::Stall("It")] {
        let told = told_after([ProviderKind::Anthropic, ProviderKind::OpenAi], act.clone()).await;
        assert_eq!(told, by_the_second(), "{act:?}");
    }
}

const BOTH: [ProviderKind; 2] = [ProviderKind::OpenAi, ProviderKind::Anthropic];

#[tokio::test]
async fn what_was_used_counts_for_the_one_that_answered() {
    let scene = Scene::set(sqlite().await, BOTH, BreakerHabits::default()).await;
    for status in [500, 503] {
        scene.run(failing(status, None)).await;
    }
    let by = Grouping::by(&[Dimension::Model]).unwrap();
    #[expect(clippy::disallowed_methods, reason = "these tests live in real time")]
    let days = UsageDays::parse(None, None, chrono::Utc::now()).unwrap();
    let filter = UsageFilter { project: project(), days, agent: None, by };
    let all = Part::Page(PageRequest { page: 1, page_size: 10 });
    let told = SqlUsage::new(scene.rig.fresh.db.clone()).usage(&filter, &all).await.unwrap().groups.items;
    let told: Vec<_> = told.into_iter().map(|group| (group.model.unwrap_or_default(), group.used)).collect();
    let mut twice = USED;
    twice += USED;
    let used = ModelUse { calls: 2, tokens: twice, cost_micros: 228, ..ModelUse::default() };
    assert_eq!(told, [("second/echo-1".to_owned(), used)]);
}

#[tokio::test]
async fn a_provider_that_says_how_long_is_not_asked_meanwhile() {
    let scene = Scene::set(sqlite().await, BOTH, BreakerHabits::default()).await;
    scene.run(failing(429, Some("600"))).await;
    scene.run(failing(429, Some("600"))).await;
    assert_eq!(scene.asked(), (1, 2));
}

#[tokio::test]
async fn a_provider_that_keeps_failing_is_not_asked_by_later_runs() {
    let scene = Scene::set(sqlite().await, BOTH, LONG).await;
    for _ in 0..4 {
        scene.run(failing(500, None)).await;
    }
    assert_eq!(scene.asked(), (2, 4));
}

#[tokio::test]
async fn a_provider_that_works_again_is_the_first_choice_again() {
    let scene = Scene::set(sqlite().await, BOTH, BreakerHabits { rest: Duration::from_millis(200), ..LONG }).await;
    for _ in 0..2 {
        scene.run(failing(500, None)).await;
    }
    tokio::time::sleep(Duration::from_millis(300)).await;
    scene.first.prepare(Act::Answer(Reply::says(&["Back again."])));
    let events = scene.run_on().await;
    let answered = answered(&events);
    let price = answered.price.as_ref().map(|applied| applied.price.input);
    assert_eq!((answered.answered_by.as_str(), price, scene.asked()), ("first/echo-1", Some(9_000_000), (3, 2)));
}

/// The models that answered in a run that the first provider begins, with repeated and foreign ids of calls and invalid
/// names of tools, and that the second ends.
async fn handed_over(kinds_of: [ProviderKind; 2]) -> Vec<String> {
    let scene = Scene::set(sqlite().await, kinds_of, BreakerHabits::default()).await;
    for (id, name) in [("call_0", "functions.read"), ("call_0", "read"), ("functions.read:0", "")] {
        scene.first.prepare(calls(id, name, None));
    }
    let events = scene.run(failing(500, None)).await;
    let answers = events.iter().filter_map(|event| match event {
        RunEvent::ModelAnswered(answered) => Some(answered.answered_by.clone()),
        _ => None,
    });
    answers.collect()
}

#[tokio::test]
async fn a_conversation_goes_on_at_another_provider_whatever_its_ids_and_names() {
    let [openai, anthropic] = BOTH;
    let both = [handed_over([openai, anthropic]).await, handed_over([anthropic, openai]).await];
    let expected = ["first/echo-1", "first/echo-1", "first/echo-1", "second/echo-1"];
    assert_eq!(both, [expected, expected]);
}

/// How a run ends whose model thinks before each of its calls.
async fn thought_through(kind: ProviderKind) -> Phase {
    let scene = Scene::set(sqlite().await, [kind, kind], BreakerHabits::default()).await;
    for (id, mind) in [("call_a", "c2lnbmVkIGZpcnN0"), ("call_b", "c2lnbmVkIHNlY29uZA")] {
        scene.first.prepare(calls(id, "read", Some(mind)));
    }
    scene.first.prepare(Act::Answer(Reply::says(&["It is done."])));
    let run = scene.rig.start(scene.agent).await;
    scene.rig.wait(run, PATIENCE).await.phase().clone()
}

#[tokio::test]
async fn a_model_that_thinks_gets_its_thoughts_back_with_every_question() {
    let both = [thought_through(ProviderKind::OpenAi).await, thought_through(ProviderKind::Anthropic).await];
    assert_eq!(both, [Phase::Completed, Phase::Completed]);
}

#[tokio::test]
async fn thoughts_are_kept_with_the_answer_and_shown_to_nobody() {
    let scene = Scene::set(sqlite().await, BOTH, BreakerHabits::default()).await;
    scene.first.prepare(calls("call_a", "read", Some("c2lnbmVk")));
    scene.first.prepare(Act::Answer(Reply::says(&["It is done."])));
    let run = scene.rig.start(scene.agent).await;
    scene.rig.wait(run, PATIENCE).await;
    let stored = scene.rig.outside.store.read_stream(StreamId::of::<Run>(run), 0, 100).await.unwrap();
    let events: Vec<RunEvent> = stored.iter().map(|event| event.decode().unwrap()).collect();
    let shown = events.iter().zip(&stored).map(|(event, recorded)| format!("{:?}", RunPublished::of(event, recorded)));
    let kept = events.iter().any(|event| format!("{event:?}").contains("c2lnbmVk"));
    assert_eq!((kept, shown.filter(|shown| shown.contains("c2lnbmVk")).count()), (true, 0));
}

/// The result of a run whose first answer violates a typical schema, and the model's input after that.
async fn repaired(kind: ProviderKind) -> (Phase, usize, bool) {
    let scene = Scene::set(sqlite().await, [kind, kind], BreakerHabits::default()).await;
    let agent = scene.rig.agent(
        2,
        &json!({
            "model": "first/echo-1", "instructions": "Add it up.",
            "output_schema": {
                "type": "object", "properties": {"total": {"type": "integer", "minimum": 7}}, "required": ["total"]
            }
        }),
    );
    for said in ["{\"total\": 3}", "{\"total\": 8}"] {
        scene.first.prepare(Act::Answer(Reply::says(&[said])));
    }
    let run = scene.rig.start(agent).await;
    let ended = scene.rig.wait(run, PATIENCE).await.phase().clone();
    let asked = scene.first.received();
    let last = asked.last().unwrap().body["messages"].as_array().unwrap().last().unwrap().to_string();
    (ended, asked.len(), last.contains(r#"\"minimum\":7"#))
}

#[tokio::test]
async fn an_ordinary_schema_is_taken_by_both_and_told_again_where_an_answer_breaks_it() {
    let both = [repaired(ProviderKind::OpenAi).await, repaired(ProviderKind::Anthropic).await];
    assert_eq!(both, [(Phase::Completed, 2, true), (Phase::Completed, 2, true)]);
}

#[tokio::test]
async fn thoughts_of_one_provider_do_not_keep_another_from_going_on() {
    let scene = Scene::set(sqlite().await, BOTH, BreakerHabits::default()).await;
    scene.first.prepare(calls("call_a", "read", Some("c2lnbmVk")));
    let events = scene.run(failing(500, None)).await;
    assert_eq!(answered(&events).answered_by, "second/echo-1");
}

#[tokio::test]
async fn an_answer_without_words_and_calls_is_given_by_another_provider() {
    for act in [Act::Answer(Reply::says(&[])), Act::Stops("abort"), Act::Stops("malformed_function_call")] {
        let told = told_after(BOTH, act.clone()).await;
        assert_eq!(told, by_the_second(), "{act:?}");
    }
}
