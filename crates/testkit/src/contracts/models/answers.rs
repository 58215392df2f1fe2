//! The contract of model answers.

use devskyy_domain::{
    conversation::{Finish, TokenCount, ToolCall},
    kernel::Json,
};

use super::{Act, CallScript, ModelsUnderTest, Reply, question};
use crate::fakes::Heard;

fn call(id: &'static str, name: &'static str, arguments: &[&'static str]) -> CallScript {
    CallScript { id, name, arguments: arguments.to_vec() }
}

fn wants(calls: Vec<CallScript>) -> Reply {
    Reply { calls, finish: Finish::ToolCalls, ..Reply::says(&[]) }
}

fn document(text: &str) -> Json {
    serde_json::from_str(text).expect("a document")
}

/// The deltas add up to the answer.
pub async fn text_is_heard_piece_by_piece_and_answered_whole(under_test: &ModelsUnderTest) {
    under_test.stage.prepare(Act::Answer(Reply::says(&["Gr\u{fc}\u{df}e, ", "W\u{f6}lt \u{1f30d}", "\n\"done\""])));
    let heard = Heard::default();
    let answer = under_test.models.ask(&question(), &heard).await.expect("an answer");
    assert_eq!(
        (answer.text.as_str(), heard.pieces().concat().as_str()),
        ("Gr\u{fc}\u{df}e, W\u{f6}lt \u{1f30d}\n\"done\"", "Gr\u{fc}\u{df}e, W\u{f6}lt \u{1f30d}\n\"done\"",)
    );
}

/// Even within a character.
pub async fn an_answer_may_be_cut_between_any_two_bytes(under_test: &ModelsUnderTest) {
    let reply = Reply { cut: 1, ..Reply::says(&["Gr\u{fc}\u{df}e \u{1f30d}", "!"]) };
    assert_eq!(under_test.answer(reply).await.text, "Gr\u{fc}\u{df}e \u{1f30d}!");
}

/// Each call has its own id, name and arguments.
pub async fn parallel_calls_are_told_apart(under_test: &ModelsUnderTest) {
    let calls = vec![call("c1", "look", &["{\"at\":", " \"a\"}"]), call("c2", "look", &["{\"at\"", ":\"b\"}"])];
    let answer = under_test.answer(wants(calls)).await;
    let expected = [("c1", "{\"at\":\"a\"}"), ("c2", "{\"at\":\"b\"}")].map(|(id, arguments)| ToolCall {
        id: id.to_owned(),
        name: "look".to_owned(),
        arguments: document(arguments),
    });
    assert_eq!((answer.finish, answer.calls), (Finish::ToolCalls, expected.to_vec()));
}

/// Empty arguments become an empty object.
pub async fn a_call_without_arguments_has_none(under_test: &ModelsUnderTest) {
    let answer = under_test.answer(wants(vec![call("c1", "look", &[])])).await;
    assert_eq!(answer.calls.first().map(|call| call.arguments.clone()), Some(document("{}")));
}

/// The caller can report the error to the model.
pub async fn arguments_that_are_not_json_are_kept_as_text(under_test: &ModelsUnderTest) {
    let answer = under_test.answer(wants(vec![call("c1", "look", &["{\"at\": ", "oops"])])).await;
    assert_eq!(answer.calls.first().map(|call| call.arguments.clone()), Some(Json::from("{\"at\": oops")));
}

/// Independent of how the provider counts.
pub async fn no_token_is_in_two_classes(under_test: &ModelsUnderTest) {
    let usage = TokenCount { input: 100, output: 20, cache_read: 30, cache_write: 4, reasoning: 50 };
    let answer = under_test.answer(Reply { usage, ..Reply::says(&["hm"]) }).await;
    assert_eq!(answer.usage, usage);
}

/// All four reasons.
pub async fn every_reason_to_stop_is_understood(under_test: &ModelsUnderTest) {
    let mut understood = vec![];
    for finish in [Finish::Stop, Finish::Length, Finish::Refused] {
        understood.push(under_test.answer(Reply { finish, ..Reply::says(&["hm"]) }).await.finish);
    }
    understood.push(under_test.answer(wants(vec![call("c", "look", &[])])).await.finish);
    assert_eq!(understood, [Finish::Stop, Finish::Length, Finish::Refused, Finish::ToolCalls]);
}

/// So that its price can be found.
pub async fn the_answer_names_who_gave_it(under_test: &ModelsUnderTest) {
    assert_eq!(under_test.answer(Reply::says(&["hm"])).await.answered_by, "fake/echo-1");
}
