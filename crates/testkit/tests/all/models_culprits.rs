//! Askers of models with one flaw each. A contract that lets one of them pass is no contract.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{panic::AssertUnwindSafe, pin::Pin, sync::Arc, time::Duration};

use async_trait::async_trait;
use devskyy_application::models::{Deltas, ModelAnswer, ModelError, ModelRequest, Models};
use devskyy_domain::{
    conversation::{Finish, Usage},
    kernel::Json,
};
use devskyy_testkit::{
    contracts::models::{ModelsUnderTest, ScriptedStage, answers, failures},
    fakes::NoDeltas,
};
use futures_util::FutureExt;

type Outcome = Result<ModelAnswer, ModelError>;

/// Turns what an honest asker answers into something else.
struct Flawed {
    honest: Arc<dyn Models>,
    flaw: fn(Outcome) -> Outcome,
    deaf: bool,
}

#[async_trait]
impl Models for Flawed {
    async fn ask(&self, request: &ModelRequest, deltas: &dyn Deltas) -> Outcome {
        (self.flaw)(self.honest.ask(request, if self.deaf { &NoDeltas } else { deltas }).await)
    }
}

/// Goes on asking after its caller has gone.
struct Clinging(Arc<dyn Models>);

#[async_trait]
impl Models for Clinging {
    async fn ask(&self, request: &ModelRequest, _: &dyn Deltas) -> Outcome {
        let (honest, request) = (self.0.clone(), request.clone());
        tokio::spawn(async move { honest.ask(&request, &NoDeltas).await }).await.unwrap()
    }
}

fn flawed(flaw: fn(Outcome) -> Outcome) -> ModelsUnderTest {
    let honest = ScriptedStage::set();
    ModelsUnderTest { models: Arc::new(Flawed { honest: honest.models, flaw, deaf: false }), stage: honest.stage }
}

type Promise = for<'a> fn(&'a ModelsUnderTest) -> Pin<Box<dyn Future<Output = ()> + 'a>>;

macro_rules! promise {
    ($module:ident::$name:ident) => {
        (stringify!($name), (|under_test| Box::pin($module::$name(under_test))) as Promise)
    };
}

async fn is_caught(promise: Promise, culprit: &ModelsUnderTest) -> bool {
    AssertUnwindSafe(promise(culprit)).catch_unwind().await.is_err()
}

async fn all_caught(flaw: fn(Outcome) -> Outcome, promises: &[(&str, Promise)]) {
    let mut passed = vec![];
    for (name, promise) in promises {
        if !is_caught(*promise, &flawed(flaw)).await {
            passed.push(*name);
        }
    }
    assert!(passed.is_empty(), "the culprit gets away with {passed:?}");
}

#[tokio::test]
async fn an_asker_whose_listeners_hear_nothing_is_caught() {
    let honest = ScriptedStage::set();
    let models = Arc::new(Flawed { honest: honest.models, flaw: |outcome| outcome, deaf: true });
    let culprit = ModelsUnderTest { models, stage: honest.stage };
    let (_, promise) = promise!(answers::text_is_heard_piece_by_piece_and_answered_whole);
    assert!(is_caught(promise, &culprit).await);
}

#[tokio::test]
async fn an_asker_that_garbles_letters_is_caught() {
    let garbles = |outcome: Outcome| outcome.map(|it| ModelAnswer { text: it.text.replace('\u{fc}', "?"), ..it });
    all_caught(garbles, &[promise!(answers::an_answer_may_be_cut_between_any_two_bytes)]).await;
}

#[tokio::test]
async fn an_asker_that_mixes_calls_up_is_caught() {
    let mixes = |outcome: Outcome| {
        outcome.map(|mut it| {
            let last = it.calls.last().map(|call| call.arguments.clone()).unwrap_or_default();
            it.calls.iter_mut().for_each(|call| call.arguments = last.clone());
            it
        })
    };
    all_caught(mixes, &[promise!(answers::parallel_calls_are_told_apart)]).await;
}

#[tokio::test]
async fn an_asker_that_loses_arguments_is_caught() {
    let loses = |outcome: Outcome| {
        outcome.map(|mut it| {
            it.calls.iter_mut().for_each(|call| call.arguments = Json::Null);
            it
        })
    };
    let promises = [
        promise!(answers::a_call_without_arguments_has_none),
        promise!(answers::arguments_that_are_not_json_are_kept_as_text),
    ];
    all_caught(loses, &promises).await;
}

#[tokio::test]
async fn an_asker_that_counts_tokens_twice_is_caught() {
    let twice = |outcome: Outcome| {
        let sums = |usage: Usage| Usage { input: usage.input + usage.cache_read, ..usage };
        outcome.map(|it| ModelAnswer { usage: sums(it.usage), ..it })
    };
    all_caught(twice, &[promise!(answers::no_token_is_in_two_classes)]).await;
}

#[tokio::test]
async fn an_asker_that_calls_every_end_a_stop_is_caught() {
    let stops = |outcome: Outcome| outcome.map(|it| ModelAnswer { finish: Finish::Stop, ..it });
    all_caught(stops, &[promise!(answers::every_reason_to_stop_is_understood)]).await;
}

#[tokio::test]
async fn an_asker_that_does_not_say_who_answered_is_caught() {
    let nameless = |outcome: Outcome| outcome.map(|it| ModelAnswer { answered_by: it.model.clone(), ..it });
    all_caught(nameless, &[promise!(answers::the_answer_names_who_gave_it)]).await;
}

#[tokio::test]
async fn an_asker_that_does_not_say_how_long_to_wait_is_caught() {
    let hasty = |outcome: Outcome| {
        outcome.map_err(|error| match error {
            ModelError::RateLimited { .. } => ModelError::RateLimited { retry_after: None },
            ModelError::Unavailable { message, .. } => ModelError::Unavailable { message, retry_after: None },
            other => other,
        })
    };
    let promises = [
        promise!(failures::too_many_questions_may_be_asked_again_after_so_many_seconds),
        promise!(failures::too_many_questions_may_be_asked_again_after_a_date),
        promise!(failures::an_overloaded_provider_may_be_asked_again),
    ];
    all_caught(hasty, &promises).await;
}

#[tokio::test]
async fn an_asker_that_gives_up_for_good_is_caught() {
    let gives_up =
        |outcome: Outcome| outcome.map_err(|_| ModelError::Refused { status: None, message: "no".to_owned() });
    let promises = [
        promise!(failures::a_failed_provider_may_be_asked_again),
        promise!(failures::an_answer_that_breaks_off_is_none),
        promise!(failures::nonsense_is_no_answer),
        promise!(failures::a_silent_provider_runs_out_of_time),
        promise!(failures::a_provider_that_falls_silent_runs_out_of_time),
    ];
    all_caught(gives_up, &promises).await;
}

#[tokio::test]
async fn an_asker_that_would_ask_for_ever_is_caught() {
    let insists = |outcome: Outcome| outcome.map_err(|_| ModelError::RateLimited { retry_after: None });
    let promises = [
        promise!(failures::a_wrong_key_is_refused_for_good),
        promise!(failures::a_wrong_question_is_refused_for_good),
        promise!(failures::an_unpaid_account_is_refused_for_good),
        promise!(failures::a_redirect_is_not_followed),
        promise!(failures::an_endless_answer_is_refused),
    ];
    all_caught(insists, &promises).await;
}

#[tokio::test]
async fn an_asker_that_quotes_the_key_is_caught() {
    let quotes = |outcome: Outcome| {
        let message = "sk-test-1234 is not known".to_owned();
        outcome.map_err(|_| ModelError::Refused { status: Some(401), message })
    };
    all_caught(quotes, &[promise!(failures::a_wrong_key_is_refused_for_good)]).await;
}

#[tokio::test]
async fn an_asker_that_does_not_hang_up_is_caught() {
    let honest = ScriptedStage::set();
    let stage = honest.stage.clone();
    let culprit = ModelsUnderTest { models: Arc::new(Clinging(honest.models)), stage: honest.stage };
    let (_, promise) = promise!(failures::dropping_the_question_hangs_up);
    let caught = tokio::time::timeout(Duration::from_secs(8), is_caught(promise, &culprit)).await;
    drop(stage);
    assert!(caught.unwrap());
}
