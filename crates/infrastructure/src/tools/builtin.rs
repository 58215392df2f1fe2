use std::collections::BTreeMap;

use devskyy_application::workflow::{Expressions, ToolError};
use devskyy_domain::{kernel::Json, workflow::Builtin};

use super::parse::parse;

pub(super) fn permanent(code: &str, message: impl Into<String>) -> ToolError {
    ToolError::Permanent { code: code.to_owned(), message: message.into() }
}

/// Calls a builtin tool. The same arguments always give the same result.
pub(super) async fn call(expressions: &dyn Expressions, builtin: Builtin, arguments: &Json) -> Result<Json, ToolError> {
    match builtin {
        Builtin::Parse => {
            let arguments = Arguments::of(arguments, &["format", "text"])?;
            let (format, text) = (arguments.text("format")?.to_owned(), arguments.text("text")?.to_owned());
            let parsed = tokio::task::spawn_blocking(move || parse(&format, &text)).await;
            let parsed = parsed.unwrap_or_else(|_| Err("the text made the parser fail".to_owned()));
            parsed.map_err(|message| permanent("tool.parse", message))
        }
        Builtin::Jq => {
            let arguments = Arguments::of(arguments, &["program", "input"])?;
            let result = expressions.evaluate(arguments.text("program")?, arguments.value("input")).await;
            result.map_err(|error| permanent("tool.jq", error.message))
        }
        Builtin::Template => {
            let arguments = Arguments::of(arguments, &["template", "context"])?;
            let result = expressions.render(arguments.text("template")?, arguments.value("context")).await;
            result.map(Json::String).map_err(|error| permanent("tool.template", error.message))
        }
    }
}

/// The arguments of a builtin tool.
struct Arguments<'a>(&'a BTreeMap<String, Json>);

impl<'a> Arguments<'a> {
    fn of(arguments: &'a Json, known: &[&str]) -> Result<Self, ToolError> {
        let wanted = known.join("` and `");
        let members = arguments
            .as_object()
            .ok_or_else(|| permanent("tool.arguments", format!("an object with `{wanted}` is expected")))?;
        match members.keys().find(|name| !known.contains(&name.as_str())) {
            Some(name) => {
                Err(permanent("tool.arguments", format!("`{name}` means nothing here; known are `{wanted}`")))
            }
            None => Ok(Self(members)),
        }
    }

    fn text(&self, name: &str) -> Result<&'a str, ToolError> {
        let text = self.0.get(name).and_then(Json::as_str);
        text.ok_or_else(|| permanent("tool.arguments", format!("`{name}` must be a string")))
    }

    fn value(&self, name: &str) -> &'a Json {
        self.0.get(name).unwrap_or(&Json::Null)
    }
}
