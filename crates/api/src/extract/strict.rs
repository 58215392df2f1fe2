//! Scans a JSON text before it is given a type: depth, repeated members, NUL, one document only.

use std::{collections::HashSet, fmt};

use serde::de::{DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};

use super::pointer;
use crate::problem::{Code, Problem, request};

/// The greatest depth of nested arrays and objects.
const DEEPEST: usize = 32;

/// Refuses a text that is not one strict, well-formed document.
pub(crate) fn check(text: &[u8]) -> Result<(), Problem> {
    let mut scan = Scan { path: Vec::new(), fault: None };
    let mut deserializer = serde_json::Deserializer::from_slice(text);
    let outcome = Look(&mut scan).deserialize(&mut deserializer).and_then(|()| deserializer.end());
    match (outcome, scan.fault) {
        (Ok(()), _) => Ok(()),
        (Err(_), Some((code, detail))) => Err(Problem::at(code, pointer_to(&scan.path), detail)),
        (Err(error), None) => Err(Problem::new(
            request::MALFORMED_JSON,
            format!("the body is not one JSON document: line {}, column {}", error.line(), error.column()),
        )),
    }
}

enum Place {
    Member(String),
    Index(usize),
}

fn pointer_to(path: &[Place]) -> String {
    let mut pointer = String::new();
    for place in path {
        match place {
            Place::Member(name) => pointer::push(&mut pointer, name),
            Place::Index(index) => pointer::push(&mut pointer, &index.to_string()),
        }
    }
    pointer
}

struct Scan {
    path: Vec<Place>,
    fault: Option<(Code, &'static str)>,
}

impl Scan {
    fn refuse<E: serde::de::Error>(&mut self, code: Code, detail: &'static str) -> E {
        self.fault = Some((code, detail));
        E::custom(detail)
    }

    fn descend<E: serde::de::Error>(&mut self) -> Result<(), E> {
        if self.path.len() >= DEEPEST {
            return Err(self.refuse(request::TOO_DEEP, "arrays and objects may be nested at most 32 deep"));
        }
        Ok(())
    }

    fn text<E: serde::de::Error>(&mut self, text: &str) -> Result<(), E> {
        if text.contains('\0') {
            return Err(self.refuse(request::NUL_CHARACTER, "texts must not contain U+0000"));
        }
        Ok(())
    }
}

/// Visits a value and everything below it; restores the path, except when it refuses.
struct Look<'a>(&'a mut Scan);

impl<'de> DeserializeSeed<'de> for Look<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Look<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<(), E> {
        self.0.text(text)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<(), A::Error> {
        self.0.descend::<A::Error>()?;
        for index in 0.. {
            self.0.path.push(Place::Index(index));
            if elements.next_element_seed(Look(self.0))?.is_none() {
                self.0.path.pop();
                break;
            }
            self.0.path.pop();
        }
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<(), A::Error> {
        self.0.descend::<A::Error>()?;
        let mut seen = HashSet::new();
        while let Some(name) = members.next_key::<String>()? {
            self.0.path.push(Place::Member(name.clone()));
            self.0.text::<A::Error>(&name)?;
            if !seen.insert(name) {
                return Err(self.0.refuse(request::DUPLICATE_MEMBER, "each member of an object may occur once"));
            }
            members.next_value_seed(Look(self.0))?;
            self.0.path.pop();
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::check;

    fn code(text: &str) -> &'static str {
        check(text.as_bytes()).map_or_else(|problem| problem.code(), |()| "accepted")
    }

    #[test]
    fn a_plain_document_is_accepted() {
        assert_eq!(code(r#" {"a": [1, 2.5, -3, "x", null, true], "b": {"a": {}}} "#), "accepted");
    }

    #[test]
    fn thirty_two_levels_are_accepted_and_thirty_three_are_not() {
        assert_eq!(code(&format!("{}{}", "[".repeat(32), "]".repeat(32))), "accepted");
        assert_eq!(code(&format!("{}{}", "[".repeat(33), "]".repeat(33))), "request.too_deep");
    }

    #[test]
    fn empty_objects_count_as_levels_too() {
        let open = r#"{"a":"#.repeat(32);
        assert_eq!(code(&format!("{open}{{}}{}", "}".repeat(32))), "request.too_deep");
    }

    #[test]
    fn a_repeated_member_is_refused_also_when_it_is_escaped() {
        assert_eq!(code(r#"{"a": 1, "\u0061": 2}"#), "request.duplicate_member");
    }

    #[test]
    fn nul_is_refused_in_texts_and_in_names() {
        assert_eq!(code(r#"{"a": "x\u0000"}"#), "request.nul_character");
        assert_eq!(code(r#"{"\u0000": 1}"#), "request.nul_character");
    }

    #[test]
    fn anything_after_the_document_is_refused() {
        assert_eq!(code("{} {}"), "request.malformed_json");
    }

    #[test]
    fn hostile_depth_is_refused_without_exhausting_the_stack() {
        assert_eq!(code(&"[".repeat(200_000)), "request.too_deep");
    }
}
