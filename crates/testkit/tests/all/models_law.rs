//! The fake provider rejects what vendors reject: requests with one fault each.

use devskyy_domain::models::ProviderKind;
use devskyy_testkit::fakes::ModelServer;
use serde_json::{Value, json};

/// A valid request with everything that can be wrong in one.
fn of_openai() -> Value {
    let call = |id: &str| json!({"id": id, "type": "function", "function": {"name": "look", "arguments": "{}"}});
    let schema = json!({
        "type": "object", "additionalProperties": false, "required": ["a", "b"], "properties": {
            "a": {"type": "string", "format": "email"}, "b": {"type": "array", "items": {"type": "null"}},
        },
    });
    json!({
        "model": "echo-1",
        "temperature": 0.5,
        "messages": [
            {"role": "system", "content": "Be brief."},
            {"role": "user", "content": "Hello?"},
            {"role": "assistant", "content": null, "tool_calls": [call("c1"), call("c2")]},
            {"role": "tool", "tool_call_id": "c2", "content": ""},
            {"role": "tool", "tool_call_id": "c1", "content": "seen"},
            {"role": "assistant", "content": "Again.", "tool_calls": [call("c3")]},
            {"role": "tool", "tool_call_id": "c3", "content": "seen"},
        ],
        "tools": [{"type": "function", "function": {"name": "look", "parameters": {"type": "object"}}}],
        "response_format": {"type": "json_schema", "json_schema": {"name": "output", "strict": true, "schema": schema}},
    })
}

fn of_anthropic() -> Value {
    let call = |id: &str| json!({"type": "tool_use", "id": id, "name": "look", "input": {}});
    let result = |id: &str| json!({"type": "tool_result", "tool_use_id": id, "content": "seen", "is_error": true});
    let kept = json!({"type": "ephemeral"});
    let schema = json!({
        "type": "object", "additionalProperties": false, "properties": {
            "a": {"type": "string", "format": "email"}, "b": {"type": "array", "minItems": 1, "items": {"enum": [1]}},
        },
    });
    json!({
        "model": "echo-1",
        "max_tokens": 100,
        "temperature": 0.5,
        "system": [{"type": "text", "text": "Be brief.", "cache_control": kept}],
        "messages": [
            {"role": "user", "content": [{"type": "text", "text": "Hello?", "cache_control": kept}]},
            {"role": "assistant", "content": [{"type": "text", "text": "Hm."}, call("c1"), call("c2")]},
            {"role": "user", "content": [result("c1"), result("c2"), {"type": "text", "text": "Again."}]},
            {"role": "assistant", "content": [call("c3")]},
            {"role": "user", "content": [result("c3")]},
        ],
        "tools": [{"name": "look", "input_schema": {"type": "object"}}],
        "output_config": {"format": {"type": "json_schema", "schema": schema}},
    })
}

/// A wrong value and its place; without a value, what is there is removed.
type Fault = (&'static str, Option<Value>);

fn with(mut question: Value, (place, fault): &Fault) -> Value {
    let (parent, name) = place.rsplit_once('/').unwrap_or_default();
    match (question.pointer_mut(parent), fault) {
        (Some(Value::Object(members)), Some(fault)) => drop(members.insert(name.to_owned(), fault.clone())),
        (Some(Value::Object(members)), None) => drop(members.remove(name)),
        (Some(Value::Array(elements)), fault) => {
            let at: usize = name.parse().unwrap_or_default();
            let end = elements.len().min(at + 1);
            drop(elements.splice(at..end, fault.clone()));
        }
        _ => panic!("there is no {place}"),
    }
    question
}

/// The faults that are not detected.
fn at_large(kind: ProviderKind, question: &Value, faults: &[Fault]) -> Vec<String> {
    let passed = faults.iter().filter(|fault| ModelServer::refusal(kind, &with(question.clone(), fault)).is_none());
    passed.map(|(place, fault)| format!("{place}: {fault:?}")).collect()
}

const LONG: &str = "a_name_of_more_than_sixty_four_letters_which_no_vendor_takes_for_a_tool";

#[test]
fn a_right_question_is_taken() {
    let refused = [
        ModelServer::refusal(ProviderKind::OpenAi, &of_openai()),
        ModelServer::refusal(ProviderKind::Anthropic, &of_anthropic()),
    ];
    assert_eq!(refused, [None, None]);
}

#[test]
fn openai_refuses_what_is_wrong() {
    let schema = |rest: &str| format!("/response_format/json_schema/schema{rest}");
    let places: Vec<(String, Option<Value>)> = vec![
        (schema("/additionalProperties"), None),
        (schema("/required"), Some(json!(["a"]))),
        (schema("/type"), Some(json!("array"))),
        (schema("/anyOf"), Some(json!([{"type": "null"}]))),
        (schema("/properties/a/oneOf"), Some(json!([{"type": "null"}]))),
        (schema("/properties/a/not"), Some(json!({}))),
        (schema("/properties/a/minLength"), Some(json!(1))),
        (schema("/properties/a/format"), Some(json!("uri"))),
        (schema("/properties/a/type"), None),
        (schema("/properties/b/items"), None),
        (schema("/properties/b/items"), Some(json!({"type": "object"}))),
    ];
    let mut faults: Vec<Fault> = places.into_iter().map(|(place, fault)| (&*place.leak(), fault)).collect();
    faults.extend([
        ("/model", None),
        ("/temperature", Some(json!(3))),
        ("/messages", Some(json!([]))),
        ("/messages/1/content", Some(Value::Null)),
        ("/messages/1/role", Some(json!("person"))),
        ("/messages/4", None),
        ("/messages/4/tool_call_id", Some(json!("c2"))),
        ("/messages/4/tool_call_id", Some(json!("c9"))),
        ("/messages/6", None),
        ("/messages/3", Some(json!({"role": "user", "content": "Wait."}))),
        ("/messages/5/tool_calls/0/id", Some(json!("c1"))),
        ("/messages/5/tool_calls/0/id", Some(json!(""))),
        ("/messages/5/tool_calls/0/id", Some(json!(LONG))),
        ("/messages/2/tool_calls/0/function/name", Some(json!("functions.look"))),
        ("/messages/2/tool_calls/0/function/name", Some(json!(""))),
        ("/messages/2/tool_calls/0/function/arguments", Some(json!("oops"))),
        ("/tools/0/function/name", Some(json!(LONG))),
        ("/tools/0/function/parameters/type", None),
        ("/tools/0/function/parameters/oneOf", Some(json!([{}]))),
        ("/response_format/json_schema/name", Some(json!("an output"))),
        ("/response_format/type", Some(json!("json"))),
    ]);
    assert_eq!(at_large(ProviderKind::OpenAi, &of_openai(), &faults), Vec::<String>::new());
}

#[test]
fn anthropic_refuses_what_is_wrong() {
    let kept = json!({"type": "ephemeral"});
    let result = json!({"type": "tool_result", "tool_use_id": "c1", "content": "seen"});
    let marked = json!([1, 2].map(|_| json!({"type": "text", "text": "Hm.", "cache_control": kept})));
    let faults: Vec<Fault> = vec![
        ("/model", None),
        ("/max_tokens", None),
        ("/temperature", Some(json!(1.5))),
        ("/system/0/text", Some(json!(" "))),
        ("/messages", Some(json!([]))),
        ("/messages/0", None),
        ("/messages/0/role", Some(json!("system"))),
        ("/messages/0/content", Some(json!([]))),
        ("/messages/0/content", Some(json!(""))),
        ("/messages/0/content/0/text", Some(json!(""))),
        ("/messages/1/content/0/text", Some(json!("\n"))),
        ("/messages/1/content/1/id", Some(json!("functions.look:0"))),
        ("/messages/1/content/1/name", Some(json!("functions.look"))),
        ("/messages/1/content/1/name", Some(json!(""))),
        ("/messages/1/content/1/input", Some(json!("oops"))),
        ("/messages/1/role", Some(json!("user"))),
        ("/messages/2", None),
        ("/messages/2/content/0", None),
        ("/messages/2/content/1", Some(result.clone())),
        ("/messages/2/content/2", Some(result)),
        ("/messages/2/content/0", Some(json!({"type": "text", "text": "First."}))),
        ("/messages/2/content/0/tool_use_id", Some(json!("c9"))),
        ("/messages/2/content/0/content", Some(json!(""))),
        ("/messages/3/content/0/id", Some(json!("c1"))),
        ("/messages/4", None),
        ("/tools", None),
        ("/tools/0/name", Some(json!(LONG))),
        ("/tools/0/input_schema/type", None),
        ("/tools/0/input_schema/anyOf", Some(json!([{}]))),
        ("/tools/1", Some(json!({"name": "look", "input_schema": {"type": "object"}}))),
        ("/system/0/cache_control/type", Some(json!("for_ever"))),
        ("/output_config/format/type", Some(json!("json"))),
        ("/output_config/format/schema", Some(json!(true))),
        ("/output_config/format/schema", Some(json!({}))),
        ("/output_config/format/schema/additionalProperties", None),
        ("/output_config/format/schema/properties/a", Some(json!({"type": "object", "properties": {}}))),
        ("/output_config/format/schema/properties/a", Some(json!({"$ref": "#"}))),
        ("/output_config/format/schema/properties/a", Some(json!({"$ref": "https://example.org"}))),
        ("/output_config/format/schema/properties/a", Some(json!({"enum": [{}]}))),
        ("/output_config/format/schema/properties/a/format", Some(json!("regex"))),
        ("/output_config/format/schema/properties/a/minLength", Some(json!(1))),
        ("/output_config/format/schema/properties/a/not", Some(json!({}))),
        ("/output_config/format/schema/properties/b/minItems", Some(json!(2))),
        ("/output_config/format/schema/properties/b/maxItems", Some(json!(2))),
        ("/output_config/format/schema/properties/b/items/minimum", Some(json!(1))),
    ];
    let mut question = of_anthropic();
    let mut left = at_large(ProviderKind::Anthropic, &question, &faults);
    question["messages"][3]["content"] = json!([marked[0], marked[1], question["messages"][3]["content"][0]]);
    question["tools"][0]["cache_control"] = kept;
    left.extend(
        ModelServer::refusal(ProviderKind::Anthropic, &question).map_or(Some("five marks".to_owned()), |_| None),
    );
    assert_eq!(left, Vec::<String>::new());
}
