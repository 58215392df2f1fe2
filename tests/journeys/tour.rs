//! The README's tour and the example's, every command of them, as a reader would paste it.

use std::{
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use crate::{program::ended, server::Server, tracker::Tracker};

const MARK: &str = "<!-- tour -->";

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn readme() -> String {
    std::fs::read_to_string(root().join("README.md")).unwrap()
}

fn example() -> String {
    std::fs::read_to_string(root().join("examples/dependency-review/README.md")).unwrap()
}

fn missing(programs: &str) -> bool {
    let found = Command::new("bash").args(["-c", &format!("command -v {programs}")]).output();
    found.map_or(true, |found| !found.status.success())
}

fn tour(document: &str) -> Vec<String> {
    blocks(document).into_iter().filter_map(|(tour, text)| tour.then_some(text)).collect()
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
    if missing("curl") {
        eprintln!("skipped: bash and curl are needed");
        return;
    }
    let place = tempfile::tempdir().unwrap();
    let server = Server::start(place.path());
    let script =
        format!("set -euo pipefail\n{}", tour(&readme()).join("\n")).replace("http://127.0.0.1:8000", &server.url);
    assert!(!script.contains(":8000"), "the tour knows one address only");
    let (code, out, error) = ended(Command::new("bash").args(["-c", &script]).current_dir(place.path()));
    assert_eq!(code, 0, "{out}\n{error}");
    for word in ["\"waiting\"", "\"completed\"", "2 of 3 orders were large: Grace, Edsger"] {
        assert!(out.contains(word), "`{word}` is missing in: {out}");
    }
}

/// What two terminals show one after the other: the stream goes on beside the answer, and ends with the run.
fn in_one_terminal(example: &[String]) -> String {
    let mut script = String::new();
    for line in example.iter().flat_map(|block| block.lines()) {
        if line.starts_with("curl -sSN ") {
            script += &format!("{line} >stream &\nuntil grep -q run.approval_requested stream; do sleep 0.05; done\n");
        } else {
            script += &format!("{line}\n");
        }
        if line.contains("/approvals/") {
            script += "wait\n";
        }
    }
    script
}

#[tokio::test(flavor = "multi_thread")]
async fn every_command_of_the_example_does_what_the_example_says() {
    if missing("curl jq") {
        eprintln!("skipped: bash, curl and jq are needed");
        return;
    }
    let (place, tracker) = (tempfile::tempdir().unwrap(), Tracker::start(Duration::ZERO).await);
    std::os::unix::fs::symlink(root().join("examples"), place.path().join("examples")).unwrap();
    std::fs::copy(root().join("Cargo.lock"), place.path().join("Cargo.lock")).unwrap();
    let example: Vec<_> =
        tour(&example()).iter().map(|text| text.replace("127.0.0.1:9000", &tracker.address)).collect();
    let (serve, example) = example.split_first().unwrap();
    let flags = serve.trim().strip_prefix("devskyy serve ").expect("the example begins with a server");
    let server = Server::start_with(place.path(), |command| {
        command.args(flags.split(' '));
    });
    let tour = tour(&readme());
    let signed_in = tour.iter().position(|text| text.contains("AUTH=")).expect("the tour signs in");
    let script = format!("set -euo pipefail\n{}\n{}", tour[..=signed_in].join("\n"), in_one_terminal(example));
    let script = script.replace("http://127.0.0.1:8000", &server.url);
    let directory = place.path().to_owned();
    let run = move || ended(Command::new("bash").args(["-c", &script]).current_dir(directory));
    let (code, out, error) = tokio::task::spawn_blocking(run).await.unwrap();
    assert_eq!(code, 0, "{out}\n{error}");
    assert!(out.contains("# ") && out.contains("Cargo.lock"), "no report in: {out}");
    assert_eq!((tracker.tickets().len(), tracker.bare()), (1, 0));
}

#[test]
fn every_request_of_the_documents_belongs_to_a_tour() {
    for (tour, text) in blocks(&readme()).into_iter().chain(blocks(&example())) {
        assert!(tour || !text.contains("curl "), "not marked with {MARK}, so not tested: {text}");
    }
}

#[test]
fn a_request_outside_the_tour_is_noticed() {
    let found = blocks("words\n```sh\ncurl x\n```\n<!-- tour -->\n```sh\ncurl y\n```\n");
    assert_eq!(found, [(false, "curl x\n".to_owned()), (true, "curl y\n".to_owned())]);
}
