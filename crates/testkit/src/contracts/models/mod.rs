//! The contract of model clients. `models_contract!(factory)` creates one test per promise.
#![expect(clippy::expect_used, reason = "a broken promise is a panic")]

pub mod answers;
pub mod failures;
pub mod questions;
mod stage;

use std::time::Duration;

use devskyy_application::models::{ModelAnswer, ModelError, ModelRequest, OutputFormat, ToolOffer};
use devskyy_domain::{conversation::Message, kernel::Json};
use uuid::Uuid;

pub use self::stage::{Act, CallScript, ModelsUnderTest, Reply, ScriptedStage, Stage};
use crate::fakes::Heard;

/// A request with every feature.
#[must_use]
pub fn question() -> ModelRequest {
    let schema: Json = [("type".to_owned(), Json::from("object"))].into_iter().collect();
    ModelRequest {
        project: Uuid::from_u128(1).into(),
        model: "fake/echo-1".to_owned(),
        fallbacks: vec![],
        messages: vec![Message::System { text: "Be brief.".to_owned() }, Message::User { text: "Grüße?".to_owned() }],
        tools: vec![ToolOffer { name: "look".to_owned(), description: "Looks.".to_owned(), schema: schema.clone() }],
        output: Some(OutputFormat { name: "greeting".to_owned(), schema }),
        max_output_tokens: 100,
        temperature: Some(500),
        operation: Uuid::from_u128(7).into(),
        timeout: Duration::from_secs(20),
    }
}

impl ModelsUnderTest {
    async fn ask(&self, act: Act) -> Result<ModelAnswer, ModelError> {
        self.stage.prepare(act);
        self.models.ask(&question(), &Heard::default()).await
    }

    async fn answer(&self, reply: Reply) -> ModelAnswer {
        self.ask(Act::Answer(reply)).await.expect("the model answers")
    }

    async fn failure(&self, act: Act) -> ModelError {
        self.ask(act).await.expect_err("the model fails")
    }
}

/// Creates a test for each promise, over the adapter from the factory.
#[macro_export]
macro_rules! models_contract {
    ($($how:tt)+) => {
        $crate::promises! { [$($how)+] [(&) models::answers] =>
            text_is_heard_piece_by_piece_and_answered_whole,
            an_answer_may_be_cut_between_any_two_bytes,
            parallel_calls_are_told_apart,
            a_call_without_arguments_has_none,
            arguments_that_are_not_json_are_kept_as_text,
            no_token_is_in_two_classes,
            every_reason_to_stop_is_understood,
            the_answer_names_who_gave_it,
        }
        $crate::promises! { [$($how)+] [(&) models::questions] =>
            a_conversation_begun_with_others_goes_on,
            a_conversation_that_called_tools_goes_on_without_any,
            any_schema_may_be_the_form_of_an_answer,
            any_schema_of_an_object_may_be_that_of_arguments,
            what_a_provider_wants_back_comes_back_to_it,
        }
        $crate::promises! { [$($how)+] [(&) models::failures] =>
            too_many_questions_may_be_asked_again_after_so_many_seconds,
            too_many_questions_may_be_asked_again_after_a_date,
            an_overloaded_provider_may_be_asked_again,
            a_failed_provider_may_be_asked_again,
            a_wrong_key_is_refused_for_good,
            a_wrong_question_is_refused_for_good,
            a_question_that_is_too_long_is_told_apart,
            an_unpaid_account_is_refused_for_good,
            a_redirect_is_not_followed,
            an_answer_that_breaks_off_is_none,
            nonsense_is_no_answer,
            an_answer_with_nothing_in_it_is_none,
            an_answer_that_stops_for_an_unknown_reason_is_none,
            an_endless_answer_is_refused,
            a_silent_provider_runs_out_of_time,
            a_provider_that_falls_silent_runs_out_of_time,
            dropping_the_question_hangs_up,
        }
    };
}
