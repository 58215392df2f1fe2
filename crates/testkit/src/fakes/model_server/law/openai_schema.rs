//! <https://platform.openai.com/docs/guides/structured-outputs#supported-schemas>

use serde_json::Value;

use super::{Judged, ensure};

/// Keywords that strict mode refuses.
const FORBIDDEN: [&str; 20] = [
    "allOf",
    "contains",
    "default",
    "dependentRequired",
    "dependentSchemas",
    "else",
    "if",
    "maxContains",
    "maxLength",
    "maxProperties",
    "minContains",
    "minLength",
    "minProperties",
    "not",
    "oneOf",
    "patternProperties",
    "propertyNames",
    "then",
    "unevaluatedProperties",
    "uniqueItems",
];
const FORMATS: [&str; 9] = ["date", "date-time", "duration", "email", "hostname", "ipv4", "ipv6", "time", "uuid"];

pub(super) fn judge(name: &str, schema: &Value, strict: bool) -> Judged {
    let why = |what: &str| format!("Invalid schema for response_format '{name}': {what}");
    ensure(schema["type"] == "object", || why("schema must be a JSON Schema of 'type: \"object\"'"))?;
    if !strict {
        return Ok(());
    }
    ensure(schema.get("anyOf").is_none(), || why("'anyOf' is not permitted at the top level"))?;
    taken(schema).map_err(|what| why(&what))
}

fn taken(schema: &Value) -> Judged {
    let Some(members) = schema.as_object() else { return Err("schema must be an object".to_owned()) };
    if let Some(word) = members.keys().find(|word| FORBIDDEN.contains(&word.as_str())) {
        return Err(format!("'{word}' is not permitted"));
    }
    if members.contains_key("$ref") {
        return ensure(members.len() == 1, || "$ref cannot have keywords beside it".to_owned());
    }
    ensure(members.contains_key("type") || members.contains_key("anyOf"), || {
        "schema must have a 'type' key".to_owned()
    })?;
    if schema["type"] == "object" || members.contains_key("properties") {
        ensure(schema["additionalProperties"] == false, || {
            "'additionalProperties' is required to be supplied and to be false".to_owned()
        })?;
        let required = schema["required"].as_array();
        let named = |name: &String| required.is_some_and(|required| required.iter().any(|wanted| wanted == name));
        ensure(members.get("properties").and_then(Value::as_object).is_none_or(|all| all.keys().all(named)), || {
            "'required' is required to be supplied and to be an array including every key in properties".to_owned()
        })?;
    }
    ensure(schema["type"] != "array" || members.contains_key("items"), || "array schema missing items".to_owned())?;
    ensure(schema["format"].as_str().is_none_or(|format| FORMATS.contains(&format)), || {
        "this 'format' is not a valid format".to_owned()
    })?;
    let maps = ["properties", "$defs", "definitions"].into_iter().filter_map(|word| members.get(word)?.as_object());
    let variants = members.get("anyOf").and_then(Value::as_array).into_iter().flatten();
    let below = maps.flat_map(serde_json::Map::values).chain(variants).chain(members.get("items"));
    below.into_iter().try_for_each(taken)
}
