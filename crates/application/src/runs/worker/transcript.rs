//! The conversation of an assistant's run, folded from its events; it is not stored separately.
//!
//! Every call a model requested has a result in it, whatever happened to the run, so any model accepts it.

use devskyy_domain::{
    assistant::Assistant,
    conversation::Message,
    kernel::Json,
    runs::{MAX_SHOWN, Run, Unit, Value, turn_step},
};

use super::stored::Recalled;

/// The messages before the model's next turn, without its instructions.
pub(super) fn transcript(run: &Run, recalled: &Recalled, assistant: &Assistant) -> Vec<Message> {
    let mut messages = vec![Message::User { text: input(run) }];
    let (done, (from, through)) = (run.turns(), left_out(run, assistant.context.pinned_turns));
    let add = |turn, messages: &mut Vec<Message>| {
        tell(run, recalled, turn, messages);
        messages.extend(run.rejection(turn).map(|errors| repair(errors, assistant.output_schema.as_ref())));
    };
    (1..from.min(done + 1)).for_each(|turn| add(turn, &mut messages));
    if through >= from {
        let text = match run.summary() {
            Some(summary) => format!("Summary of the conversation so far:\n{summary}"),
            None => "Earlier turns of the conversation are left out here.".to_owned(),
        };
        messages.push(Message::User { text });
        (through + 1..=done).for_each(|turn| add(turn, &mut messages));
    }
    messages
}

/// First and last of the turns that the model no longer sees; the last is before the first if it sees all.
fn left_out(run: &Run, pinned: u32) -> (u32, u32) {
    let done = run.turns();
    run.compaction().map_or((done + 1, done), |left| (pinned.min(done) + 1, left.through))
}

/// The turns in the next prompt, whether it is for a turn or a summary.
pub(super) fn told_turns(run: &Run, pinned: u32) -> impl Iterator<Item = u32> + use<> {
    let (done, (from, through)) = (run.turns(), left_out(run, pinned));
    (1..=done).filter(move |turn| *turn < from || *turn > through)
}

/// The prompt for a summary: the previous summary, and the turns to remove, as text.
pub(super) fn leaving(run: &Run, recalled: &Recalled, from: u32, through: u32) -> Vec<Message> {
    let mut turns = Vec::new();
    for turn in from..=through {
        tell(run, recalled, turn, &mut turns);
        turns.extend(run.rejection(turn).map(|errors| repair(errors, None)));
    }
    let before = run.summary().map(|summary| format!("Summary of what came before:\n{summary}\n\n"));
    let told: Vec<_> = turns.iter().map(told).collect();
    let text = format!("Task:\n{}\n\n{}{}", input(run), before.unwrap_or_default(), told.join("\n"));
    vec![Message::System { text: SUMMARISE.to_owned() }, Message::User { text }]
}

const SUMMARISE: &str = "Sum up this part of a conversation between an assistant and its tools for the assistant itself, \
                         which will no longer see it: facts found, decisions, open questions, identifiers. Be complete \
                         and brief, and add nothing.";

fn told(message: &Message) -> String {
    match message {
        Message::System { text } | Message::User { text } => text.clone(),
        Message::Assistant { text, calls, .. } => {
            let calls = calls.iter().map(|call| format!("\n  calls {} {}", call.name, written(&call.arguments)));
            format!("assistant: {text}{}", calls.collect::<String>())
        }
        Message::Tool { text, failed: false, .. } => format!("result: {text}"),
        Message::Tool { text, failed: true, .. } => format!("failed: {text}"),
    }
}

/// The prompt of a run without input: providers refuse empty messages, and `null` confuses models.
const NO_INPUT: &str = "There is no input. Go by your instructions.";

fn input(run: &Run) -> String {
    let given = run.order().filter(|order| !order.input.is_null()).map(|order| written(&order.input));
    given.filter(|text| !text.trim().is_empty()).unwrap_or_else(|| NO_INPUT.to_owned())
}

/// The message about an answer that does not match the output schema, with the schema once more.
fn repair(errors: &[String], schema: Option<&Json>) -> Message {
    let found = errors.join("\n");
    let schema = schema.map(|schema| format!("\n\nThe JSON Schema it has to fit:\n{}", written(schema)));
    let text = format!(
        "Your answer does not have the form that was asked for. Answer again, with nothing but the corrected JSON.\n\
         {found}{}",
        schema.unwrap_or_default()
    );
    Message::User { text }
}

/// Appends an answer and the results of its calls.
fn tell(run: &Run, recalled: &Recalled, turn: u32, messages: &mut Vec<Message>) {
    let Some(answer) = run.answer(&turn_step(turn)) else { return };
    if !answer.text.is_empty() || !answer.calls.is_empty() {
        messages.push(Message::Assistant {
            text: answer.text.clone(),
            calls: answer.calls.clone(),
            by: answer.answered_by.clone(),
            carry: answer.carry.clone(),
        });
    }
    for (index, call) in (0..).zip(&answer.calls) {
        let (text, failed) = result(run.call(turn, index), recalled);
        messages.push(Message::Tool { call: call.id.clone(), text, failed });
    }
}

/// A call's result for the model, and whether it is an error.
fn result(unit: Option<&Unit>, recalled: &Recalled) -> (String, bool) {
    match unit {
        Some(Unit::Succeeded(result)) => (shown(result, recalled), false),
        Some(Unit::Failed(failure)) => (cut(format!("{}: {}", failure.code, failure.message)), true),
        Some(Unit::InDoubt(_)) => {
            ("it is not known what became of the call; it may have had its effect".to_owned(), true)
        }
        Some(Unit::Calling(_)) => ("the run stopped before the result was known".to_owned(), true),
        Some(
            Unit::Backoff { .. } | Unit::Asking { .. } | Unit::Approved(_) | Unit::Child { .. } | Unit::Answered(_),
        )
        | None => ("the call was not carried out".to_owned(), true),
    }
}

/// A string as it is; any other value as JSON.
fn written(value: &Json) -> String {
    match value {
        Json::String(text) => text.clone(),
        other => serde_json::to_string(other).unwrap_or_default(),
    }
}

/// A result for the model: in full or, if it is stored beside the log, its beginning and its hash.
fn shown(result: &Value, recalled: &Recalled) -> String {
    match result {
        Value::Inline(value) => cut(written(value)),
        Value::Stored(stored) => {
            let beginning = recalled.get(stored).map_or_else(|| stored.preview.clone(), |value| cut(written(value)));
            format!("{beginning}\n[the whole result is kept with the run as sha256:{}]", stored.hash)
        }
    }
}

/// Truncates a large result for the model; the run keeps it in full.
fn cut(text: String) -> String {
    if text.len() <= MAX_SHOWN {
        return text;
    }
    let shown = text.floor_char_boundary(MAX_SHOWN);
    format!("{}\n[cut: these are the first {shown} of {} bytes]", &text[..shown], text.len())
}

#[cfg(test)]
mod tests {
    use chrono::{DateTime, Utc};
    use devskyy_domain::{
        conversation::{Finish, TokenCount, ToolCall},
        kernel::{Aggregate, ids::OperationId},
        runs::{
            AnswerRejected, Failure, ModelAnswered, ModelCalled, Place, RunEvent, RunQueued, StepFailed, ToolCalled,
            ToolSucceeded, tools_step,
        },
        workflow::Effect,
    };
    use proptest::prelude::*;
    use uuid::Uuid;

    use super::*;

    fn op(n: u128) -> OperationId {
        OperationId::from(Uuid::from_u128(n))
    }

    /// All events of three turns with two calls each.
    fn events() -> Vec<RunEvent> {
        let mut events = Vec::new();
        for turn in 1..=3_u32 {
            let (place, operation) = (Place::step(&turn_step(turn)), op(turn.into()));
            events.push(ModelCalled { place, operation, model: "a/b".into(), attempt: 1 }.into());
            let call = |n: u32| ToolCall { id: format!("{turn}_{n}"), name: "t".into(), arguments: Json::Null };
            let (calls, finish, usage) = (vec![call(0), call(1)], Finish::ToolCalls, TokenCount::default());
            let (text, model, cost_micros) = (String::new(), "b".to_owned(), None);
            events.push(
                ModelAnswered {
                    operation,
                    text,
                    calls,
                    finish,
                    usage,
                    estimated: false,
                    model,
                    answered_by: "a/b".into(),
                    cost_micros,
                    price: None,
                    carry: None,
                }
                .into(),
            );
            let operation = op(u128::from(turn) + 100);
            let place = |index| Place::element(&tools_step(turn), index);
            let (tool, effect, arguments) = ("t".to_owned(), Effect::Unsafe, Json::Null);
            events.push(ToolCalled { place: place(0), operation, tool, effect, attempt: 1, arguments }.into());
            events.push(ToolSucceeded { operation, result: "done".into() }.into());
            events.push(StepFailed { place: place(1), error: Failure::new("x", "y") }.into());
        }
        events
    }

    /// Whether each assistant message is followed by one result per call, in the same order.
    fn paired(messages: &[Message]) -> bool {
        let mut left: Vec<String> = Vec::new();
        for message in messages {
            match message {
                Message::Assistant { calls, .. } if left.is_empty() => {
                    left = calls.iter().rev().map(|call| call.id.clone()).collect();
                }
                Message::Tool { call, .. } if left.last() == Some(call) => drop(left.pop()),
                Message::System { .. } | Message::User { .. } if left.is_empty() => {}
                _ => return false,
            }
        }
        left.is_empty()
    }

    fn assistant(more: &str) -> Assistant {
        let definition = format!(r#"{{"model": "a/b", "instructions": "Do it."{more}}}"#);
        serde_json::from_str(&definition).expect("an assistant")
    }

    fn asked(input: &Json) -> Vec<Message> {
        let order = serde_json::json!({
            "project": Uuid::nil(), "agent": Uuid::nil(), "agent_version": 1, "input": input, "deadline": DateTime::<Utc>::default(),
        });
        let queued =
            RunQueued { order: serde_json::from_value(order).expect("an order"), at: DateTime::<Utc>::default() };
        transcript(&Run::default().evolved(&[queued.into()]), &Recalled::default(), &assistant(""))
    }

    #[test]
    fn a_run_without_words_to_read_is_told_so() {
        let told = [Json::Null, "".into(), " \n".into()].map(|input| asked(&input));
        assert_eq!(told, [(); 3].map(|()| vec![Message::User { text: NO_INPUT.to_owned() }]));
    }

    #[test]
    fn an_answer_that_does_not_fit_is_told_what_would() {
        let rejected = AnswerRejected { step: turn_step(1), errors: vec!["/total: is required".to_owned()] };
        let run = Run::default().evolved(&[events().swap_remove(0), events().swap_remove(1), rejected.into()]);
        let assistant = assistant(r#", "output_schema": {"type": "object", "required": ["total"]}"#);
        let Some(Message::User { text }) = transcript(&run, &Recalled::default(), &assistant).pop() else {
            panic!("nothing is told last")
        };
        assert!(
            text.contains("/total: is required") && text.contains(r#"{"required":["total"],"type":"object"}"#),
            "{text}"
        );
    }

    proptest! {
        #[test]
        fn every_call_has_a_result_at_whatever_point_a_run_stops(
            order in proptest::collection::vec(any::<prop::sample::Index>(), 0..40),
            length in 0_usize..20,
        ) {
            let shuffled: Vec<_> = order.iter().map(|index| index.get(&events()).clone()).collect();
            let run = Run::default().evolved(&shuffled);
            prop_assert!(paired(&transcript(&run, &Recalled::default(), &assistant(""))));
            let cut_short = &events()[..length.min(events().len())];
            prop_assert!(paired(&transcript(&Run::default().evolved(cut_short), &Recalled::default(), &assistant(""))));
        }
    }

    #[test]
    fn a_large_result_is_cut_with_a_note() {
        let text = cut("ä".repeat(MAX_SHOWN));
        assert!(text.len() < MAX_SHOWN + 100 && text.ends_with("bytes]"), "{} bytes", text.len());
    }
}
