use super::{Action, Fault, Workflow, problems};

fn workflow(text: &str) -> Workflow {
    serde_json::from_str(text).unwrap()
}

fn faults(text: &str) -> Vec<(String, Fault)> {
    problems(&workflow(text)).into_iter().map(|problem| (problem.pointer, problem.fault)).collect()
}

#[test]
fn a_step_is_written_flat_and_reads_back_the_same() {
    let text = r#"{"id":"lock","needs":["a"],"tool":"parse","arguments":{"format":"toml"}}"#;
    let step: super::Step = serde_json::from_str(text).unwrap();
    assert!(matches!(&step.action, Action::Tool { name, .. } if name == "parse"));
    assert_eq!(serde_json::to_string(&step).unwrap(), text);
}

#[test]
fn a_step_that_does_two_things_is_refused() {
    let error = serde_json::from_str::<super::Step>(r#"{"id":"a","tool":"jq","approval":{"prompt":"?"}}"#).unwrap_err();
    assert!(error.to_string().contains("exactly one of"), "{error}");
}

#[test]
fn arguments_without_a_tool_are_refused() {
    let text = r#"{"id":"a","arguments":{"x":1},"approval":{"prompt":"?"}}"#;
    assert!(serde_json::from_str::<super::Step>(text).unwrap_err().to_string().contains("a `tool` beside `arguments`"));
}

#[test]
fn a_sound_workflow_has_no_problems() {
    let text = r#"{"steps":[
        {"id":"a","tool":"jq","arguments":{"program":".","input":{"$jq":".input"}}},
        {"id":"b","needs":["a"],"when":".steps.a.output","approval":{"prompt":"go?"}},
        {"id":"c","needs":["b"],"for_each":".steps.a.output","tool":"template","arguments":{"template":"x"}}],
        "output":{"$jq":".steps.c.output"}}"#;
    assert_eq!(faults(text), vec![]);
}

#[test]
fn a_cycle_is_named() {
    let text = r#"{"steps":[
        {"id":"a","needs":["c"],"tool":"jq"},
        {"id":"b","needs":["a"],"tool":"jq"},
        {"id":"c","needs":["b"],"tool":"jq"}]}"#;
    let circle = ["a", "c", "b", "a"].map(str::to_owned).to_vec();
    assert_eq!(faults(text), vec![("/steps/1/needs/0".to_owned(), Fault::Cycle(circle))]);
}

#[test]
fn a_step_that_needs_itself_is_a_cycle() {
    let text = r#"{"steps":[{"id":"a","needs":["a"],"tool":"jq"}]}"#;
    let circle = vec!["a".to_owned(), "a".to_owned()];
    assert_eq!(faults(text), vec![("/steps/0/needs/0".to_owned(), Fault::Cycle(circle))]);
}

#[test]
fn every_problem_is_reported_at_its_place() {
    let text = r#"{"steps":[
        {"id":"A b","tool":"nothing"},
        {"id":"x","needs":["gone"],"tool":"jq"},
        {"id":"x","tool":"jq","arguments":{"input":{"$jq":1}}}],
        "tools":{"parse":{"kind":"builtin","builtin":"parse"}},
        "limits":{"max_steps":0,"concurrency":65},"approval_expires_s":0}"#;
    let codes: Vec<_> = problems(&workflow(text)).iter().map(|p| (p.pointer.clone(), p.fault.code())).collect();
    let expected = [
        ("/steps/0/id", "workflow.name"),
        ("/steps/2/id", "workflow.step_duplicate"),
        ("/tools/parse", "workflow.tool_shadowed"),
        ("/steps/0/tool", "workflow.tool_unknown"),
        ("/steps/1/needs/0", "workflow.step_unknown"),
        ("/limits/max_steps", "workflow.limit"),
        ("/limits/concurrency", "workflow.limit"),
        ("/approval_expires_s", "workflow.limit"),
        ("/steps/2/arguments/input", "workflow.computed_value"),
    ];
    assert_eq!(codes, expected.map(|(pointer, code)| (pointer.to_owned(), code)));
}

#[test]
fn reading_a_step_that_is_not_needed_is_refused() {
    let text = r#"{"steps":[
        {"id":"a","tool":"jq"},
        {"id":"b","tool":"jq","arguments":{"input":[{"$jq":"[.steps.a.output]"}]}}]}"#;
    let fault = Fault::NotNeeded("a".to_owned());
    assert_eq!(faults(text), vec![("/steps/1/arguments/input/0/$jq".to_owned(), fault)]);
}

#[test]
fn a_need_through_another_step_counts() {
    let text = r#"{"steps":[
        {"id":"a","tool":"jq"},
        {"id":"b","needs":["a"],"tool":"jq"},
        {"id":"c","needs":["b"],"when":".steps.a.output","tool":"jq"}]}"#;
    assert_eq!(faults(text), vec![]);
}

#[test]
fn an_empty_workflow_is_refused() {
    assert_eq!(faults(r#"{"steps":[]}"#), vec![("/steps".to_owned(), Fault::NoSteps)]);
}

#[test]
fn two_hundred_and_one_steps_are_too_many() {
    let steps: Vec<_> = (0..201).map(|n| format!(r#"{{"id":"s{n}","tool":"jq"}}"#)).collect();
    let text = format!(r#"{{"steps":[{}]}}"#, steps.join(","));
    assert_eq!(faults(&text), vec![("/steps".to_owned(), Fault::TooManySteps { found: 201 })]);
}
