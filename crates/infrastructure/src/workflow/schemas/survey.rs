//! Estimates the cost of validating one value from the schema alone.

use std::collections::{BTreeSet, HashMap};

use devskyy_application::workflow::SchemaViolation;
use devskyy_domain::workflow::member;
use serde_json::Value;

/// Maximum number of schemas that one value is validated against, including referenced ones.
const MOST_AT_ONCE: usize = 4_096;
/// Maximum nesting of referenced or combined schemas for one value.
const DEEPEST: usize = 64;
/// Maximum number of distinct references; compilation may have to resolve them one after the other.
const MOST_REFERENCES: usize = 512;
/// Maximum number of distinct patterns.
const MOST_PATTERNS: usize = 128;

/// Keywords whose schema applies to the same value.
const SAME: [&str; 4] = ["not", "if", "then", "else"];
/// Keywords with an array of schemas that apply to the same value.
const SAME_EACH: [&str; 3] = ["allOf", "anyOf", "oneOf"];
/// Keywords whose schema applies to parts of the value.
const PART: [&str; 6] =
    ["additionalProperties", "items", "contains", "propertyNames", "unevaluatedItems", "unevaluatedProperties"];
/// Keywords with named schemas that apply to parts of the value or are only referenced.
const PART_BY_NAME: [&str; 4] = ["properties", "patternProperties", "$defs", "definitions"];

/// The result of a survey.
#[derive(Debug)]
pub(super) struct Survey {
    /// JSON pointers to all of its schemas.
    pub(super) places: Vec<String>,
    /// Number of distinct patterns.
    pub(super) patterns: usize,
}

/// The state of one schema.
#[derive(Clone, Copy)]
enum Known {
    /// In progress: meeting it again means a cycle.
    Open,
    /// One value is validated against this many schemas, nested this deep.
    Weighed { schemas: usize, depth: usize },
}

struct Surveyor<'a> {
    root: &'a Value,
    anchors: HashMap<&'a str, String>,
    known: HashMap<String, Known>,
    patterns: BTreeSet<&'a str>,
    references: BTreeSet<String>,
    waiting: Vec<String>,
}

/// Surveys a schema that conforms to the meta-schema.
///
/// # Errors
/// The first place that is too expensive, or that refers to something outside.
pub(super) fn survey(schema: &Value) -> Result<Survey, SchemaViolation> {
    let mut anchors = HashMap::new();
    find_anchors(schema, "", &mut anchors);
    let mut surveyor = Surveyor {
        root: schema,
        anchors,
        known: HashMap::new(),
        patterns: BTreeSet::new(),
        references: BTreeSet::new(),
        waiting: vec![String::new()],
    };
    while let Some(pointer) = surveyor.waiting.pop() {
        surveyor.weigh(&pointer, 0)?;
    }
    let Surveyor { known, patterns, .. } = surveyor;
    Ok(Survey { places: known.into_keys().collect(), patterns: patterns.len() })
}

fn find_anchors<'a>(value: &'a Value, pointer: &str, found: &mut HashMap<&'a str, String>) {
    match value {
        Value::Object(members) => {
            for (name, value) in members {
                if let ("$anchor" | "$dynamicAnchor", Value::String(anchor)) = (name.as_str(), value) {
                    found.insert(anchor, pointer.to_owned());
                }
                find_anchors(value, &member(pointer, name), found);
            }
        }
        Value::Array(elements) => {
            for (index, value) in elements.iter().enumerate() {
                find_anchors(value, &format!("{pointer}/{index}"), found);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

fn refused(pointer: &str, message: String) -> SchemaViolation {
    SchemaViolation { pointer: pointer.to_owned(), message }
}

impl<'a> Surveyor<'a> {
    /// The number of schemas a value is validated against from this one on, and their nesting.
    fn weigh(&mut self, pointer: &str, above: usize) -> Result<(usize, usize), SchemaViolation> {
        let too_deep = || refused(pointer, format!("more than {DEEPEST} schemas are nested for one value here"));
        match self.known.get(pointer) {
            Some(Known::Weighed { schemas, depth }) => return Ok((*schemas, *depth)),
            Some(Known::Open) => {
                return Err(refused(pointer, "it refers to itself for the value it is asked about".to_owned()));
            }
            None => {}
        }
        let Some(schema @ Value::Object(_)) = self.root.pointer(pointer) else { return Ok((1, 1)) };
        if above >= DEEPEST {
            return Err(too_deep());
        }
        if !pointer.is_empty() && schema.get("$id").is_some() {
            return Err(refused(&member(pointer, "$id"), "only the schema as a whole may have a name".to_owned()));
        }
        self.known.insert(pointer.to_owned(), Known::Open);
        self.note_parts(schema, pointer)?;
        let (mut schemas, mut depth) = (1, 1);
        for inner in self.for_same_value(schema, pointer)? {
            let (more, deeper) = self.weigh(&inner, above + 1)?;
            schemas += more;
            depth = depth.max(1 + deeper);
        }
        if schemas > MOST_AT_ONCE {
            let message = format!("one value is held against more than {MOST_AT_ONCE} schemas here");
            return Err(refused(pointer, message));
        }
        if depth > DEEPEST {
            return Err(too_deep());
        }
        self.known.insert(pointer.to_owned(), Known::Weighed { schemas, depth });
        Ok((schemas, depth))
    }

    /// The schemas that apply to the same value as this one.
    fn for_same_value(&mut self, schema: &Value, pointer: &str) -> Result<Vec<String>, SchemaViolation> {
        let mut found = Vec::new();
        for name in SAME {
            found.extend(schema.get(name).map(|_| member(pointer, name)));
        }
        for name in SAME_EACH {
            let count = schema.get(name).and_then(Value::as_array).map_or(0, Vec::len);
            found.extend((0..count).map(|index| format!("{}/{index}", member(pointer, name))));
        }
        for name in ["dependentSchemas", "dependencies"] {
            let members = schema.get(name).and_then(Value::as_object).into_iter().flatten();
            found.extend(members.map(|(property, _)| member(&member(pointer, name), property)));
        }
        for name in ["$ref", "$dynamicRef"] {
            if let Some(reference) = schema.get(name).and_then(Value::as_str) {
                found.push(self.destination(reference, &member(pointer, name))?);
            }
        }
        Ok(found)
    }

    /// Queues the schemas for parts of the value, and counts patterns.
    fn note_parts(&mut self, schema: &'a Value, pointer: &str) -> Result<(), SchemaViolation> {
        for name in PART {
            self.waiting.extend(schema.get(name).map(|_| member(pointer, name)));
        }
        let count = schema.get("prefixItems").and_then(Value::as_array).map_or(0, Vec::len);
        self.waiting.extend((0..count).map(|index| format!("{pointer}/prefixItems/{index}")));
        for name in PART_BY_NAME {
            let members = schema.get(name).and_then(Value::as_object).into_iter().flatten();
            self.waiting.extend(members.map(|(property, _)| member(&member(pointer, name), property)));
        }
        let names = schema.get("patternProperties").and_then(Value::as_object);
        self.patterns.extend(schema.get("pattern").and_then(Value::as_str));
        self.patterns.extend(names.into_iter().flatten().map(|(pattern, _)| pattern.as_str()));
        if self.patterns.len() > MOST_PATTERNS {
            return Err(refused(pointer, format!("the schema has more than {MOST_PATTERNS} patterns")));
        }
        Ok(())
    }

    /// The target of a reference.
    fn destination(&mut self, reference: &str, at: &str) -> Result<String, SchemaViolation> {
        let outside = || refused(at, "it does not lead to a place within the schema".to_owned());
        let fragment = reference.strip_prefix('#').ok_or_else(outside)?;
        let destination = if fragment.is_empty() || fragment.starts_with('/') {
            plain(fragment).filter(|pointer| self.root.pointer(pointer).is_some())
        } else {
            self.anchors.get(fragment).cloned()
        };
        let destination = destination.ok_or_else(outside)?;
        self.references.insert(destination.clone());
        if self.references.len() > MOST_REFERENCES {
            return Err(refused(at, format!("the schema refers to more than {MOST_REFERENCES} places")));
        }
        Ok(destination)
    }
}

/// A fragment without its percent-encoding (RFC 3986, section 2.1).
fn plain(fragment: &str) -> Option<String> {
    let mut parts = fragment.split('%');
    let mut bytes = parts.next().unwrap_or_default().as_bytes().to_vec();
    for part in parts {
        bytes.push(u8::from_str_radix(part.get(..2)?, 16).ok()?);
        bytes.extend_from_slice(part.get(2..)?.as_bytes());
    }
    String::from_utf8(bytes).ok()
}
