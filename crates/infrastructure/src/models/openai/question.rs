use devskyy_application::models::{ModelRequest, OutputFormat, ToolOffer};
use devskyy_domain::{
    conversation::{Message, ToolCall},
    kernel::Json,
};
use serde_json::{Value, json};

use super::{
    super::{
        calls::{CallIds, fit, same_provider},
        schema,
    },
    terms::{Terms, Whose},
};

/// Length limit of a call's id.
const LONGEST_ID: usize = 40;
/// Google's placeholder for signatures of others' thoughts
/// (<https://ai.google.dev/gemini-api/docs/thought-signatures>).
const OTHERS_THOUGHTS: &str = "skip_thought_signature_validator";

/// The request body.
pub(in super::super) fn question(request: &ModelRequest, model: &str, terms: Terms) -> Value {
    let form = request.output.as_ref().map(|output| Form::of(output, terms));
    let words = form.as_ref().and_then(|form| form.words.as_deref());
    let mut body = json!({
        "model": model,
        "messages": messages(request, words, terms),
        "stream": true,
        "stream_options": {"include_usage": true},
    });
    body[terms.limit] = request.max_output_tokens.into();
    if let Some(thousandths) = request.temperature {
        body["temperature"] = (f64::from(thousandths) / 1_000.0).into();
    }
    if !request.tools.is_empty() {
        body["tools"] = request.tools.iter().map(tool).collect();
    }
    if let Some(format) = form.and_then(|form| form.format) {
        body["response_format"] = format;
    }
    body
}

fn tool(tool: &ToolOffer) -> Value {
    let (description, schema) = schema::arguments(&tool.description, &tool.schema);
    let function = json!({"name": tool.name, "description": description, "parameters": schema});
    json!({"type": "function", "function": function})
}

/// How the form of an answer is requested.
struct Form {
    format: Option<Value>,
    /// For servers that do not enforce it; many silently ignore the form.
    words: Option<String>,
}

impl Form {
    fn of(output: &OutputFormat, terms: Terms) -> Self {
        let OutputFormat { name, schema } = output;
        let strict = schema::is_strict(schema);
        let format = (terms.formed && schema::is_object(schema)).then(|| {
            let schema = json!({"name": name, "schema": schema, "strict": strict});
            json!({"type": "json_schema", "json_schema": schema})
        });
        let enforced = strict && format.is_some() && terms.whose == Whose::OpenAi;
        Self { format, words: (!enforced).then(|| schema::in_words(schema)) }
    }
}

fn messages(request: &ModelRequest, words: Option<&str>, terms: Terms) -> Vec<Value> {
    let system = |text: &str| json!({"role": "system", "content": text});
    let (mut ids, mut told, mut words) = (CallIds::new(suits), Vec::new(), words);
    for message in &request.messages {
        told.push(match message {
            Message::System { text } => match words.take() {
                Some(words) => system(&format!("{text}\n\n{words}")),
                None => system(text),
            },
            Message::User { text } => json!({"role": "user", "content": text}),
            Message::Assistant { text, calls, .. } if calls.is_empty() => json!({"role": "assistant", "content": text}),
            Message::Assistant { text, calls, by, carry } => {
                let ids = ids.of(calls, same_provider(by, &request.model));
                let carry = carry.as_ref().filter(|_| *by == request.model);
                said(text, calls, &ids, carry, terms.whose)
            }
            Message::Tool { call, text, failed: _ } => {
                json!({"role": "tool", "tool_call_id": ids.answered(call), "content": text})
            }
        });
    }
    if let Some(words) = words {
        told.insert(0, system(words));
    }
    told
}

/// An answer that requested calls, with the data its provider wants back.
fn said(text: &str, calls: &[ToolCall], ids: &[String], carry: Option<&Json>, whose: Whose) -> Value {
    let content = if text.is_empty() { Value::Null } else { Value::from(text) };
    let mut calls: Vec<_> = calls.iter().zip(ids).map(|(call, id)| called(call, id)).collect();
    let signed = carry.and_then(|carry| carry.get("calls")).and_then(Json::as_array).unwrap_or_default();
    for (call, extra) in calls.iter_mut().zip(signed).filter(|(_, extra)| !extra.is_null()) {
        call["extra_content"] = json!(extra);
    }
    if whose == Whose::Google
        && signed.is_empty()
        && let Some(first) = calls.first_mut()
    {
        first["extra_content"] = json!({"google": {"thought_signature": OTHERS_THOUGHTS}});
    }
    let mut said = json!({"role": "assistant", "content": content, "tool_calls": calls});
    if let Some(details) = carry.and_then(|carry| carry.get("reasoning_details")) {
        said["reasoning_details"] = json!(details);
    }
    match carry.and_then(|carry| carry.get("reasoning_content")) {
        Some(thoughts) => said["reasoning_content"] = json!(thoughts),
        // Required, whichever model requested the calls.
        None if whose == Whose::DeepSeek => said["reasoning_content"] = "".into(),
        None => {}
    }
    said
}

fn called(call: &ToolCall, id: &str) -> Value {
    let arguments = match &call.arguments {
        object @ Json::Object(_) => json!(object),
        // Servers parse the text and accept objects only; other arguments are shown to the model as it wrote them.
        other => json!({"arguments": other}),
    };
    json!({"id": id, "type": "function", "function": {"name": fit(&call.name), "arguments": arguments.to_string()}})
}

fn suits(id: &str) -> bool {
    (1..=LONGEST_ID).contains(&id.len()) && id.chars().all(|letter| letter.is_ascii_graphic())
}

#[cfg(test)]
mod tests {
    use devskyy_testkit::contracts::models::{question as plain, questions::begun_with_others};

    use super::*;

    /// The messages that requested calls, as sent to an address.
    fn told(base_url: &str, request: &ModelRequest) -> Vec<Value> {
        let body = question(request, "echo-1", Terms::at(base_url, true));
        let messages = body["messages"].as_array().cloned().unwrap_or_default();
        messages.into_iter().filter(|message| message.get("tool_calls").is_some()).collect()
    }

    #[test]
    fn google_is_told_that_others_had_the_thoughts() {
        let told = told("https://generativelanguage.googleapis.com/v1beta/openai", &begun_with_others());
        let signed = told.iter().map(|said| &said["tool_calls"][0]["extra_content"]["google"]["thought_signature"]);
        assert_eq!(signed.collect::<Vec<_>>(), [OTHERS_THOUGHTS; 4]);
    }

    #[test]
    fn deepseek_is_told_thoughts_even_where_there_are_none() {
        let told = told("https://api.deepseek.com/v1", &begun_with_others());
        assert_eq!(told.iter().map(|said| &said["reasoning_content"]).collect::<Vec<_>>(), [""; 4]);
    }

    #[test]
    fn thoughts_go_back_to_the_model_that_had_them_only() {
        let thoughts = |by: &str| {
            let call = ToolCall { id: "c1".to_owned(), name: "look".to_owned(), arguments: Json::Null };
            let carry = [("reasoning_content".to_owned(), Json::from("Hm."))].into_iter().collect();
            let said =
                Message::Assistant { text: String::new(), calls: vec![call], by: by.to_owned(), carry: Some(carry) };
            let mut request = plain();
            request.messages.push(said);
            told("http://127.0.0.1/v1", &request).pop().and_then(|said| said.get("reasoning_content").cloned())
        };
        let told = ["fake/echo-1", "fake/echo-2", "other/echo-1"].map(thoughts);
        assert_eq!(told, [Some("Hm.".into()), None, None]);
    }
}
