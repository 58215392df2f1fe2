//! The contract of model requests, independent of the vendor's restrictions.

use devskyy_application::models::{ModelAnswer, ModelRequest, OutputFormat};
use devskyy_domain::{
    conversation::{Finish, Message, ToolCall},
    kernel::Json,
};

use super::{Act, CallScript, ModelsUnderTest, Reply, question};
use crate::fakes::NoDeltas;

impl ModelsUnderTest {
    /// Sends a request and returns the answer.
    async fn answers(&self, request: &ModelRequest, reply: Reply) -> ModelAnswer {
        self.stage.prepare(Act::Answer(reply));
        self.models.ask(request, &NoDeltas).await.expect("the question is taken")
    }
}

fn call(id: &str, name: &str, arguments: Json) -> ToolCall {
    ToolCall { id: id.to_owned(), name: name.to_owned(), arguments }
}

/// A turn of the conversation: calls with their results.
fn turn(by: &str, calls: Vec<ToolCall>) -> Vec<Message> {
    let ids: Vec<_> = calls.iter().map(|call| call.id.clone()).collect();
    let said = Message::Assistant { text: String::new(), calls, by: by.to_owned(), carry: None };
    let results = ids.into_iter().map(|call| Message::Tool { call, text: "seen".to_owned(), failed: false });
    std::iter::once(said).chain(results).collect()
}

/// A conversation begun with other models: its call ids are invalid for some vendors or repeat in every turn, and it
/// names tools that do not exist.
#[must_use]
pub fn begun_with_others() -> ModelRequest {
    let none = || Json::Object(std::collections::BTreeMap::new());
    let mut request = question();
    for by in ["other/kimi", "fake/echo-1"] {
        request
            .messages
            .extend(turn(by, vec![call("functions.look:0", "functions.look", none()), call("call_0", "", none())]));
        request
            .messages
            .extend(turn(by, vec![call("call_0", &"look".repeat(30), Json::from("oops")), call("?", "look", none())]));
    }
    request.messages.push(Message::User { text: "Go on.".to_owned() });
    request
}

/// Fallbacks continue conversations of other models.
pub async fn a_conversation_begun_with_others_goes_on(under_test: &ModelsUnderTest) {
    let answer = under_test.answers(&begun_with_others(), Reply::says(&["hm"])).await;
    assert_eq!(answer.text, "hm");
}

/// A fork may have other tools, or none.
pub async fn a_conversation_that_called_tools_goes_on_without_any(under_test: &ModelsUnderTest) {
    let request = ModelRequest { tools: vec![], ..begun_with_others() };
    assert_eq!(under_test.answers(&request, Reply::says(&["hm"])).await.text, "hm");
}

/// Requests with typical output schemas.
#[must_use]
pub fn formed() -> Vec<ModelRequest> {
    let schemas = [
        r#"{"type": "object"}"#,
        r#"{"type": "object", "properties": {"total": {"type": "integer", "minimum": 0}}, "required": ["total"]}"#,
        r#"{"type": "object", "additionalProperties": {"type": "string", "minLength": 1}}"#,
        r#"{"type": "array", "minItems": 2, "items": {"oneOf": [{"type": "string"}, {"type": "null"}]}}"#,
        r#"{"allOf": [{"type": "object"}], "not": {"type": "object", "required": ["error"]}}"#,
        r##"{"type": "object", "properties": {"next": {"$ref": "#"}}, "additionalProperties": false, "required": ["next"]}"##,
    ];
    let asked = schemas.into_iter().map(|schema| {
        let schema = serde_json::from_str(schema).expect("a schema");
        ModelRequest { output: Some(OutputFormat { name: "output".to_owned(), schema }), ..question() }
    });
    asked.collect()
}

/// Independent of what a vendor enforces.
pub async fn any_schema_may_be_the_form_of_an_answer(under_test: &ModelsUnderTest) {
    let mut answered = Vec::new();
    for request in formed() {
        answered.push(under_test.answers(&request, Reply::says(&["{}"])).await.text);
    }
    assert_eq!(answered, formed().iter().map(|_| "{}").collect::<Vec<_>>());
}

/// Even with keywords that vendors refuse at the top level.
pub async fn any_schema_of_an_object_may_be_that_of_arguments(under_test: &ModelsUnderTest) {
    let schema = r#"{"type": "object", "properties": {"at": {"type": "string"}}, "anyOf": [{"required": ["at"]}, {}]}"#;
    let mut request = question();
    request.tools.iter_mut().for_each(|tool| tool.schema = serde_json::from_str(schema).expect("a schema"));
    assert_eq!(under_test.answers(&request, Reply::says(&["hm"])).await.text, "hm");
}

/// A provider that returned reasoning with its calls requires it back.
pub async fn what_a_provider_wants_back_comes_back_to_it(under_test: &ModelsUnderTest) {
    let wanted = |id: &'static str| CallScript { id, name: "look", arguments: vec!["{}"] };
    let (calls, mind) = (vec![wanted("c1"), wanted("c2")], Some("c2lnbmVk"));
    let reply = Reply { calls, mind, finish: Finish::ToolCalls, ..Reply::says(&["Let me ", "look."]) };
    let ModelAnswer { text, calls, answered_by: by, carry, .. } = under_test.answers(&question(), reply).await;
    let results = calls.clone().into_iter();
    let results = results.map(|call| Message::Tool { call: call.id, text: "seen".to_owned(), failed: false });
    let mut request = question();
    request.messages.push(Message::Assistant { text, calls, by, carry });
    request.messages.extend(results);
    assert_eq!(under_test.answers(&request, Reply::says(&["hm"])).await.text, "hm");
}
