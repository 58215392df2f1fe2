//! The subset of JSON Schema that OpenAI's strict mode accepts
//! (<https://platform.openai.com/docs/guides/structured-outputs#supported-schemas>).

use std::collections::BTreeMap;

use devskyy_domain::kernel::Json;

const WORDS: [&str; 21] = [
    "$defs",
    "$ref",
    "additionalProperties",
    "anyOf",
    "const",
    "definitions",
    "description",
    "enum",
    "exclusiveMaximum",
    "exclusiveMinimum",
    "format",
    "items",
    "maxItems",
    "maximum",
    "minItems",
    "minimum",
    "multipleOf",
    "properties",
    "required",
    "title",
    "type",
];
const FORMATS: [&str; 9] = ["date", "date-time", "duration", "email", "hostname", "ipv4", "ipv6", "time", "uuid"];

/// Whether a schema describes an object, the only form of an answer that OpenAI accepts.
pub(in super::super) fn is_object(schema: &Json) -> bool {
    schema.get("type").and_then(Json::as_str) == Some("object")
}

/// Whether strict mode accepts a schema: an object, all objects closed, all members required, and known keywords only.
/// Others are requested without strict mode.
pub(in super::super) fn is_strict(schema: &Json) -> bool {
    is_object(schema) && schema.get("anyOf").is_none() && allowed(schema)
}

fn allowed(schema: &Json) -> bool {
    let Some(members) = schema.as_object() else { return false };
    if !members.keys().all(|word| WORDS.contains(&word.as_str())) {
        return false;
    }
    let below = |word: &str| match members.get(word) {
        Some(Json::Object(children)) => children.values().all(allowed),
        Some(Json::Array(children)) => children.iter().all(allowed),
        Some(_) => false,
        None => true,
    };
    if !["properties", "$defs", "definitions", "anyOf"].into_iter().all(below) {
        return false;
    }
    if let Some(reference) = members.get("$ref") {
        // No other keyword may accompany it.
        return members.len() == 1 && reference.as_str().is_some_and(|reference| reference.starts_with('#'));
    }
    let formatted =
        members.get("format").is_none_or(|format| format.as_str().is_some_and(|format| FORMATS.contains(&format)));
    formatted && typed(members)
}

/// Whether all members that its types require are present.
fn typed(members: &BTreeMap<String, Json>) -> bool {
    let kinds: Vec<&str> = match members.get("type") {
        Some(Json::Array(kinds)) => kinds.iter().filter_map(Json::as_str).collect(),
        Some(kind) => kind.as_str().into_iter().collect(),
        None => return members.contains_key("anyOf"),
    };
    let object = kinds.contains(&"object") || members.contains_key("properties");
    let listed = !kinds.contains(&"array") || members.get("items").is_some_and(allowed);
    (!object || is_closed(members)) && listed
}

fn is_closed(members: &BTreeMap<String, Json>) -> bool {
    let required = members.get("required").and_then(Json::as_array).unwrap_or_default();
    let all = members.get("properties").and_then(Json::as_object).is_none_or(|properties| {
        properties.keys().all(|name| required.iter().any(|wanted| wanted.as_str() == Some(name)))
    });
    all && members.get("additionalProperties") == Some(&Json::from(false))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn strict(schema: &str) -> bool {
        is_strict(&serde_json::from_str(schema).expect("a document"))
    }

    /// An object schema with one member.
    fn with(member: &str) -> String {
        format!(
            r#"{{"type": "object", "additionalProperties": false, "required": ["a"], "properties": {{"a": {member}}}}}"#
        )
    }

    #[test]
    fn what_strict_mode_takes_is_asked_for_strictly() {
        let taken = [
            r#"{"type": "integer", "minimum": 0}"#,
            r#"{"type": ["string", "null"], "format": "email"}"#,
            r#"{"anyOf": [{"type": "string", "enum": ["x"]}, {"type": "null"}]}"#,
            r#"{"type": "array", "maxItems": 3, "items": {"type": "boolean"}}"#,
            r##"{"$ref": "#"}"##,
        ];
        assert_eq!(taken.map(|member| strict(&with(member))), [true; 5]);
    }

    #[test]
    fn what_strict_mode_refuses_is_not_asked_for_strictly() {
        let refused = [
            r#"{}"#,
            r#"true"#,
            r#"{"oneOf": [{"type": "null"}]}"#,
            r#"{"allOf": [{"type": "null"}]}"#,
            r#"{"not": {"type": "null"}}"#,
            r#"{"type": "string", "minLength": 1}"#,
            r#"{"type": "string", "default": "x"}"#,
            r#"{"type": "string", "format": "uri"}"#,
            r#"{"type": "array"}"#,
            r#"{"type": "object"}"#,
            r#"{"type": "object", "properties": {"b": {"type": "null"}}, "additionalProperties": false}"#,
            r##"{"$ref": "#", "description": "Again."}"##,
        ];
        assert_eq!(refused.map(|member| strict(&with(member))), [false; 12]);
    }

    #[test]
    fn nothing_but_an_object_is_asked_for_strictly() {
        let roots = [
            r#"{"type": "array", "items": {"type": "null"}}"#,
            r#"{"anyOf": [{"type": "null"}]}"#,
            r#"{"type": ["object", "null"], "properties": {}, "additionalProperties": false}"#,
        ];
        assert_eq!(roots.map(strict), [false; 3]);
    }
}
