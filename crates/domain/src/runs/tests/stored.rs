//! Results stored beside the log.

use super::*;
use crate::kernel::EventSet;

fn reference(bytes: usize) -> StoredResult {
    StoredResult { hash: ResultHash([0xab; 32]), bytes: bytes as u64, preview: "[1,2".to_owned() }
}

fn answer(result: Value) -> Progress {
    Progress::Answer { operation: op(9), result }
}

fn succeeded(result: Value) -> RunEvent {
    ToolSucceeded { operation: op(9), result }.into()
}

fn read(text: &str) -> Result<RunEvent, String> {
    let mut json = serde_json::Deserializer::from_str(text);
    RunEvent::decode("run.tool_succeeded", 1, &mut json).map_err(|error| error.to_string())
}

#[test]
fn a_stored_result_is_recorded_as_a_reference() {
    let calling = running([called(Effect::Unsafe, 1)]);
    let stored = Value::from(reference(MAX_VALUE));
    assert_eq!(calling.when(|run| run.record(1, &[answer(stored.clone())])), Ok(vec![succeeded(stored)]));
}

#[test]
fn a_stored_result_that_is_too_large_fails_the_call() {
    let calling = running([called(Effect::ReadOnly, 1)]);
    let events = calling.when(|run| run.record(1, &[answer(reference(MAX_VALUE + 1).into())])).unwrap();
    assert!(matches!(&events[..], [RunEvent::ToolFailed(failed)] if failed.error.code == "run.value_too_large"));
}

#[test]
fn stored_results_count_among_all_values_of_a_run() {
    let many = (0..16).flat_map(|n| {
        let operation = op(100 + n);
        let place = Place::step(&format!("s{n}"));
        let (tool, effect, arguments) = ("t".to_owned(), Effect::ReadOnly, Json::Null);
        let called = ToolCalled { place, operation, tool, effect, attempt: 1, arguments };
        [called.into(), ToolSucceeded { operation, result: reference(MAX_VALUE).into() }.into()]
    });
    let full = running(many.chain([called(Effect::ReadOnly, 1)]));
    let events = full.when(|run| run.record(1, &[answer(Json::Null.into())])).unwrap();
    assert!(matches!(&events[..], [RunEvent::ToolFailed(failed)] if failed.error.code == "run.state_too_large"));
}

#[test]
fn a_fork_refers_to_what_its_origin_refers_to() {
    let definition = Definition::from(workflow_of_two());
    let run = running([called(Effect::ReadOnly, 1), succeeded(reference(70_000).into())]);
    let from = RunId::from(Uuid::from_u128(3));
    let fork = Fork { from, from_version: 4, step: "b", old: &definition, new: &definition };
    let events = run.when(|run| run.fork(&fork, &order(), at(0))).unwrap();
    let referred: Vec<_> = events.iter().flat_map(RunEvent::stored).collect();
    assert_eq!(referred, [&reference(70_000)]);
}

#[test]
fn a_step_gives_what_is_found_under_its_reference() {
    let run = running([called(Effect::ReadOnly, 1), succeeded(reference(70_000).into())]);
    let found = |stored: &StoredResult| Json::from(stored.bytes);
    assert_eq!(run.state().step("a").and_then(|state| state.output(&found)), Some(Json::from(70_000_u64)));
}

#[test]
fn what_looks_like_a_reference_in_a_result_is_no_reference() {
    let inner = serde_json::to_string(&reference(70_000)).unwrap();
    let read = read(&format!(r#"{{"operation":"{}","result":{{"stored":{inner}}}}}"#, op(9))).unwrap();
    assert_eq!(read.stored().count(), 0);
}

#[test]
fn a_result_that_is_null_is_not_a_missing_one() {
    assert_eq!(read(&format!(r#"{{"operation":"{}","result":null}}"#, op(9))), Ok(succeeded(Json::Null.into())));
}

#[test]
fn an_event_without_a_result_is_not_understood() {
    assert!(read(&format!(r#"{{"operation":"{}"}}"#, op(9))).is_err());
}

#[test]
fn an_event_with_both_a_result_and_a_reference_is_not_understood() {
    let stored = serde_json::to_string(&reference(70_000)).unwrap();
    assert!(read(&format!(r#"{{"operation":"{}","result":1,"stored":{stored}}}"#, op(9))).is_err());
}

#[test]
fn a_hash_is_read_as_it_is_written() {
    let hash = ResultHash(std::array::from_fn(|n| u8::try_from(n * 8).unwrap()));
    assert_eq!(hash.to_string().parse(), Ok(hash));
}

#[test]
fn a_hash_has_one_form() {
    let hash = ResultHash([0xab; 32]).to_string();
    let others = [hash.to_uppercase(), hash[1..].to_owned(), format!("{hash}a"), hash.replace('a', "g"), String::new()];
    assert!(others.iter().all(|other| other.parse::<ResultHash>() == Err(NoHash)));
}
