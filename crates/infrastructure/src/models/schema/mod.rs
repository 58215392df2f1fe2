//! Adapts JSON Schemas to vendors: each enforces a subset, and rejects requests that go beyond it.

mod closed;
mod strict;

use devskyy_domain::kernel::Json;
use serde_json::json;

pub(super) use self::{
    closed::closed,
    strict::{is_object, is_strict},
};

/// Keywords that vendors reject at the top of a tool's argument schema.
const COMBINED: [&str; 5] = ["allOf", "anyOf", "enum", "not", "oneOf"];

/// A tool's description and argument schema; keywords a vendor rejects at the top are described in words. Arguments are
/// validated against the whole schema anyway.
pub(super) fn arguments(description: &str, schema: &Json) -> (String, Json) {
    let Some(members) = schema.as_object() else { return (description.to_owned(), schema.clone()) };
    let (combined, plain): (Vec<_>, Vec<_>) =
        members.clone().into_iter().partition(|(name, _)| COMBINED.contains(&name.as_str()));
    if combined.is_empty() {
        return (description.to_owned(), schema.clone());
    }
    let combined: Json = combined.into_iter().collect();
    let description = format!("{description}\n\nThe arguments also have to fit this JSON Schema: {}", json!(combined));
    (description, plain.into_iter().collect())
}

/// The form of an answer in words, for models that do not enforce it.
pub(super) fn in_words(schema: &Json) -> String {
    format!(
        "When you need no more tools, answer with nothing but one JSON document that fits this JSON Schema, without any \
         text around it:\n{}",
        json!(schema)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(schema: &str) -> Json {
        serde_json::from_str(schema).expect("a document")
    }

    #[test]
    fn what_is_combined_at_the_top_of_arguments_is_told_in_words() {
        let schema = parsed(r#"{"type": "object", "oneOf": [{"required": ["a"]}]}"#);
        let (description, sent) = arguments("Finds.", &schema);
        assert!(description.contains(r#"{"oneOf":[{"required":["a"]}]}"#) && sent == parsed(r#"{"type":"object"}"#));
    }

    #[test]
    fn ordinary_arguments_stay_as_they_are() {
        let schema = parsed(r#"{"type": "object", "properties": {"a": {"anyOf": [{}]}}}"#);
        assert_eq!(arguments("Finds.", &schema), ("Finds.".to_owned(), schema));
    }
}
