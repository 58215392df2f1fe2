//! What a fork takes over, for every definition and every history.

use proptest::prelude::*;

use super::{
    laws::{definitions, played, played_from},
    *,
};

fn origin() -> RunId {
    RunId::from(Uuid::from_u128(40))
}

/// The first events of a fork from that step, if the history allows one.
fn forked(definition: &Definition, history: &[RunEvent], step: &str) -> Option<Vec<RunEvent>> {
    let before = match definition {
        Definition::Workflow(_) => history.len(),
        Definition::Assistant(_) => history.iter().position(|it| begins(it, step)).unwrap_or(history.len()),
    };
    let run = Run::default().evolved(&history[..before]);
    let fork = Fork { from: origin(), from_version: before as u64, step, old: definition, new: definition };
    run.fork(&fork, &late(order()), at(0)).ok()
}

/// Every step of a run.
fn steps(run: &Run) -> Vec<String> {
    run.steps.keys().cloned().collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_fork_ends_and_keeps_the_invariants(
        definition in definitions(),
        dice in proptest::collection::vec(any::<u8>(), 1..64),
        others in proptest::collection::vec(any::<u8>(), 1..64),
    ) {
        let play = played(&definition, dice);
        for step in steps(&play.run) {
            let Some(first) = forked(&definition, &play.history, &step) else { continue };
            let fork = played_from(first, &definition, others.clone());
            let id = RunId::from(Uuid::from_u128(50));
            let broken = super::invariants::broken(fork.history.iter().map(|event| (id, event)));
            let broken: Vec<_> = broken.into_iter().filter(|it| it.invariant != Invariant::ChildrenAgree).collect();
            prop_assert_eq!(broken, vec![]);
        }
    }

    #[test]
    fn a_run_can_be_forked_from_each_question_to_the_model_and_each_answers_calls(
        definition in super::laws::assistants(),
        dice in proptest::collection::vec(any::<u8>(), 1..64),
    ) {
        let play = played(&definition, dice);
        // Calls requested in a summary are never made.
        // What is removed because a prompt was too long belongs to the prompt's turn.
        let real = steps(&play.run).into_iter().filter(|step| !step.ends_with("_summary_tools"));
        let real = real.filter(|step| !step.contains("_overflow"));
        let impossible: Vec<_> = real.filter(|step| forked(&definition, &play.history, step).is_none()).collect();
        prop_assert_eq!(impossible, Vec::<String>::new());
    }

    #[test]
    fn what_is_taken_over_is_what_came_of_it_before(
        definition in definitions(),
        dice in proptest::collection::vec(any::<u8>(), 1..64),
    ) {
        let play = played(&definition, dice);
        for step in steps(&play.run) {
            let Some(first) = forked(&definition, &play.history, &step) else { continue };
            let fork = Run::default().evolved(&first);
            let taken = first.iter().filter_map(|event| match event {
                RunEvent::StepTakenOver(taken) => Some(taken.step.as_str()),
                _ => None,
            });
            for step in taken {
                let output = |run: &Run| {
                    let carried = run.answer(step).and_then(|answer| answer.carry.clone());
                    (run.step(step).and_then(|state| state.output(&|_| Json::Null)), carried)
                };
                prop_assert_eq!(output(&fork), output(&play.run));
            }
            prop_assert_eq!((fork.begun(), fork.usage().total(), fork.cost_micros()), (0, 0, 0));
        }
    }
}

#[test]
fn a_fork_that_would_hold_too_much_is_refused() {
    let workflow: Workflow = serde_json::from_str(
        r#"{"steps":[{"id":"a","for_each":".","tool":"jq"},{"id":"b","needs":["a"],"tool":"jq"}]}"#,
    )
    .unwrap();
    let definition = Definition::from(workflow);
    let large = |n: u32| {
        let operation = op(u128::from(n));
        let (place, tool, effect) = (Place::element("a", n), "jq".to_owned(), Effect::ReadOnly);
        let called = ToolCalled { place, operation, tool, effect, attempt: 1, arguments: Json::Null };
        let result = Json::from("x".repeat(MAX_VALUE - 2));
        [called.into(), ToolSucceeded { operation, result: result.into() }.into()]
    };
    let expanded = StepExpanded { step: "a".into(), items: vec![Json::Null; 15] }.into();
    let run =
        Run::default().evolved(&[vec![queued(), claimed(1), expanded], (0..15).flat_map(large).collect()].concat());
    let input = Json::from("x".repeat(MAX_VALUE - 2));
    let (from, from_version, step, old, new) = (origin(), 9, "b", &definition, &definition);
    let fits = run.fork(&Fork { from, from_version, step, old, new }, &order(), at(0)).is_ok();
    let order = Order { input, ..order() };
    let refused = run.fork(&Fork { from, from_version, step, old, new }, &order, at(0));
    assert_eq!((fits, refused), (true, Err(RunError::InputTooLarge)));
}
