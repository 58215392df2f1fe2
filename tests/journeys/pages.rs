//! The requests in the pages of `docs/`, as a reader would paste them, page after page.

use std::{path::Path, process::Command};

use crate::{
    at_hand,
    program::ended,
    server::Server,
    tour::{blocks, root},
};

/// The page that the others assume, and that is therefore read first.
const FIRST: &str = "api.md";
/// A moment in an example, which the reader replaces.
const MOMENT: &str = "2026-01-31T12:00:00Z";
/// A response of 400 and above ends the script, which curl alone does not.
const STRICT: &str = "set -euo pipefail\ncurl() { command curl --fail-with-body \"$@\"; }\n";
/// What a reader has by the time the pages refer to an agent, and to a project.
const AGENT: &str = r#"
AGENT=$(curl -s $URL/api/v1/agents -H "authorization: Bearer $TOKEN" -H 'content-type: application/json' -d '{
  "name": "Greeter", "type": "workflow", "capabilities": [], "definition": {"steps": [
    {"id": "hello", "tool": "template", "arguments": {"template": "Hello {{ name }}", "context": {"$jq": ".input"}}}]}}' |
  jq -r .id)
PROJECT=$(curl -s $URL/api/v1/auth/me -H "authorization: Bearer $TOKEN" | jq -r .personal_project_id)
OWNER=$TOKEN
"#;
/// What a reader has by the time a page follows a run.
const RUN: &str = r#"RUN=$(curl -s $URL/api/v1/runs -H "authorization: Bearer $TOKEN" | jq -r '.items[0].id')
"#;

/// The blocks of all pages that send requests, the first page's before the others'.
fn asking() -> Vec<String> {
    let mut pages: Vec<_> =
        std::fs::read_dir(root().join("docs")).unwrap().map(|entry| entry.unwrap().path()).collect();
    pages.retain(|path| path.extension().is_some_and(|extension| extension == "md"));
    pages.sort_by_key(|path| (!path.ends_with(FIRST), path.clone()));
    let blocks = pages.iter().flat_map(|page| blocks(&std::fs::read_to_string(page).unwrap()));
    blocks.map(|(_, text)| text).filter(|text| text.contains("curl ") || text.starts_with("URL=")).collect()
}

/// One script of all blocks, with the reader's own steps in between.
fn script(url: &str) -> String {
    let mut script = STRICT.to_owned();
    let (mut agent, mut run) = (false, false);
    for block in asking() {
        for (known, name, before) in [(&mut agent, "$AGENT", AGENT), (&mut run, "$RUN/", RUN)] {
            if !*known && block.contains(name) {
                script += before;
                *known = true;
            }
        }
        script += &block.replace("http://127.0.0.1:8000", url).replace(MOMENT, "$(date -u +%Y-%m-%dT%H:%M:%S.%6NZ)");
    }
    script
}

fn pasted(directory: &Path, script: &str) -> (i32, String, String) {
    ended(Command::new("bash").args(["-c", script]).current_dir(directory))
}

#[test]
fn every_request_of_the_pages_is_answered() {
    if !at_hand(&["bash", "curl", "jq"]) {
        return;
    }
    let place = tempfile::tempdir().unwrap();
    let server = Server::start(place.path());
    let (code, out, error) = pasted(place.path(), &script(&server.url));
    assert_eq!(code, 0, "{out}\n{error}");
}

#[test]
fn a_request_of_a_page_that_is_refused_is_noticed() {
    if !at_hand(&["bash", "curl", "jq"]) {
        return;
    }
    let place = tempfile::tempdir().unwrap();
    let server = Server::start(place.path());
    let refused = format!("{STRICT}curl -s {}/api/v1/agents", server.url);
    assert_ne!(pasted(place.path(), &refused).0, 0);
}

#[test]
fn the_pages_ask_a_server() {
    assert!(asking().iter().flat_map(|block| block.lines()).filter(|line| line.contains("curl ")).count() > 12);
}
