use super::*;
use crate::conversation::TokenCount;

const SOUND: &str = r#"{
    "model": "openai/gpt", "fallbacks": ["local/small"], "instructions": "Be brief.",
    "tools": {
        "look": {"kind":"http","effect":"read_only","description":"Looks.","input_schema":{"type":"object"},
                 "approval":{"when":".deep"},"request":{"method":"GET","url":"https://x.example/{{ arguments.id }}"}},
        "parse": {"kind":"builtin","builtin":"parse","description":"Parses.","input_schema":{"type":"object"}},
        "ask": {"kind":"agent","agent":"01938f2e-0000-7000-8000-000000000000","description":"Asks.",
                "input_schema":{"type":"object"},"approval":"always"}
    },
    "limits": {"max_cost_micros": 5},
    "prices": {"openai/gpt": {"input": 2500000, "output": 10000000}, "local/small": {"input": 0, "output": 0}}
}"#;

fn parsed(text: &str) -> Assistant {
    serde_json::from_str(text).unwrap()
}

/// Code and pointer of all faults after a change.
fn wrong(change: impl FnOnce(&mut Assistant)) -> Vec<(&'static str, String)> {
    let mut assistant = parsed(SOUND);
    change(&mut assistant);
    problems(&assistant).into_iter().map(|problem| (problem.fault.code(), problem.pointer)).collect()
}

#[test]
fn a_sound_assistant_has_no_problems() {
    assert_eq!(wrong(|_| {}), []);
}

#[test]
fn an_assistant_is_written_back_as_it_was_read() {
    let assistant = parsed(SOUND);
    assert_eq!(parsed(&serde_json::to_string(&assistant).unwrap()), assistant);
}

#[test]
fn members_nobody_knows_are_refused() {
    assert!(serde_json::from_str::<Assistant>(r#"{"model":"a/b","instructions":"x","modle":"a/c"}"#).is_err());
}

#[test]
fn everything_that_is_wrong_is_said_at_once() {
    let found = wrong(|it| {
        it.model = "gpt".into();
        it.fallbacks = vec!["local/small".into(), "local/small".into(), "x".into()];
        it.instructions = " ".into();
        it.temperature = Some(3.0);
        it.max_output_tokens = 0;
        it.limits.concurrency = 65;
        it.limits.max_cost_micros = None;
        it.context.window_turns = Some(0);
        it.approval_expires_s = Some(0);
    });
    let expected = [
        ("assistant.model", "/model"),
        ("assistant.fallback", "/fallbacks/1"),
        ("assistant.model", "/fallbacks/2"),
        ("assistant.empty", "/instructions"),
        ("assistant.temperature", "/temperature"),
        ("assistant.limit", "/limits/concurrency"),
        ("assistant.limit", "/max_output_tokens"),
        ("assistant.limit", "/approval_expires_s"),
        ("assistant.limit", "/context/window_turns"),
    ];
    assert_eq!(found, expected.map(|(code, pointer)| (code, pointer.to_owned())));
}

#[test]
fn models_have_no_control_characters_in_their_names() {
    let found = wrong(|it| it.model = "openai/g\0pt".into());
    assert_eq!(found, [("assistant.model", "/model".to_owned())]);
}

#[test]
fn tools_have_names_descriptions_and_schemas_of_objects() {
    let found = wrong(|it| {
        let tool = AssistantTool::Builtin {
            builtin: crate::workflow::Builtin::Jq,
            description: String::new(),
            input_schema: true.into(),
            approval: crate::workflow::Approval::Never,
        };
        it.tools = [("No!".to_owned(), tool)].into();
    });
    let expected = [
        ("assistant.tool_name", "/tools/No!"),
        ("assistant.empty", "/tools/No!/description"),
        ("assistant.arguments_schema", "/tools/No!/input_schema"),
    ];
    assert_eq!(found, expected.map(|(code, pointer)| (code, pointer.to_owned())));
}

#[test]
fn a_name_of_an_argument_that_a_provider_refuses_is_found_where_it_is() {
    let schema =
        |name: &str| format!(r#"{{"type":"object","properties":{{"{name}":{{"properties":{{"$x":{{}}}}}}}}}}"#);
    let (long, names) = ("x".repeat(65), ["filter[id]", "$top", "a b", ""]);
    for name in names.into_iter().chain([long.as_str()]) {
        let found = wrong(|it| {
            let (builtin, description) = (crate::workflow::Builtin::Jq, "Finds.".to_owned());
            let (input_schema, approval) =
                (serde_json::from_str(&schema(name)).unwrap(), crate::workflow::Approval::Never);
            let tool = AssistantTool::Builtin { builtin, description, input_schema, approval };
            it.tools = [("find".to_owned(), tool)].into();
        });
        let pointer = format!("/tools/find/input_schema/properties/{name}");
        assert_eq!(found, [("assistant.argument_name", pointer)]);
    }
}

#[test]
fn names_of_arguments_that_every_provider_takes_are_sound() {
    let schema = format!(r#"{{"type":"object","properties":{{"a":{{}},"Z_.-9":{{}},"{}":{{}}}}}}"#, "x".repeat(64));
    let found = wrong(|it| {
        let (builtin, description) = (crate::workflow::Builtin::Jq, "Finds.".to_owned());
        let (input_schema, approval) = (serde_json::from_str(&schema).unwrap(), crate::workflow::Approval::Never);
        let tool = AssistantTool::Builtin { builtin, description, input_schema, approval };
        it.tools = [("find".to_owned(), tool)].into();
    });
    assert_eq!(found, []);
}

#[test]
fn texts_and_schemas_are_found_where_they_are() {
    let assistant = parsed(SOUND);
    let texts: Vec<_> = places(&assistant).into_iter().map(|(at, _)| at).collect();
    let documents: Vec<_> = schemas(&assistant).into_iter().map(|(at, _)| at).collect();
    assert_eq!(texts, ["/instructions", "/tools/look/approval/when", "/tools/look/request/url"]);
    assert_eq!(documents, ["/tools/ask/input_schema", "/tools/look/input_schema", "/tools/parse/input_schema"]);
}

#[test]
fn a_price_is_by_class_and_rounded_up() {
    let price = Price { input: 2_500_000, output: 10_000_000, cache_read: 250_000, cache_write: 0, reasoning: None };
    let usage = TokenCount { input: 1_000, output: 100, cache_read: 3, cache_write: 50, reasoning: 10 };
    assert_eq!(crate::conversation::Price::from(price).of(&usage), 2_500 + 1_000 + 1 + 100);
}

#[test]
fn chance_is_handed_on_in_thousandths() {
    let mut assistant = parsed(SOUND);
    assistant.temperature = Some(0.7);
    assert_eq!(assistant.temperature_thousandths(), Some(700));
}
