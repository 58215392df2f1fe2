use devskyy_domain::workflow::{Builtin, Tool};

use super::{call, class, json, tools};

const JQ: Tool = Tool::Builtin { builtin: Builtin::Jq };
const TEMPLATE: Tool = Tool::Builtin { builtin: Builtin::Template };
const PARSE: Tool = Tool::Builtin { builtin: Builtin::Parse };

#[tokio::test]
async fn jq_runs_its_program_on_its_input() {
    let result = call(&tools(false, &[]), JQ, r#"{"program": ".a + 1", "input": {"a": 1}}"#).await;
    assert_eq!(result, Ok(json("2")));
}

#[tokio::test]
async fn a_template_is_filled_in_from_its_context() {
    let result = call(&tools(false, &[]), TEMPLATE, r#"{"template": "{{ a }}!", "context": {"a": "x"}}"#).await;
    assert_eq!(result, Ok(json("\"x!\"")));
}

#[tokio::test]
async fn parse_gives_the_document() {
    let result = call(&tools(false, &[]), PARSE, r#"{"format": "toml", "text": "a = 1"}"#).await;
    assert_eq!(result, Ok(json(r#"{"a":1}"#)));
}

#[tokio::test]
async fn wrong_arguments_fail_for_good() {
    let tools = tools(false, &[]);
    for (tool, arguments) in [
        (JQ, "null"),
        (JQ, r#"{"input": 1}"#),
        (JQ, r#"{"program": 1}"#),
        (TEMPLATE, r#"{"template": "x", "contxt": {}}"#),
        (PARSE, r#"{"format": "toml"}"#),
    ] {
        assert_eq!(
            class(call(&tools, tool, arguments).await),
            ("permanent", "tool.arguments".to_owned(), None),
            "{arguments}"
        );
    }
}

#[tokio::test]
async fn a_program_that_fails_fails_the_call_for_good() {
    let tools = tools(false, &[]);
    let failed = class(call(&tools, JQ, r#"{"program": "error(\"no\")"}"#).await);
    assert_eq!(failed, ("permanent", "tool.jq".to_owned(), None));
    let failed = class(call(&tools, TEMPLATE, r#"{"template": "{{ nobody }}"}"#).await);
    assert_eq!(failed, ("permanent", "tool.template".to_owned(), None));
}
