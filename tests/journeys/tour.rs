//! The README's tour, every command of it, as a reader would paste it.

use std::{path::Path, process::Command};

use crate::{program::ended, server::Server};

const MARK: &str = "<!-- tour -->";

fn readme() -> String {
    std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../../README.md")).unwrap()
}

/// The shell blocks of a document, each with whether it belongs to the tour.
fn blocks(document: &str) -> Vec<(bool, String)> {
    let (mut found, mut open, mut marked) = (Vec::new(), None::<String>, false);
    for line in document.lines() {
        match (&mut open, line.trim()) {
            (Some(_), "```") => found.extend(open.take().map(|text| (std::mem::take(&mut marked), text))),
            (Some(text), _) => {
                text.push_str(line);
                text.push('\n');
            }
            (None, "```sh") => open = Some(String::new()),
            (None, "") => {}
            (None, other) => marked = other == MARK,
        }
    }
    found
}

#[test]
fn every_command_of_the_tour_does_what_the_tour_says() {
    if Command::new("bash").args(["-c", "command -v curl"]).output().map_or(true, |found| !found.status.success()) {
        eprintln!("skipped: bash and curl are needed");
        return;
    }
    let place = tempfile::tempdir().unwrap();
    let server = Server::start(place.path());
    let tour: Vec<String> = blocks(&readme()).into_iter().filter_map(|(tour, text)| tour.then_some(text)).collect();
    let script = format!("set -euo pipefail\n{}", tour.join("\n")).replace("http://127.0.0.1:8000", &server.url);
    assert!(!script.contains(":8000"), "the tour knows one address only");
    let (code, out, error) = ended(Command::new("bash").args(["-c", &script]).current_dir(place.path()));
    assert_eq!(code, 0, "{out}\n{error}");
    for word in ["\"waiting\"", "\"completed\"", "2 of 3 orders were large: Grace, Edsger"] {
        assert!(out.contains(word), "`{word}` is missing in: {out}");
    }
}

#[test]
fn every_request_in_the_readme_belongs_to_the_tour() {
    for (tour, text) in blocks(&readme()) {
        assert!(tour || !text.contains("curl "), "not marked with {MARK}, so not tested: {text}");
    }
}

#[test]
fn a_request_outside_the_tour_is_noticed() {
    let found = blocks("words\n```sh\ncurl x\n```\n<!-- tour -->\n```sh\ncurl y\n```\n");
    assert_eq!(found, [(false, "curl x\n".to_owned()), (true, "curl y\n".to_owned())]);
}
