//! A custom keyword that charges for each validation of a value against a schema.

use jsonschema::{Keyword, ValidationError, paths::Location};
use serde_json::{Map, Value};

use crate::workflow::budget::{self, Exhausted};

/// The name of the keyword.
pub(super) const METER: &str = "devskyy:meter";
/// Maximum bytes of text matched with one pattern at a time. The size of a pattern is limited as well; matching takes
/// time proportional to the product of both.
const MAX_TEXT: usize = 65_536;

/// The cost of validating a value against one schema, without its subschemas.
struct Meter {
    /// For any value.
    fixed: u64,
    /// Per element or member.
    each: u64,
    /// Whether its text is matched.
    text: bool,
    /// Whether its names are matched.
    names: bool,
}

/// Adds the keyword to the schemas at these places.
pub(super) fn metered(schema: &mut Value, places: &[String]) {
    for place in places {
        if let Some(Value::Object(members)) = schema.pointer_mut(place) {
            members.insert(METER.to_owned(), Value::Bool(true));
        }
    }
}

/// Creates the keyword of one schema.
pub(super) fn keyword<'a>(
    schema: &'a Map<String, Value>,
    _: &'a Value,
    _: Location,
) -> Result<Box<dyn for<'i> Keyword<'i>>, ValidationError<'a>> {
    let compared = ["enum", "const"].iter().filter_map(|name| schema.get(*name)).map(size).sum::<u64>();
    // Each missing name is a violation of its own.
    let wanted = schema.get("required").and_then(Value::as_array).map_or(0, Vec::len);
    let dependent = schema.get("dependentRequired").map_or(0, size);
    let patterns = schema.get("patternProperties").and_then(Value::as_object).map_or(0, Map::len);
    Ok(Box::new(Meter {
        fixed: 1 + schema.len() as u64 / 4 + compared + wanted as u64 + dependent,
        each: 1 + patterns as u64,
        text: schema.contains_key("pattern"),
        names: patterns > 0,
    }))
}

/// The number of values within a value.
fn size(value: &Value) -> u64 {
    match value {
        Value::Null | Value::Bool(_) | Value::Number(_) => 1,
        Value::String(text) => 1 + text.len() as u64 / 32,
        Value::Array(elements) => 1 + elements.iter().map(size).sum::<u64>(),
        Value::Object(members) => 1 + members.values().map(size).sum::<u64>(),
    }
}

impl Meter {
    fn pay(&self, value: &Value) {
        budget::descend();
        let (parts, matched) = match value {
            Value::Null | Value::Bool(_) | Value::Number(_) => (0, 0),
            Value::String(text) => (text.len() / 256, if self.text { text.len() } else { 0 }),
            Value::Array(elements) => (elements.len(), 0),
            Value::Object(members) if self.names => (members.len(), members.keys().map(String::len).sum()),
            Value::Object(members) => (members.len(), 0),
        };
        budget::step(self.fixed + self.each * parts as u64 / 4);
        if matched > MAX_TEXT {
            budget::stop(Exhausted::Text);
        }
    }
}

impl<'i> Keyword<'i> for Meter {
    fn validate(&self, value: &'i Value) -> Result<(), ValidationError<'i>> {
        self.pay(value);
        Ok(())
    }

    fn is_valid(&self, value: &'i Value) -> bool {
        self.pay(value);
        true
    }
}
