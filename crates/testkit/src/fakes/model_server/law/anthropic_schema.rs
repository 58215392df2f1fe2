//! <https://platform.claude.com/docs/en/build-with-claude/structured-outputs#json-schema-limitations>

use serde_json::Value;

use super::{Judged, ensure};

const WORDS: [&str; 18] = [
    "$defs",
    "$ref",
    "additionalProperties",
    "allOf",
    "anyOf",
    "const",
    "default",
    "definitions",
    "description",
    "enum",
    "format",
    "items",
    "minItems",
    "pattern",
    "properties",
    "required",
    "title",
    "type",
];
const FORMATS: [&str; 10] =
    ["date", "date-time", "duration", "email", "hostname", "ipv4", "ipv6", "time", "uri", "uuid"];

pub(super) fn judge(schema: &Value) -> Judged {
    taken(schema, schema, 0)
}

fn taken(root: &Value, schema: &Value, depth: usize) -> Judged {
    let why = |what: String| format!("output_config.format.schema: {what}");
    ensure(depth < 64, || why("Too many recursive definitions in schema".to_owned()))?;
    let Some(members) = schema.as_object() else { return Err(why("Schema must be an object".to_owned())) };
    let kind = schema["type"].as_str().unwrap_or("any");
    if let Some(word) = members.keys().find(|word| !WORDS.contains(&word.as_str())) {
        return Err(why(format!("For '{kind}' type, property '{word}' is not supported")));
    }
    let said = ["type", "enum", "const", "anyOf", "allOf", "$ref"].iter().any(|word| members.contains_key(*word));
    ensure(said, || why("Schema type is required".to_owned()))?;
    let object = kind == "object" || members.contains_key("properties");
    ensure(!object || schema["additionalProperties"] == false, || {
        why("For 'object' type, 'additionalProperties' must be explicitly set to false".to_owned())
    })?;
    ensure(members.get("minItems").is_none_or(|least| *least == 0 || *least == 1), || {
        why("For 'array' type, 'minItems' values other than 0 or 1 are not supported".to_owned())
    })?;
    let format = schema["format"].as_str();
    ensure(format.is_none_or(|format| FORMATS.contains(&format)), || {
        why("For 'string' type, this 'format' is not supported".to_owned())
    })?;
    let listed = members.get("enum").and_then(Value::as_array).into_iter().flatten();
    ensure(listed.into_iter().all(|value| !value.is_object() && !value.is_array()), || {
        why("Complex types within enums are not supported".to_owned())
    })?;
    if let Some(reference) = schema["$ref"].as_str() {
        let target = reference.strip_prefix('#').and_then(|pointer| root.pointer(pointer));
        let Some(target) = target else { return Err(why("External $ref is not supported".to_owned())) };
        taken(root, target, depth + 1)?;
    }
    let maps = ["properties", "$defs", "definitions"].into_iter().filter_map(|word| members.get(word)?.as_object());
    let lists = ["anyOf", "allOf"].into_iter().filter_map(|word| members.get(word)?.as_array());
    let below = maps.flat_map(serde_json::Map::values).chain(lists.flatten()).chain(members.get("items"));
    below.into_iter().try_for_each(|below| taken(root, below, depth + 1))
}
