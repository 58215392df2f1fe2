//! Clients of models with one flaw each. A contract that accepts one of them is useless.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{collections::BTreeSet, sync::Arc};

use async_trait::async_trait;
use devskyy_application::models::{Deltas, ModelAnswer, ModelError, ModelRequest, Models};
use devskyy_domain::{
    conversation::{Finish, Message, TokenCount, ToolCall},
    kernel::Json,
};
use devskyy_testkit::{
    contracts::{
        is_broken,
        models::{ModelsUnderTest, ScriptedStage, failures},
    },
    fakes::NoDeltas,
};

type Outcome = Result<ModelAnswer, ModelError>;

/// Changes the answers of a correct client.
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

/// Does not send what a vendor would reject as it is.
struct Literal {
    honest: Arc<dyn Models>,
    refuses: fn(&ModelRequest) -> bool,
}

#[async_trait]
impl Models for Literal {
    async fn ask(&self, request: &ModelRequest, deltas: &dyn Deltas) -> Outcome {
        if (self.refuses)(request) {
            return Err(ModelError::Refused { status: Some(400), message: "it is no question".to_owned() });
        }
        self.honest.ask(request, deltas).await
    }
}

fn calls(request: &ModelRequest) -> Vec<&ToolCall> {
    let calls = request.messages.iter().flat_map(|message| match message {
        Message::Assistant { calls, .. } => calls.as_slice(),
        _ => &[],
    });
    calls.collect()
}

fn has_ids_twice(request: &ModelRequest) -> bool {
    let ids: Vec<_> = calls(request).into_iter().map(|call| &call.id).collect();
    ids.iter().collect::<BTreeSet<_>>().len() < ids.len()
}

fn calls_what_is_not_offered(request: &ModelRequest) -> bool {
    request.tools.is_empty() && !calls(request).is_empty()
}

fn leaves_objects_open(request: &ModelRequest) -> bool {
    let closed = Json::from(false);
    request.output.as_ref().is_some_and(|output| output.schema.get("additionalProperties") != Some(&closed))
}

fn combines_arguments(request: &ModelRequest) -> bool {
    request.tools.iter().any(|tool| tool.schema.get("anyOf").is_some())
}

/// Keeps calling after its caller is gone.
struct Clinging(Arc<dyn Models>);

#[async_trait]
impl Models for Clinging {
    async fn ask(&self, request: &ModelRequest, _: &dyn Deltas) -> Outcome {
        let (honest, request) = (self.0.clone(), request.clone());
        tokio::spawn(async move { honest.ask(&request, &NoDeltas).await }).await.unwrap()
    }
}

fn suspect(flaw: fn(Outcome) -> Outcome, deaf: bool) -> ModelsUnderTest {
    let honest = ScriptedStage::set();
    ModelsUnderTest { models: Arc::new(Flawed { honest: honest.models, flaw, deaf }), stage: honest.stage }
}

fn answers_unlike(change: impl FnOnce(&mut ModelAnswer), outcome: Outcome) -> Outcome {
    outcome.map(|mut answer| {
        change(&mut answer);
        answer
    })
}

fn garbles_letters(outcome: Outcome) -> Outcome {
    answers_unlike(|answer| answer.text = answer.text.replace('\u{fc}', "?"), outcome)
}

fn mixes_calls_up(outcome: Outcome) -> Outcome {
    let mix = |answer: &mut ModelAnswer| {
        let last = answer.calls.last().map(|call| call.arguments.clone()).unwrap_or_default();
        answer.calls.iter_mut().for_each(|call| call.arguments = last.clone());
    };
    answers_unlike(mix, outcome)
}

fn loses_arguments(outcome: Outcome) -> Outcome {
    answers_unlike(|answer| answer.calls.iter_mut().for_each(|call| call.arguments = Json::Null), outcome)
}

fn counts_tokens_twice(outcome: Outcome) -> Outcome {
    answers_unlike(|answer| answer.usage.input += answer.usage.cache_read, outcome)
}

fn calls_every_end_a_stop(outcome: Outcome) -> Outcome {
    answers_unlike(|answer| answer.finish = Finish::Stop, outcome)
}

fn does_not_say_who_answered(outcome: Outcome) -> Outcome {
    answers_unlike(|answer| answer.answered_by.clone_from(&answer.model), outcome)
}

fn does_not_say_how_long_to_wait(outcome: Outcome) -> Outcome {
    outcome.map_err(|error| match error {
        ModelError::RateLimited { .. } => ModelError::RateLimited { retry_after: None },
        ModelError::Unavailable { message, .. } => ModelError::Unavailable { message, retry_after: None },
        other => other,
    })
}

fn gives_up_for_good(outcome: Outcome) -> Outcome {
    outcome.map_err(|_| ModelError::Refused { status: None, message: "no".to_owned() })
}

fn would_ask_for_ever(outcome: Outcome) -> Outcome {
    outcome.map_err(|_| ModelError::RateLimited { retry_after: None })
}

fn quotes_the_key(outcome: Outcome) -> Outcome {
    let message = "sk-test-1234 is not known".to_owned();
    outcome.map_err(|_| ModelError::Refused { status: Some(401), message })
}

fn forgets_thoughts(outcome: Outcome) -> Outcome {
    answers_unlike(|answer| answer.carry = None, outcome)
}

fn takes_nothing_for_an_answer(outcome: Outcome) -> Outcome {
    outcome.or_else(|_| {
        let (text, calls, finish, usage) = (String::new(), vec![], Finish::Stop, TokenCount::default());
        let (model, answered_by) = ("scripted".to_owned(), String::new());
        Ok(ModelAnswer { text, calls, finish, usage, model, answered_by, price: None, carry: None })
    })
}

fn flawed() -> Vec<ModelsUnderTest> {
    let clinging = ScriptedStage::set();
    let clinging = ModelsUnderTest { models: Arc::new(Clinging(clinging.models)), stage: clinging.stage };
    let told: [fn(Outcome) -> Outcome; 11] = [
        garbles_letters,
        mixes_calls_up,
        loses_arguments,
        counts_tokens_twice,
        calls_every_end_a_stop,
        does_not_say_who_answered,
        does_not_say_how_long_to_wait,
        gives_up_for_good,
        would_ask_for_ever,
        forgets_thoughts,
        takes_nothing_for_an_answer,
    ];
    let literal: [fn(&ModelRequest) -> bool; 4] =
        [has_ids_twice, calls_what_is_not_offered, leaves_objects_open, combines_arguments];
    let mut all: Vec<_> = told.into_iter().map(|flaw| suspect(flaw, false)).collect();
    all.extend(literal.into_iter().map(|refuses| {
        let honest = ScriptedStage::set();
        ModelsUnderTest { models: Arc::new(Literal { honest: honest.models, refuses }), stage: honest.stage }
    }));
    all.extend([suspect(|outcome| outcome, true), clinging]);
    all
}

devskyy_testkit::models_contract!(broken flawed);

#[tokio::test]
async fn an_asker_that_quotes_the_key_is_caught() {
    let culprit = suspect(quotes_the_key, false);
    assert!(is_broken(failures::a_wrong_key_is_refused_for_good(&culprit)).await);
}
