//! The subset of JSON Schema that Anthropic enforces
//! (<https://platform.claude.com/docs/en/build-with-claude/structured-outputs#json-schema-limitations>).

use std::collections::BTreeMap;

use devskyy_domain::kernel::Json;

/// Keywords without effect on validity, or followed through references.
const NOTES: [&str; 13] = [
    "$comment",
    "$defs",
    "$id",
    "$schema",
    "default",
    "definitions",
    "deprecated",
    "description",
    "examples",
    "readOnly",
    "title",
    "writeOnly",
    "contentMediaType",
];
/// Keywords whose meaning would change once every object is closed.
const INEXPRESSIBLE: [&str; 12] = [
    "$dynamicRef",
    "$recursiveRef",
    "additionalItems",
    "allOf",
    "dependencies",
    "dependentSchemas",
    "else",
    "if",
    "patternProperties",
    "prefixItems",
    "then",
    "unevaluatedProperties",
];
const FORMATS: [&str; 10] =
    ["date", "date-time", "duration", "email", "hostname", "ipv4", "ipv6", "time", "uri", "uuid"];
/// Limit of schemas after references are inlined.
const MOST: usize = 1_000;

/// A schema that can be enforced.
#[derive(Debug, PartialEq)]
pub(in super::super) struct Closed {
    /// The schema.
    pub(in super::super) schema: Json,
    /// Whether everything it accepts also matches the original schema.
    pub(in super::super) exact: bool,
}

/// Closes every object and drops what cannot be enforced; `None` if that would do more than relax the schema.
pub(in super::super) fn closed(schema: &Json) -> Option<Closed> {
    let mut closing = Closing { root: schema, exact: true, under_way: Vec::new(), left: MOST };
    let schema = closing.schema(schema)?;
    Some(Closed { schema, exact: closing.exact })
}

type Members = BTreeMap<String, Json>;

struct Closing<'a> {
    root: &'a Json,
    exact: bool,
    under_way: Vec<&'a str>,
    left: usize,
}

impl<'a> Closing<'a> {
    fn schema(&mut self, schema: &'a Json) -> Option<Json> {
        self.left = self.left.checked_sub(1)?;
        let members = schema.as_object()?;
        if INEXPRESSIBLE.iter().any(|word| members.contains_key(*word)) {
            return None;
        }
        if let Some(reference) = members.get("$ref") {
            return self.reference(reference.as_str()?, members);
        }
        if let Some(variants) = members.get("anyOf").or_else(|| members.get("oneOf")) {
            return self.variants(variants.as_array()?, members);
        }
        match members.get("type") {
            // Listed values imply their types.
            Some(Json::Array(_)) if members.contains_key("enum") || members.contains_key("const") => {
                self.plain(None, members)
            }
            Some(Json::Array(kinds)) => {
                let kinds = kinds.iter().map(|kind| self.plain(kind.as_str(), members));
                Some(object([("anyOf", Json::Array(kinds.collect::<Option<_>>()?))]))
            }
            Some(kind) => self.plain(Some(kind.as_str()?), members),
            None if members.contains_key("properties") => self.plain(Some("object"), members),
            None => self.plain(None, members),
        }
    }

    /// Inlines a referenced schema, which must not be recursive.
    fn reference(&mut self, reference: &'a str, members: &'a Members) -> Option<Json> {
        self.notice(members, &["$ref"]);
        let (place, name) = reference.strip_prefix("#/")?.split_once('/')?;
        if !matches!(place, "$defs" | "definitions") || self.under_way.contains(&reference) {
            return None;
        }
        let target = self.root.get(place)?.get(name)?;
        self.under_way.push(reference);
        let written_out = self.schema(target);
        self.under_way.pop();
        written_out
    }

    fn variants(&mut self, variants: &'a [Json], members: &'a Members) -> Option<Json> {
        // Members beside them would have to be merged into each.
        if ["properties", "items", "enum", "const", "additionalProperties", "required"]
            .iter()
            .any(|word| members.contains_key(*word))
        {
            return None;
        }
        self.exact &= !members.contains_key("oneOf");
        self.notice(members, &["anyOf", "oneOf"]);
        let variants = variants.iter().map(|variant| self.schema(variant)).collect::<Option<_>>()?;
        Some(object([("anyOf", Json::Array(variants))]).with_notes(members))
    }

    fn plain(&mut self, kind: Option<&str>, members: &'a Members) -> Option<Json> {
        let mut closed = Members::new();
        let mut known = vec!["type", "enum", "const"];
        for word in ["enum", "const"] {
            if let Some(values) = members.get(word) {
                let primitive = |value: &Json| !matches!(value, Json::Array(_) | Json::Object(_));
                if !values.as_array().map_or_else(|| primitive(values), |values| values.iter().all(primitive)) {
                    return None;
                }
                closed.insert(word.to_owned(), values.clone());
            }
        }
        match kind {
            Some("object") => {
                known.extend(["properties", "required", "additionalProperties"]);
                self.object(members, &mut closed)?;
            }
            Some("array") => {
                known.extend(["items", "minItems"]);
                closed.insert("items".to_owned(), self.schema(members.get("items")?)?);
                self.least(members, &mut closed);
            }
            Some("string") => {
                known.push("format");
                self.format(members, &mut closed);
            }
            Some("integer" | "number" | "boolean" | "null") => {}
            Some(_) => return None,
            // An unrestricted value cannot be enforced.
            None if closed.is_empty() => return None,
            None => {}
        }
        if let Some(kind) = kind {
            closed.insert("type".to_owned(), kind.into());
        }
        self.notice(members, &known);
        Some(Json::Object(closed).with_notes(members))
    }

    fn object(&mut self, members: &'a Members, closed: &mut Members) -> Option<()> {
        let properties = members.get("properties").and_then(Json::as_object);
        match members.get("additionalProperties") {
            None | Some(Json::Bool(true)) if properties.is_none_or(Members::is_empty) => return None,
            None | Some(Json::Bool(_)) => {}
            Some(_) => return None,
        }
        let mut told = Members::new();
        for (name, schema) in properties.into_iter().flatten() {
            told.insert(name.clone(), self.schema(schema)?);
        }
        if let Some(required) = members.get("required") {
            let known = |name: &Json| name.as_str().is_some_and(|name| told.contains_key(name));
            if !required.as_array()?.iter().all(known) {
                return None;
            }
            closed.insert("required".to_owned(), required.clone());
        }
        closed.insert("properties".to_owned(), Json::Object(told));
        closed.insert("additionalProperties".to_owned(), false.into());
        Some(())
    }

    /// A minimum of one element can be enforced, but no other.
    fn least(&mut self, members: &Members, closed: &mut Members) {
        let Some(least) = members.get("minItems") else { return };
        let enforced = *least == Json::from(0_i64) || *least == Json::from(1_i64);
        closed.insert("minItems".to_owned(), if enforced { least.clone() } else { Json::from(1_i64) });
        self.exact &= enforced;
    }

    fn format(&mut self, members: &Members, closed: &mut Members) {
        let Some(format) = members.get("format") else { return };
        if format.as_str().is_some_and(|format| FORMATS.contains(&format)) {
            closed.insert("format".to_owned(), format.clone());
        } else {
            self.exact = false;
        }
    }

    /// Records whether there are constraints beside these keywords.
    fn notice(&mut self, members: &Members, known: &[&str]) {
        let told = |word: &&String| known.contains(&word.as_str()) || NOTES.contains(&word.as_str());
        self.exact &= members.keys().all(|word| told(&word));
    }
}

fn object<const N: usize>(members: [(&str, Json); N]) -> Json {
    members.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

trait Noted {
    fn with_notes(self, of: &Members) -> Self;
}

impl Noted for Json {
    fn with_notes(self, of: &Members) -> Self {
        let Self::Object(mut members) = self else { return self };
        for word in ["title", "description"] {
            members.extend(of.get(word).map(|note| (word.to_owned(), note.clone())));
        }
        Self::Object(members)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> Json {
        serde_json::from_str(text).expect("a document")
    }

    fn made(schema: &str) -> Option<(Json, bool)> {
        closed(&parsed(schema)).map(|Closed { schema, exact }| (schema, exact))
    }

    #[test]
    fn an_ordinary_schema_is_closed_and_freed_of_what_cannot_be_enforced() {
        let schema = r##"{
            "$schema": "https://json-schema.org/draft/2020-12/schema", "type": "object", "required": ["total"],
            "properties": {
                "total": {"type": "integer", "minimum": 0, "description": "In cents."},
                "lines": {"type": "array", "minItems": 2, "items": {"$ref": "#/$defs/line"}},
                "note": {"type": ["string", "null"], "maxLength": 80}
            },
            "$defs": {"line": {"type": "object", "properties": {"mail": {"type": "string", "format": "email"}}}}
        }"##;
        let expected = r#"{
            "type": "object", "required": ["total"], "additionalProperties": false,
            "properties": {
                "total": {"type": "integer", "description": "In cents."},
                "lines": {"type": "array", "minItems": 1, "items": {
                    "type": "object", "additionalProperties": false,
                    "properties": {"mail": {"type": "string", "format": "email"}}
                }},
                "note": {"anyOf": [{"type": "string"}, {"type": "null"}]}
            }
        }"#;
        assert_eq!(made(schema), Some((parsed(expected), false)));
    }

    #[test]
    fn what_is_enforced_as_it_stands_is_exact() {
        let schema = r#"{"type": "object", "additionalProperties": false, "required": ["a"], "properties": {"a": {"enum": ["x", 1]}}}"#;
        assert_eq!(made(schema), Some((parsed(schema), true)));
    }

    #[test]
    fn one_of_several_is_enforced_as_any_of_them() {
        let schema = r#"{"oneOf": [{"type": "integer"}, {"type": "null"}]}"#;
        assert_eq!(made(schema), Some((parsed(r#"{"anyOf": [{"type": "integer"}, {"type": "null"}]}"#), false)));
    }

    #[test]
    fn what_closing_would_turn_into_something_else_is_not_enforced() {
        let schemas = [
            r#"true"#,
            r#"{}"#,
            r#"{"type": "object"}"#,
            r#"{"type": "object", "additionalProperties": {"type": "string"}}"#,
            r#"{"type": "object", "patternProperties": {"^x": {"type": "string"}}}"#,
            r#"{"type": "object", "properties": {"a": {"type": "null"}}, "required": ["b"]}"#,
            r#"{"type": "array"}"#,
            r#"{"allOf": [{"type": "object", "properties": {"a": {"type": "null"}}}]}"#,
            r#"{"enum": [{"a": 1}]}"#,
            r##"{"type": "object", "properties": {"next": {"$ref": "#/$defs/node"}},
                "$defs": {"node": {"type": "object", "properties": {"next": {"$ref": "#/$defs/node"}}}}}"##,
            r##"{"type": "object", "properties": {"self": {"$ref": "#"}}}"##,
            r#"{"$ref": "https://example.org/schema"}"#,
            r#"{"type": "object", "properties": {"a": {"type": "null"}}, "anyOf": [{"required": ["a"]}]}"#,
        ];
        assert_eq!(schemas.map(made), schemas.map(|_| None));
    }

    #[test]
    fn references_that_multiply_are_not_written_out() {
        let level = |n: usize| {
            let next = format!(r##"{{"$ref": "#/$defs/l{}"}}"##, n + 1);
            format!(r#""l{n}": {{"type": "object", "properties": {{"a": {next}, "b": {next}}}}}"#)
        };
        let levels: Vec<_> = (0..20).map(level).collect();
        let schema =
            format!(r##"{{"$ref": "#/$defs/l0", "$defs": {{{}, "l20": {{"type": "null"}}}}}}"##, levels.join(","));
        assert_eq!(made(&schema), None);
    }
}
