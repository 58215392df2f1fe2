//! Refusals when a workflow is published.

use std::sync::Arc;

use devskyy_application::workflow::DefinitionCheck;

use devskyy_testkit::fakes::{NamedDestinations, PathExpressions, PlainSchemas};

use super::world::definition;

async fn refused(text: &str) -> Vec<(&'static str, String)> {
    let check = DefinitionCheck::new(Arc::new(PathExpressions), Arc::new(PlainSchemas), Arc::new(NamedDestinations));
    let refused = check.check(&definition(text)).await.err().unwrap_or_default();
    refused.into_iter().map(|refused| (refused.code, refused.pointer.unwrap_or_default())).collect()
}

#[tokio::test]
async fn a_sound_workflow_may_be_published() {
    assert_eq!(
        refused(r#"{"steps":[{"id":"a","when":".input","tool":"jq","arguments":{"x":{"$jq":".input"}}}]}"#).await,
        []
    );
}

#[tokio::test]
async fn a_program_that_does_not_parse_is_refused_wherever_it_is() {
    let text = r#"{"steps":[
        {"id":"a","when":"((","for_each":"((","tool":"jq","arguments":{"deep":[{"x":{"$jq":"(("}}]}},
        {"id":"b","approval":{"prompt":"?","data":{"$jq":"(("}}}],
        "output":{"$jq":"(("}}"#;
    let pointers = [
        "/steps/0/when",
        "/steps/0/for_each",
        "/steps/0/arguments/deep/0/x/$jq",
        "/steps/1/approval/data/$jq",
        "/output/$jq",
    ];
    assert_eq!(refused(text).await, pointers.map(|pointer| ("workflow.jq", pointer.to_owned())));
}

#[tokio::test]
async fn a_template_that_does_not_parse_is_refused_wherever_it_is() {
    let text = r#"{"steps":[{"id":"a","approval":{"prompt":"{{","data":{"$template":"{{"}}}],
        "tools":{"t":{"kind":"http","effect":"unsafe","request":{"method":"GET","url":"{{","headers":{"X/Y":"{{"}}}}}"#;
    let pointers = [
        "/steps/0/approval/prompt",
        "/steps/0/approval/data/$template",
        "/tools/t/request/url",
        "/tools/t/request/headers/X~1Y",
    ];
    assert_eq!(refused(text).await, pointers.map(|pointer| ("workflow.template", pointer.to_owned())));
}

#[tokio::test]
async fn a_schema_that_is_none_is_refused_wherever_it_is() {
    let text = r#"{"input_schema":{"required":1},"output_schema":{"required":1},
        "tools":{"t":{"kind":"http","effect":"unsafe","input_schema":{"required":1},
        "request":{"method":"GET","url":"https://example.com/"}}},"steps":[{"id":"a","tool":"t"}]}"#;
    let pointers = ["/input_schema/required", "/output_schema/required", "/tools/t/input_schema/required"];
    assert_eq!(refused(text).await, pointers.map(|pointer| ("workflow.schema", pointer.to_owned())));
}

#[tokio::test]
async fn every_problem_is_reported_at_once() {
    let text = r#"{"steps":[{"id":"a","needs":["a"],"when":"((","tool":"gone"}]}"#;
    let codes: Vec<_> = refused(text).await.into_iter().map(|(code, _)| code).collect();
    assert_eq!(codes, ["workflow.tool_unknown", "workflow.cycle", "workflow.jq"]);
}

#[tokio::test]
async fn a_tool_that_sends_requests_where_none_may_go_is_refused() {
    let tool =
        |url: &str| format!(r#"{{"kind":"http","effect":"read_only","request":{{"method":"GET","url":"{url}"}}}}"#);
    let text = format!(
        r#"{{"tools":{{"inner":{},"open":{},"outer":{}}},"steps":[{{"id":"a","tool":"inner"}}]}}"#,
        tool("https://169.254.169.254/latest"),
        tool("{{ arguments.url }}"),
        tool("https://example.com/{{ arguments.id }}")
    );
    assert_eq!(refused(&text).await, [("workflow.destination", "/tools/inner/request/url".to_owned())]);
}
