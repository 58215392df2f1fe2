//! Compaction: which turns are removed, and what replaces them.

use super::{
    assistants::{answer, asking, failed, failure, parsed, plain, prompt, then, turns},
    *,
};
use crate::conversation::Finish;

#[test]
fn turns_beyond_the_window_leave_in_bulk_and_pinned_ones_stay() {
    let definition = parsed(r#","context":{"window_turns":4,"pinned_turns":1}"#);
    let place = Place::step("turn_7_summary");
    assert_eq!(then(&definition, turns(6)), compact(place, (2, 4), None, None));
    let (cause, summary, unsummarised) = (Leaving::Window, None, None);
    let compacted = ContextCompacted { from: 2, through: 4, summary, cause, unsummarised }.into();
    assert_eq!(then(&definition, turns(6).into_iter().chain([compacted])), prompt(7));
}

#[test]
fn the_window_can_be_counted_in_tokens() {
    let definition = parsed(r#","context":{"window_tokens":300}"#);
    assert_eq!(then(&definition, turns(2)), prompt(3));
    assert_eq!(then(&definition, turns(3)), compact(Place::step("turn_4_summary"), (1, 2), None, None));
}

#[test]
fn a_summary_is_asked_for_before_turns_leave() {
    let definition = parsed(r#","context":{"window_turns":2,"summary":true}"#);
    let place = Place::step("turn_4_summary");
    let summarise = Task::Summarise { place: place.clone(), from: 1, through: 2 };
    assert_eq!(then(&definition, turns(3)), Next::Begin(vec![summarise]));
    let summed = turns(3).into_iter().chain(summing_up("turn_4_summary", 4, "So far.", Finish::Stop));
    assert_eq!(then(&definition, summed), compact(place, (1, 2), Some(op(4)), None));
}

/// A summary prompt and its answer.
fn summing_up(step: &str, operation: u32, text: &str, finish: Finish) -> [RunEvent; 2] {
    let (place, id) = (Place::step(step), op(operation.into()));
    let asked = ModelCalled { place, operation: id, model: "m".into(), attempt: 1 }.into();
    let RunEvent::ModelAnswered(answered) = answer(operation, 0, finish) else { panic!("an answer") };
    [asked, ModelAnswered { text: text.to_owned(), ..answered }.into()]
}

fn compact(
    place: Place,
    (from, through): (u32, u32),
    summary: Option<OperationId>,
    unsummarised: Option<Unsummarised>,
) -> Next<'static> {
    let cause = Leaving::Window;
    Next::Begin(vec![Task::Compact { place, from, through, summary, cause, unsummarised }])
}

const SUMMED_UP: &str = r#","context":{"window_turns":2,"summary":true}"#;

#[test]
fn a_summary_that_cannot_stand_for_anything_is_asked_for_once_more() {
    let definition = parsed(SUMMED_UP);
    let again = Task::Summarise { place: Place::step("turn_4_longer_summary"), from: 1, through: 2 };
    for (text, finish) in [("It was", Finish::Length), ("", Finish::Refused), (" \n", Finish::Stop)] {
        let summed = turns(3).into_iter().chain(summing_up("turn_4_summary", 4, text, finish));
        assert_eq!(then(&definition, summed), Next::Begin(vec![again.clone()]), "{finish:?}");
    }
}

#[test]
fn the_second_summary_stands_for_the_turns_where_it_is_whole() {
    let definition = parsed(SUMMED_UP);
    let first = summing_up("turn_4_summary", 4, "It was", Finish::Length);
    let second = summing_up("turn_4_longer_summary", 5, "It was so.", Finish::Stop);
    let summed = turns(3).into_iter().chain(first).chain(second);
    let place = Place::step("turn_4_longer_summary");
    assert_eq!(then(&definition, summed), compact(place, (1, 2), Some(op(5)), None));
}

#[test]
fn without_a_whole_summary_turns_leave_without_one_and_the_event_says_why() {
    let definition = parsed(SUMMED_UP);
    let first = summing_up("turn_4_summary", 4, "It was", Finish::Length);
    let second = summing_up("turn_4_longer_summary", 5, "It was", Finish::Length);
    let summed = turns(3).into_iter().chain(first).chain(second);
    let place = Place::step("turn_4_longer_summary");
    assert_eq!(then(&definition, summed), compact(place, (1, 2), None, Some(Unsummarised::Truncated)));
}

#[test]
fn a_model_that_cannot_be_asked_to_sum_up_fails_the_run() {
    let [asked, _] = summing_up("turn_4_summary", 4, "", Finish::Stop);
    let away = [asked, failed(4, Failure::new("model.timeout", "y"), None, false)];
    assert_eq!(failure(then(&parsed(SUMMED_UP), turns(3).into_iter().chain(away))), "model.timeout");
}

#[test]
fn a_second_summary_has_more_room_than_the_first() {
    let Definition::Assistant(assistant) =
        parsed(r#","max_output_tokens":300,"context":{"window_turns":2,"summary":true}"#)
    else {
        panic!("an assistant")
    };
    let room = |events: Vec<RunEvent>, step: &str| {
        running(events).state().summary_wanted(&assistant, step).map(|wanted| wanted.max_output_tokens)
    };
    let first = room(turns(3), "turn_4_summary");
    let second = room(turns(3), "turn_4_longer_summary");
    assert_eq!((first, second, room(turns(3), "turn_4")), (Some(2_048), Some(8_192), None));
}

/// Three turns, and a prompt that is too long.
fn too_long() -> Vec<RunEvent> {
    let error = Failure::new(CONTEXT_OVERFLOW, "too long");
    turns(3).into_iter().chain([asking(4, 1), failed(4, error, Some(at(4)), true)]).collect()
}

#[test]
fn turns_leave_a_question_that_is_too_long_before_it_is_asked_again() {
    let definition = plain();
    let (cause, summary, unsummarised) = (Leaving::Overflow, None, None);
    let (place, from, through) = (Place::step("turn_4_overflow_summary"), 1, 2);
    let shorter = Task::Compact { place, from, through, summary, cause, unsummarised };
    assert_eq!(then(&definition, too_long()), Next::Begin(vec![shorter]));
    let compacted = ContextCompacted { from, through, summary, cause, unsummarised }.into();
    let again = Task::Again { place: Place::step("turn_4"), operation: op(4) };
    assert_eq!(then(&definition, too_long().into_iter().chain([compacted])), Next::Begin(vec![again]));
}

#[test]
fn what_leaves_a_question_that_is_too_long_is_summed_up_where_the_agent_wants_it() {
    let definition = parsed(r#","context":{"summary":true}"#);
    let place = Place::step("turn_4_overflow_summary");
    let summarise = Task::Summarise { place: place.clone(), from: 1, through: 2 };
    assert_eq!(then(&definition, too_long()), Next::Begin(vec![summarise]));
    let summed = too_long().into_iter().chain(summing_up("turn_4_overflow_summary", 5, "So far.", Finish::Stop));
    let (cause, summary, unsummarised) = (Leaving::Overflow, Some(op(5)), None);
    let shorter = Task::Compact { place, from: 1, through: 2, summary, cause, unsummarised };
    assert_eq!(then(&definition, summed), Next::Begin(vec![shorter]));
}

#[test]
fn a_worker_that_sums_up_waits_for_that_and_not_for_the_question_that_was_too_long() {
    let definition = parsed(r#","context":{"summary":true}"#);
    let [asked, _] = summing_up("turn_4_overflow_summary", 5, "", Finish::Stop);
    let run = running(too_long().into_iter().chain([asked]));
    let busy = BTreeSet::from([Place::step("turn_4_overflow_summary")]);
    let found = next(run.state(), &definition, at(5), &busy);
    assert!(matches!(found, Next::Attend { until } if until > at(5)), "{found:?}");
}

fn overflows(run: &Given<Run>, operation: u32) -> Result<Vec<RunEvent>, RunError> {
    let error = Failure::new(CONTEXT_OVERFLOW, "too long");
    run.when(|run| run.record(run.fence(), &[Progress::Overflow { operation: op(operation.into()), error, at: at(6) }]))
}

#[test]
fn a_question_that_sums_up_is_not_shortened() {
    let [asked, _] = summing_up("turn_4_summary", 5, "", Finish::Stop);
    let run = running(turns(3).into_iter().chain([asked]));
    assert_eq!(overflows(&run, 5), Err(RunError::StepState("turn_4_summary".to_owned())));
}

#[test]
fn a_question_is_shortened_once() {
    let (cause, summary, unsummarised) = (Leaving::Overflow, None, None);
    let compacted = ContextCompacted { from: 1, through: 2, summary, cause, unsummarised }.into();
    let run = running(too_long().into_iter().chain([compacted, asking(4, 2)]));
    assert_eq!(overflows(&run, 4), Err(RunError::StepState("turn_4".to_owned())));
}

#[test]
fn a_question_may_be_asked_with_fewer_turns_while_there_are_two_to_spare() {
    let Definition::Assistant(assistant) = plain() else { panic!("an assistant") };
    let can_shorten = |before: u32| {
        let run = running(turns(before).into_iter().chain([asking(before + 1, 1)]));
        run.state().can_shorten(&assistant, &Place::step(&turn_step(before + 1)))
    };
    assert_eq!([0, 1, 2, 3].map(can_shorten), [false, false, true, true]);
}
