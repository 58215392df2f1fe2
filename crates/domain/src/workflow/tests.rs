use super::{Action, BodyFault, Fault, Workflow, problems};

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

/// The faults of a request with these members in addition to its URL.
fn of_request(members: &str) -> Vec<(String, Fault)> {
    let request = format!(r#"{{"method":"POST","url":"https://x.example",{members}}}"#);
    let tool = format!(r#"{{"kind":"http","effect":"unsafe","request":{request}}}"#);
    faults(&format!(r#"{{"steps":[{{"id":"a","tool":"t"}}],"tools":{{"t":{tool}}}}}"#))
}

#[test]
fn a_body_that_cannot_be_sent_is_refused_at_its_place() {
    let at = || "/tools/t/request/body".to_owned();
    for (members, fault) in [
        (r#""body":1,"send_arguments":true"#, BodyFault::Both),
        (r#""form":true"#, BodyFault::NoFields),
        (r#""form":true,"send_arguments":true"#, BodyFault::NoFields),
        (r#""form":true,"body":[1]"#, BodyFault::NotFields),
        (r#""form":true,"body":{"a":{"b":1}}"#, BodyFault::NotFields),
        (r#""form":true,"body":{"a":[[1]]}"#, BodyFault::NotFields),
    ] {
        assert_eq!(of_request(members), vec![(at(), Fault::Body(fault))], "{members}");
    }
}

#[test]
fn a_body_of_plain_and_computed_values_is_sound() {
    for members in [
        r#""body":{"query":"{ me }","variables":{"$jq":".arguments"}}"#,
        r#""form":true,"body":{"a":1,"b":[true,"x",{"$jq":".arguments.n"}],"c":{"$template":"{{ run.id }}"},"d":null}"#,
        r#""form":true,"body":{"$jq":".arguments"}"#,
    ] {
        assert_eq!(of_request(members), vec![], "{members}");
    }
}

#[test]
fn what_is_computed_within_a_body_is_found_at_its_place() {
    let malformed = of_request(r#""body":{"a":[{"$jq":1}]}"#);
    assert_eq!(malformed, vec![("/tools/t/request/body/a/0".to_owned(), Fault::MalformedComputed("$jq"))]);
    let long = of_request(&format!(r#""body":{{"a":{{"$template":"{}"}}}}"#, "x".repeat(65_537)));
    assert_eq!(long[0].0, "/tools/t/request/body/a/$template");
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

/// Whether a kind of tool is known, ignoring missing members.
fn is_kind<T: serde::de::DeserializeOwned + std::fmt::Debug>(kind: &str) -> bool {
    let read = serde_json::from_str::<T>(&format!(r#"{{"kind":"{kind}"}}"#));
    !read.unwrap_err().to_string().starts_with("unknown variant")
}

#[test]
fn kinds_of_tools_are_those_that_are_read() {
    let of_workflows = super::Tool::KINDS.iter().all(|kind| is_kind::<super::Tool>(kind));
    let of_assistants = crate::assistant::AssistantTool::KINDS;
    let of_assistants = of_assistants.iter().all(|kind| is_kind::<crate::assistant::AssistantTool>(kind));
    assert!(of_workflows && of_assistants && !is_kind::<super::Tool>("agent"));
}

#[test]
fn too_much_of_anything_is_reported_at_its_place() {
    let long = "x".repeat(65_537);
    let tools: Vec<_> = (0..129).map(|n| format!(r#""t{n}":{{"kind":"builtin","builtin":"jq"}}"#)).collect();
    let needs = vec![r#""a""#; 201].join(",");
    let headers: Vec<_> = (0..65).map(|n| format!(r#""x-{n}":"y""#)).collect();
    let request = format!(r#"{{"method":"GET","url":"{}","headers":{{{}}}}}"#, &long[..2_049], headers.join(","));
    let server = format!(r#"{{"url":"https://example.org","tool":"{}"}}"#, &long[..257]);
    for (text, pointer) in [
        (format!(r#"{{"steps":[{{"id":"a","tool":"jq"}}],"tools":{{{}}}}}"#, tools.join(",")), "/tools"),
        (
            format!(r#"{{"steps":[{{"id":"a","tool":"jq"}},{{"id":"b","tool":"jq","needs":[{needs}]}}]}}"#),
            "/steps/1/needs",
        ),
        (format!(r#"{{"steps":[{{"id":"a","tool":"jq","when":"{long}"}}]}}"#), "/steps/0/when"),
        (tool(&format!(r#""kind":"http","effect":"unsafe","request":{request}"#)), "/tools/t/request/url"),
        (tool(&format!(r#""kind":"http","effect":"unsafe","request":{request}"#)), "/tools/t/request/headers"),
        (tool(&format!(r#""kind":"mcp","effect":"unsafe","server":{server}"#)), "/tools/t/server/tool"),
    ] {
        let found = problems(&workflow(&text));
        let at = |problem: &super::Problem| problem.pointer == pointer && problem.fault.code() == "workflow.too_many";
        assert!(found.iter().any(at), "{pointer}: {found:?}");
    }
}

fn tool(members: &str) -> String {
    format!(r#"{{"steps":[{{"id":"a","tool":"t"}}],"tools":{{"t":{{{members}}}}}}}"#)
}
