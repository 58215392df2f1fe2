//! The links of responses match the document, and can be followed.

use std::collections::BTreeSet;

use actix_web::http::Method;
use devskyy_api::openapi;
use serde_json::Value;

use crate::repeating::{BASES, Creating, Everything};

fn document() -> Value {
    serde_json::to_value(openapi()).unwrap()
}

/// An operation of the document: its method, its address and its description.
type Described<'a> = (&'a str, &'a str, &'a Value);

fn operations(document: &Value) -> impl Iterator<Item = Described<'_>> {
    document["paths"].as_object().unwrap().iter().flat_map(|(path, item)| {
        item.as_object().unwrap().iter().map(move |(method, operation)| (method.as_str(), path.as_str(), operation))
    })
}

fn named<'a>(document: &'a Value, id: &str) -> Option<Described<'a>> {
    operations(document).find(|(.., operation)| operation["operationId"] == id)
}

/// What is wrong with the links of responses.
fn findings(document: &Value) -> Vec<String> {
    let mut found = Vec::new();
    for (_, _, operation) in operations(document) {
        let id = &operation["operationId"];
        for (status, answer) in operation["responses"].as_object().unwrap() {
            let links = answer["links"].as_object();
            if answer["headers"].get("Location").is_some() && links.is_none() {
                found.push(format!("{id} {status} makes something and leads nowhere"));
            }
            for (name, link) in links.into_iter().flatten() {
                let Some((_, path, target)) = named(document, link["operationId"].as_str().unwrap()) else {
                    found.push(format!("{id} {status} leads to `{name}`, which is no operation"));
                    continue;
                };
                let given: BTreeSet<&str> =
                    link["parameters"].as_object().unwrap().keys().map(String::as_str).collect();
                let known = |name: &str| target["parameters"].as_array().unwrap().iter().any(|it| it["name"] == name);
                let filled = path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'));
                if !given.iter().all(|name| known(name)) || !filled.into_iter().all(|name| given.contains(name)) {
                    found.push(format!("{id} {status} leads to `{name}` with {given:?}"));
                }
            }
        }
    }
    found
}

#[test]
fn whatever_is_made_leads_to_what_can_be_done_with_it() {
    assert_eq!(findings(&document()), Vec::<String>::new());
}

#[test]
fn a_thing_that_leads_nowhere_is_caught() {
    let mut document = document();
    document["paths"]["/api/v1/agents"]["post"]["responses"]["201"].as_object_mut().unwrap().remove("links");
    assert_eq!(findings(&document), ["\"create_agent\" 201 makes something and leads nowhere"]);
}

#[test]
fn a_link_that_lacks_a_parameter_is_caught() {
    let mut document = document();
    let links = &mut document["paths"]["/api/v1/agents"]["post"]["responses"]["201"]["links"];
    links["get_agent"]["parameters"].as_object_mut().unwrap().remove("id");
    assert_eq!(findings(&document), ["\"create_agent\" 201 leads to `get_agent` with {}"]);
}

/// The part of a request's path for a parameter of the document's path.
fn requested<'a>(pattern: &str, path: &'a str, name: &str) -> Option<&'a str> {
    let mut parts = pattern.split('/').zip(path.split('/'));
    parts.find(|(part, _)| part.strip_prefix('{').and_then(|it| it.strip_suffix('}')) == Some(name)).map(|(_, it)| it)
}

#[actix_web::test]
async fn whoever_follows_a_link_to_read_gets_what_was_made() {
    let document = document();
    for base in BASES {
        let all = Everything::of(base).await;
        for Creating { id, path, body, .. } in all.creating().await.into_iter().filter(|case| case.id != "rotate_key") {
            let answer = all.send_under(id, &path, &body).await;
            let made: Value = serde_json::from_slice(&answer.body).unwrap();
            let id = if base == BASES[1] { format!("v2_{id}") } else { id.to_owned() };
            let (_, pattern, operation) = named(&document, &id).unwrap();
            let links = operation["responses"][answer.status.as_str()]["links"].as_object().unwrap();
            for (name, link) in links {
                let (method, target, _) = named(&document, name).unwrap();
                let value = |parameter: &str| match link["parameters"][parameter].as_str().unwrap() {
                    given if given.starts_with("$request.path.") => {
                        requested(pattern, &path, parameter).unwrap().to_owned()
                    }
                    given => {
                        let member = &made[given.strip_prefix("$response.body#/").unwrap()];
                        member.as_str().map_or_else(|| member.to_string(), str::to_owned)
                    }
                };
                let segment = |part: &str| match part.strip_prefix('{').and_then(|it| it.strip_suffix('}')) {
                    Some(parameter) => value(parameter),
                    None => part.to_owned(),
                };
                let address = target.split('/').map(segment).collect::<Vec<_>>().join("/");
                // Budgets exist once they are set.
                if method == "get" && !address.ends_with("/budget") {
                    let read = all.world.call(Method::GET, &address).by(&all.ada).send().await;
                    assert_eq!(read.status, 200, "{id} leads to {name}: {address}: {}", read.text());
                }
            }
        }
    }
}
