//! What the documentation states about the interface is true.

use std::{collections::BTreeSet, fs, path::PathBuf};

use actix_web::http::Method;
use devskyy_api::{openapi, problem};
use devskyy_testkit::documents::assert_current;
use serde_json::{Value, json};

use crate::world::World;

fn document() -> Value {
    serde_json::to_value(openapi()).unwrap()
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// Method, path and operation of everything in the document.
fn operations(document: &Value) -> Vec<(Method, String, Value)> {
    let mut found = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            found.push((method.to_uppercase().parse().unwrap(), path.clone(), operation.clone()));
        }
    }
    found
}

fn concrete(path: &str) -> String {
    const ID: &str = "01938f2e-0000-7000-8000-000000000000";
    let parts = path.split('/').map(|part| match part {
        "{number}" => "1",
        part if part.starts_with('{') => ID,
        part => part,
    });
    parts.collect::<Vec<_>>().join("/")
}

#[test]
fn the_openapi_document_is_current() {
    assert_current("docs/openapi.json", &format!("{}\n", openapi().to_pretty_json().unwrap()));
}

#[test]
fn the_list_of_errors_is_current() {
    assert_current("docs/errors.md", &problem::markdown());
}

#[test]
fn the_table_of_permissions_is_current() {
    assert_current("docs/authorization.md", &devskyy_application::access::markdown());
}

#[actix_web::test]
async fn every_documented_operation_exists() {
    let world = World::new();
    for (method, path, _) in operations(&document()) {
        let answer = world.call(method.clone(), &concrete(&path)).send().await;
        let code = serde_json::from_slice::<Value>(&answer.body).unwrap_or_default()["code"].clone();
        assert!(code != "request.route_not_found" && code != "request.method_not_allowed", "{method} {path}: {code}");
    }
}

#[test]
fn every_endpoint_of_the_source_is_documented() {
    let documented: BTreeSet<String> = operations(&document()).into_iter().map(|(_, path, _)| path).collect();
    let mut endpoints = 0;
    let mut folders = vec![PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("src")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                endpoints += count_endpoints(&fs::read_to_string(path).unwrap(), &documented);
            }
        }
    }
    let once = operations(&document()).into_iter().filter(|(_, path, _)| !path.starts_with("/api/v2/")).count();
    assert_eq!(endpoints, once, "endpoints in the source and operations in the document");
}

/// The names under which the types of a source appear in the document.
fn named_schemas(source: &str) -> Vec<String> {
    let after = |text: &str, start: &str| {
        let rest = text.split_once(start)?.1;
        rest.split(|end: char| !end.is_alphanumeric()).next().map(str::to_owned)
    };
    let declared =
        source.split("#[derive(").skip(1).filter(|it| it.lines().next().is_some_and(|it| it.contains("ToSchema")));
    declared
        .filter_map(|text| {
            let (attributes, _) = text.split_once(" {").or_else(|| text.split_once(';'))?;
            let chosen = after(attributes, "schema(as = ");
            chosen.or_else(|| after(attributes, "struct ")).or_else(|| after(attributes, "enum "))
        })
        .collect()
}

#[test]
fn no_two_types_share_a_name_in_the_document() {
    let mut folders = vec![PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("src")];
    let mut names = Vec::new();
    while let Some(folder) = folders.pop() {
        for path in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
            if path.is_dir() {
                folders.push(path);
            } else {
                names.extend(named_schemas(&fs::read_to_string(path).unwrap()));
            }
        }
    }
    let mut known = BTreeSet::new();
    let twice: Vec<&String> = names.iter().filter(|name| !known.insert(*name)).collect();
    assert!(twice.is_empty() && known.contains(&"TokenCounts".to_owned()), "{twice:?} of {known:?}");
}

#[test]
fn every_operation_is_in_both_versions() {
    let of = |base: &str| -> BTreeSet<(String, String)> {
        let all = operations(&document()).into_iter();
        all.filter_map(|(method, path, _)| Some((method.to_string(), path.strip_prefix(base)?.to_owned()))).collect()
    };
    assert_eq!(of("/api/v1"), of("/api/v2"));
}

#[test]
fn version_2_is_documented_with_what_differs() {
    let document = document();
    let of = |path: &str, method: &str| document["paths"][path][method].clone();
    let (list, change) = (of("/api/v2/agents", "get"), of("/api/v2/agents/{id}", "patch"));
    let names = |operation: &Value| -> BTreeSet<String> {
        let parameters = operation["parameters"].as_array().unwrap().iter();
        parameters.map(|parameter| parameter["name"].as_str().unwrap().to_owned()).collect()
    };
    assert!(names(&list).is_superset(&BTreeSet::from(["cursor".to_owned(), "limit".to_owned()])), "{list}");
    assert!(!names(&list).contains("page"), "{list}");
    assert_eq!((&list["operationId"], &change["operationId"]), (&json!("v2_list_agents"), &json!("v2_update_agent")));
    let guard = change["parameters"].as_array().unwrap().iter().find(|it| it["name"] == "If-Match").unwrap();
    assert_eq!((&guard["required"], change["responses"].get("428").is_some()), (&json!(true), true));
    let answer = list["responses"]["200"]["content"]["application/json"]["schema"]["$ref"].as_str().unwrap();
    let schemas = &document["components"]["schemas"];
    let stretch = &schemas[answer.rsplit('/').next().unwrap()];
    assert_eq!(stretch["required"], json!(["items", "next_cursor"]));
    assert!(schemas["V2AgentId"]["pattern"].as_str().unwrap().starts_with("^agt_"));
}

/// Counts endpoint attributes and, for endpoints made by a macro, their lines `name = "/path", …;`.
fn count_endpoints(source: &str, documented: &BTreeSet<String>) -> usize {
    let methods = ["#[get(\"", "#[post(\"", "#[put(\"", "#[patch(\"", "#[delete(\""];
    let mut count = 0;
    for line in source.lines().map(str::trim) {
        let attribute = methods.iter().find_map(|method| line.strip_prefix(method));
        let row = line
            .split_once(" = \"/")
            .filter(|(name, _)| name.bytes().all(|byte| byte == b'_' || byte.is_ascii_lowercase()));
        let path = attribute.map(str::to_owned).or_else(|| row.map(|(_, rest)| format!("/{rest}")));
        let Some(path) = path.and_then(|path| path.split('"').next().map(str::to_owned)) else { continue };
        let full = format!("/api/v1{path}");
        assert!(documented.contains(&path) || documented.contains(&full), "{path} is not documented");
        count += 1;
    }
    count
}

#[test]
fn every_operation_says_what_it_does_and_how_it_fails() {
    for (method, path, operation) in operations(&document()) {
        let name = format!("{method} {path}");
        assert!(operation["summary"].as_str().is_some_and(|summary| !summary.is_empty()), "{name} has no summary");
        assert!(operation["operationId"].is_string() && operation["tags"].is_array(), "{name} has no name or tag");
        let responses = operation["responses"].as_object().unwrap();
        assert!(responses.keys().any(|status| status.starts_with('2')), "{name} never succeeds");
        for (status, response) in responses.iter().filter(|(status, _)| status.starts_with(['4', '5'])) {
            let problem = &response["content"]["application/problem+json"]["schema"]["$ref"];
            let health = path.starts_with("/health");
            assert!(health || problem == "#/components/schemas/Problem", "{name} {status} is no problem: {response}");
        }
        // An empty list means that no credential is needed; without a list it would be undefined.
        let secured = !operation["security"].as_array().unwrap().is_empty();
        assert_eq!(
            secured,
            responses.contains_key("401") && !path.contains("/auth/re") && !path.ends_with("/login"),
            "{name}"
        );
    }
}

#[test]
fn headers_that_clients_need_are_documented() {
    for (method, path, operation) in operations(&document()) {
        for (status, response) in operation["responses"].as_object().unwrap() {
            let schema = response["content"]["application/json"]["schema"]["$ref"].as_str().unwrap_or_default();
            let made = (status == "201" || status == "202").then_some("Location");
            let listed = (schema.contains("/Paged_") || schema.contains("/V2Stretch_")).then_some("Link");
            for header in made.into_iter().chain(listed) {
                assert!(response["headers"].get(header).is_some(), "{method} {path} {status}: {header}");
            }
        }
    }
}

/// A definition with every possible member.
fn complete_definition() -> Value {
    let request = json!({"method": "POST", "url": "https://tracker.example.org/tickets", "headers": {"x-team": "core"},
                         "send_arguments": true, "timeout_s": 10});
    let form = json!({"method": "POST", "url": "https://shop.example.org/pay", "body": {"amount": 1}, "form": true});
    let server = json!({"url": "https://tools.example.org/mcp", "tool": "find", "headers": {}, "timeout_s": 10});
    json!({
        "input_schema": {"type": "object"}, "output_schema": {"type": "object"},
        "tools": {"find": {"kind": "mcp", "effect": "read_only", "input_schema": {"type": "object"}, "approval": "always", "server": server},
                  "file": {"kind": "http", "effect": "idempotent", "input_schema": {"type": "object"}, "approval": "never", "request": request},
                  "pay": {"kind": "http", "effect": "unsafe", "request": form},
                  "shape": {"kind": "builtin", "builtin": "jq"}},
        "steps": [
            {"id": "ask", "approval": {"prompt": "Really?", "data": {}, "on_deny": "continue"}},
            {"id": "file", "needs": ["ask"], "when": "true", "for_each": "[1]", "tool": "file", "arguments": {"a": 1}},
        ],
        "output": {"$jq": ".steps.ask.output"},
        "limits": {"max_steps": 10, "wall_clock_s": 60, "concurrency": 2},
        "retry": {"max_attempts": 2, "initial_ms": 10, "max_ms": 100},
        "approval_expires_s": 3600,
    })
}

#[actix_web::test]
async fn definitions_are_documented_as_they_are_read() {
    let world = World::new();
    let ada = world.person("ada").await;
    let definition = complete_definition();
    let body = json!({"name": "Complete", "type": "workflow", "definition": definition});
    world.post("/api/v1/agents").by(&ada).json(&body).send().await.expect(201);
    let schemas = document()["components"]["schemas"].clone();
    let (steps, tools) = (&definition["steps"], &definition["tools"]);
    let members = |value: &Value| value.as_object().unwrap().keys().cloned().collect::<BTreeSet<_>>();
    let agent_step = BTreeSet::from(["agent".to_owned(), "input".to_owned()]);
    for (schema, written) in [
        ("Definition", members(&definition)),
        ("Step", &(&members(&steps[0]) | &members(&steps[1])) | &agent_step),
        ("ApprovalStep", members(&steps[0]["approval"])),
        ("Tool", &(&members(&tools["file"]) | &members(&tools["shape"])) | &members(&tools["find"])),
        ("McpServer", members(&tools["find"]["server"])),
        ("ToolRequest", &members(&tools["file"]["request"]) | &members(&tools["pay"]["request"])),
        ("Limits", members(&definition["limits"])),
        ("Retry", members(&definition["retry"])),
    ] {
        assert_eq!(members(&schemas[schema]["properties"]), written, "{schema}");
    }
}

#[test]
fn every_reference_in_the_document_leads_somewhere() {
    let document = document();
    let text = document.to_string();
    for reference in text.split("\"#/components/schemas/").skip(1).filter_map(|rest| rest.split('"').next()) {
        assert!(document["components"]["schemas"].get(reference).is_some(), "{reference}");
    }
}

#[test]
fn operations_are_named_once() {
    let names: Vec<String> = operations(&document()).iter().map(|(.., it)| it["operationId"].to_string()).collect();
    assert_eq!(names.iter().collect::<BTreeSet<_>>().len(), names.len());
}

#[test]
fn every_code_is_registered_once() {
    let codes: Vec<_> = problem::REGISTRY.iter().flat_map(|chapter| chapter.codes).map(|code| code.code).collect();
    assert_eq!(codes.iter().collect::<BTreeSet<_>>().len(), codes.len());
}

/// The string literals that a source file uses as codes of refusals.
fn codes_in(source: &str) -> BTreeSet<String> {
    let literals = source.split('"').skip(1).step_by(2);
    let word = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte == b'_' || byte.is_ascii_lowercase());
    let is_code = |text: &&str| text.split_once('.').is_some_and(|(context, rest)| word(context) && word(rest));
    literals.filter(is_code).map(str::to_owned).collect()
}

#[test]
fn every_code_the_layers_below_raise_is_registered() {
    let mut raised = BTreeSet::new();
    let mut folders = vec![root().join("crates/domain/src"), root().join("crates/application/src")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if !path.ends_with("tests.rs") {
                raised.extend(refusal_codes(&fs::read_to_string(path).unwrap()));
            }
        }
    }
    let missing: Vec<_> =
        raised.iter().filter(|code| problem::find(code).is_some() == problem::is_defect(code)).collect();
    assert!(missing.is_empty(), "add to crates/api/src/problem/codes, documented or as a defect: {missing:?}");
}

/// Codes in the bodies of `fn code(…)` and in `code: "…"`.
fn refusal_codes(source: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for body in source.split("fn code(&self)").skip(1) {
        found.extend(codes_in(body.split("\n    }").next().unwrap_or_default()));
    }
    for rest in source.split("code: \"").skip(1) {
        found.extend(codes_in(&format!("\"{}\"", rest.split('"').next().unwrap_or_default())));
    }
    found
}

#[test]
fn a_code_nobody_registered_would_be_noticed() {
    let offender = "fn code(&self) -> &'static str {\n match self { Self::Odd => \"odd.one_out\" }\n    }\n";
    assert_eq!(refusal_codes(offender), BTreeSet::from(["odd.one_out".to_owned()]));
}

#[actix_web::test]
async fn the_documentation_page_needs_nothing_from_elsewhere() {
    let world = World::new();
    let page = world.get("/docs/").send().await;
    assert_eq!(page.status, 200);
    let initializer = world.get("/docs/swagger-initializer.js").send().await;
    assert!(initializer.text().contains("/openapi.json"), "{}", initializer.text());
    for text in [page.text(), initializer.text()] {
        let foreign: Vec<_> = text
            .match_indices("//")
            .filter(|(at, _)| text[..*at].ends_with("http:") || text[..*at].ends_with("https:"))
            .collect();
        assert!(foreign.is_empty(), "{text}");
    }
    for file in page.text().split(['"', '\'']).filter_map(|part| part.strip_prefix("./")) {
        assert_eq!(world.get(&format!("/docs/{file}")).send().await.status, 200, "{file}");
    }
    assert_eq!(world.get("/docs").send().await.header("location"), "/docs/");
    assert!(!page.header("content-security-policy").contains("http"));
}

#[actix_web::test]
async fn the_page_of_errors_explains_every_code() {
    let page = World::new().get("/docs/errors").send().await.text();
    for code in problem::REGISTRY.iter().flat_map(|chapter| chapter.codes) {
        assert!(page.contains(&format!("id=\"{}\"", code.code)), "{}", code.code);
    }
}

#[actix_web::test]
async fn the_served_document_is_the_committed_one() {
    let served = World::new().get("/openapi.json").send().await.expect(200);
    assert_eq!(served, document());
    assert_eq!(served["openapi"], "3.1.0");
}
