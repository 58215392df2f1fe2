//! The body of a request: the arguments or a computed value, as JSON or as form fields.

use devskyy_application::workflow::{ToolCall, ToolError};
use devskyy_domain::{kernel::Json, workflow::HttpRequest};

use super::{builtin::permanent, injection::Injection};
use crate::percent::percent_encoded;

/// Maximum bytes of a body.
const MAX_BODY: usize = 1 << 20;

/// A request body.
pub(super) struct Body {
    pub(super) text: String,
    /// Its media type, unless the request sets one.
    pub(super) kind: &'static str,
}

/// The body of a request; `None` if it sends neither its arguments nor a body of its own.
pub(super) async fn body(
    injection: &mut Injection<'_>,
    call: &ToolCall,
    request: &HttpRequest,
    context: &Json,
) -> Result<Option<Body>, ToolError> {
    let text = match &request.body {
        Some(body) if request.form => form(&injection.value(body, context).await?)?,
        Some(body) => json(&injection.value(body, context).await?)?,
        None if request.send_arguments => json(&call.arguments)?,
        None => return Ok(None),
    };
    if text.len() > MAX_BODY {
        return Err(permanent("tool.http_body", format!("the body is longer than {MAX_BODY} bytes")));
    }
    let kind = if request.form { "application/x-www-form-urlencoded" } else { "application/json" };
    Ok(Some(Body { text, kind }))
}

fn json(value: &Json) -> Result<String, ToolError> {
    serde_json::to_string(value).map_err(|error| permanent("tool.arguments", error.to_string()))
}

/// Form fields (URL Standard, section 5.2): lists become repeated fields, and `null` is omitted.
fn form(value: &Json) -> Result<String, ToolError> {
    let wrong =
        || permanent("tool.http_body", "the fields of a form are texts, numbers, truth values or lists of these");
    let mut pairs = Vec::new();
    for (name, value) in value.as_object().ok_or_else(wrong)? {
        let values = match value {
            Json::Array(elements) => elements.as_slice(),
            other => std::slice::from_ref(other),
        };
        for value in values {
            let text = match value {
                Json::Null => continue,
                Json::String(text) => text.clone(),
                Json::Bool(_) | Json::Number(_) => json(value)?,
                Json::Array(_) | Json::Object(_) => return Err(wrong()),
            };
            pairs.push(format!("{}={}", encoded(name), encoded(&text)));
        }
    }
    Ok(pairs.join("&"))
}

/// A text in the encoding of forms.
pub(super) fn encoded(text: &str) -> String {
    percent_encoded(text, b"*-._ ").replace(' ', "+")
}
