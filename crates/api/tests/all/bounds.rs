//! The bounds in the document are those that are enforced.

use std::collections::BTreeSet;

use devskyy_api::openapi;
use devskyy_application::{
    identity::UserStatus,
    paging::{KeysetRequest, PageRequest},
    runs::{ApprovalStatus, RunStatus},
};
use devskyy_domain::{
    agents::{AgentName, AgentStatus, AgentType, Capabilities, Description},
    identity::{DisplayName, Email, KeyName, Password, PasswordPolicy, PlatformRole},
    projects::{ProjectName, ProjectRole, ProjectStatus},
    runs::Choice,
};
use serde_json::{Value, json};

use crate::world::World;

/// Whether a value object accepts a text.
type Reads = fn(&str) -> bool;

fn schemas() -> Value {
    serde_json::to_value(openapi()).unwrap()["components"]["schemas"].clone()
}

fn password(text: &str) -> bool {
    let policy = PasswordPolicy::default();
    let composed = text.replacen('x', "Q", 1).replacen('x', "7", 1);
    Password::parse(&composed, None, policy).is_ok()
}

fn email(text: &str) -> bool {
    let local = "x".repeat(text.len().min(60));
    let rest = "x".repeat(text.len().saturating_sub(60 + "@".len() + ".org".len()));
    let labels = rest.as_bytes().chunks(60).map(|label| String::from_utf8_lossy(label).into_owned());
    let domain = labels.collect::<Vec<_>>().join(".");
    let address = format!("{local}@{domain}.org");
    Email::parse(&address[address.len().saturating_sub(text.len())..]).is_ok()
}

#[test]
fn texts_may_be_as_short_and_as_long_as_documented() {
    let schemas = schemas();
    let accepts: [(&str, Reads); 8] = [
        ("AgentName", |text| AgentName::parse(text).is_ok()),
        ("AgentDescription", |text| Description::parse(text).is_ok()),
        ("Capability", |text| Capabilities::parse(&[text]).is_ok()),
        ("ProjectName", |text| ProjectName::parse(text).is_ok()),
        ("DisplayName", |text| DisplayName::parse(text).is_ok()),
        ("ApiKeyName", |text| KeyName::parse(text).is_ok()),
        ("NewPassword", password),
        ("Email", |text| text.len() < 200 || email(text)),
    ];
    for (name, accepts) in accepts {
        let bound = |bound: &str| usize::try_from(schemas[name][bound].as_u64().unwrap_or_default()).unwrap();
        let (shortest, longest) = (bound("minLength"), bound("maxLength"));
        let lengths = [shortest.checked_sub(1), Some(shortest), Some(longest), Some(longest + 1)];
        let accepted = lengths.map(|length| length.map(|length| accepts(&"x".repeat(length))));
        let below = accepted[0].is_none_or(|accepted| !accepted || name == "Email");
        assert!(below && accepted[1..] == [Some(true), Some(true), Some(false)], "{name}: {accepted:?}");
    }
}

#[test]
fn choices_are_documented_as_they_are_read() {
    let schemas = schemas();
    let reads: [(&str, Reads, usize); 8] = [
        ("AgentType", |name| AgentType::parse(name).is_ok(), AgentType::ALL.len()),
        ("AgentStatus", |name| AgentStatus::from_name(name).is_some(), AgentStatus::ALL.len()),
        ("ProjectStatus", |name| ProjectStatus::from_name(name).is_some(), ProjectStatus::ALL.len()),
        ("ProjectRole", |name| ProjectRole::parse(name).is_ok(), ProjectRole::ALL.len()),
        ("PlatformRole", |name| PlatformRole::from_name(name).is_some(), PlatformRole::ALL.len()),
        ("UserStatus", |name| UserStatus::from_name(name).is_some(), UserStatus::ALL.len()),
        ("RunStatus", |name| RunStatus::named(name).is_some(), RunStatus::ALL.len()),
        ("ApprovalStatus", |name| ApprovalStatus::named(name).is_some(), ApprovalStatus::ALL.len()),
    ];
    let decisions = &schemas["Decision"]["enum"];
    assert_eq!(serde_json::from_value::<Vec<Choice>>(decisions.clone()).unwrap(), [Choice::Approve, Choice::Deny]);
    for (name, reads, count) in reads {
        let names: Vec<&str> =
            schemas[name]["enum"].as_array().unwrap().iter().map(|it| it.as_str().unwrap()).collect();
        assert!(names.len() == count && names.iter().all(|name| reads(name)), "{name}: {names:?}");
    }
}

#[test]
fn lists_take_pages_as_large_as_documented() {
    let document = serde_json::to_value(openapi()).unwrap();
    let most = |path: &str, name: &str| {
        let parameters = document["paths"][path]["get"]["parameters"].as_array().unwrap();
        parameters.iter().find(|it| it["name"] == name).unwrap()["schema"]["maximum"].as_u64().unwrap()
    };
    let (page, size) = (most("/api/v1/agents", "page"), most("/api/v1/agents", "page_size"));
    assert!(PageRequest::parse(Some(page), Some(size)).is_ok());
    assert!(PageRequest::parse(Some(page + 1), None).is_err() && PageRequest::parse(None, Some(size + 1)).is_err());
    let limit = most("/api/v2/agents", "limit");
    assert!(KeysetRequest::parse(None, Some(limit)).is_ok() && KeysetRequest::parse(None, Some(limit + 1)).is_err());
}

/// Walks all members of a body, and collects those without bounds.
struct Walk<'a> {
    schemas: &'a Value,
    seen: BTreeSet<&'a str>,
    unbounded: BTreeSet<String>,
}

impl<'a> Walk<'a> {
    /// Walks the bodies of all operations of a document.
    fn through(document: &'a Value) -> BTreeSet<String> {
        let schemas = &document["components"]["schemas"];
        let mut walk = Self { schemas, seen: BTreeSet::new(), unbounded: BTreeSet::new() };
        for item in document["paths"].as_object().unwrap().values() {
            for operation in item.as_object().unwrap().values() {
                let body = &operation["requestBody"]["content"]["application/json"]["schema"];
                walk.value(body, operation["operationId"].as_str().unwrap());
            }
        }
        walk.unbounded
    }

    fn value(&mut self, schema: &'a Value, place: &str) {
        if let Some(name) = schema["$ref"].as_str().and_then(|reference| reference.rsplit('/').next()) {
            if self.seen.insert(name) {
                self.value(&self.schemas[name], name);
            }
            return;
        }
        for parts in ["oneOf", "anyOf", "allOf"] {
            schema[parts].as_array().into_iter().flatten().for_each(|part| self.value(part, place));
        }
        let is = |kind: &str| {
            schema["type"] == kind || schema["type"].as_array().is_some_and(|it| it.contains(&json!(kind)))
        };
        let has = |bounds: &[&str]| bounds.iter().any(|bound| schema.get(bound).is_some());
        let number = (is("integer") || is("number")) && !has(&["enum"]);
        let others = schema.get("additionalProperties").filter(|others| others.is_object());
        let unbounded = [
            is("string") && !has(&["maxLength", "enum", "pattern", "format"]),
            number && !(has(&["minimum"]) && has(&["maximum"])),
            is("array") && !has(&["maxItems"]),
            others.is_some() && !has(&["maxProperties"]),
        ];
        if unbounded.contains(&true) {
            self.unbounded.insert(place.to_owned());
        }
        for (name, member) in schema["properties"].as_object().into_iter().flatten() {
            self.value(member, &format!("{place}.{name}"));
        }
        schema.get("items").into_iter().for_each(|element| self.value(element, &format!("{place}[]")));
        others.into_iter().for_each(|member| self.value(member, &format!("{place}{{}}")));
    }
}

#[test]
fn everything_that_is_sent_has_bounds() {
    let document = serde_json::to_value(openapi()).unwrap();
    assert_eq!(Walk::through(&document), BTreeSet::new());
}

#[test]
fn what_is_sent_without_bounds_is_caught_however_deep_it_lies() {
    let mut document = serde_json::to_value(openapi()).unwrap();
    let wish = json!({
        "type": "object",
        "properties": {
            "texts": {"type": "array", "maxItems": 3, "items": {"type": "string"}},
            "list": {"type": ["array", "null"], "items": {"type": "string", "maxLength": 3}},
            "numbers": {"type": "object", "maxProperties": 3, "additionalProperties": {"type": "integer", "minimum": 0}},
            "named": {"type": "object", "additionalProperties": {"type": "boolean"}},
            "good": {"type": "string", "enum": ["yes"]},
        },
    });
    document["components"]["schemas"]["Wish"] = wish;
    let body = json!({"content": {"application/json": {"schema": {"oneOf": [{"$ref": "#/components/schemas/Wish"}]}}}});
    document["paths"]["/api/v1/wishes"] = json!({"post": {"operationId": "wish", "requestBody": body}});
    let found = ["Wish.list", "Wish.named", "Wish.numbers{}", "Wish.texts[]"].map(str::to_owned);
    assert_eq!(Walk::through(&document), BTreeSet::from(found));
}

#[actix_web::test]
async fn a_name_that_breaks_its_pattern_is_refused() {
    let world = World::new();
    let ada = world.person("ada").await;
    for name in ["a\u{7}b", "a\nb"] {
        let answer = world.post("/api/v2/projects").by(&ada).json(&json!({"name": name})).send().await;
        answer.refused_at(422, "project.name_length", "/name");
    }
}
