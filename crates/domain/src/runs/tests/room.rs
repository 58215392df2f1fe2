//! Limits on the size of a run's values.

use super::*;

#[test]
fn a_result_that_is_too_large_fails_a_call_that_only_read() {
    let calling = running([called(Effect::ReadOnly, 1)]);
    let result = Json::from("x".repeat(MAX_VALUE + 1)).into();
    let events = calling.when(|run| run.record(1, &[Progress::Answer { operation: op(9), result }])).unwrap();
    assert!(matches!(&events[..], [RunEvent::ToolFailed(failed)] if failed.error.code == "run.value_too_large"));
}

#[test]
fn a_call_with_an_effect_succeeds_however_large_its_result_is() {
    for effect in [Effect::Idempotent, Effect::Unsafe] {
        let calling = running([called(effect, 1)]);
        let result = Json::from("x".repeat(MAX_VALUE + 1)).into();
        let events = calling.when(|run| run.record(1, &[Progress::Answer { operation: op(9), result }])).unwrap();
        let [RunEvent::ToolSucceeded(succeeded)] = &events[..] else { panic!("{effect:?} {events:?}") };
        assert!(succeeded.result.inline().is_some_and(|note| note.get("note").is_some()), "{effect:?}");
    }
}

#[test]
fn all_values_of_a_run_together_are_bounded() {
    let items: Vec<_> = (0..40).map(|n| Json::from(i64::from(n))).collect();
    let mut run = running([StepExpanded { step: "a".into(), items }.into()]).state().clone();
    let mut failed = None;
    for index in 0..40 {
        let (place, operation) = (Place::element("a", index), op(u128::from(index)));
        let (effect, tool) = (Effect::ReadOnly, "t".to_owned());
        let call = Progress::Call { place, operation, tool, effect, arguments: Json::Null };
        let answer = Progress::Answer { operation, result: Json::from("x".repeat(MAX_VALUE - 100)).into() };
        let events = run.record(1, &[call, answer]).unwrap();
        failed = failed.or(events.iter().find_map(|event| match event {
            RunEvent::ToolFailed(failed) => Some(failed.error.code.clone()),
            _ => None,
        }));
        run = run.evolved(&events);
    }
    assert_eq!(failed.as_deref(), Some("run.state_too_large"));
}
