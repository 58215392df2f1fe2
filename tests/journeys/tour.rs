//! The tours of the README and of the example, with every command, as a reader would paste them.

use std::{
    path::{Path, PathBuf},
    process::Command,
    sync::LazyLock,
    time::Duration,
};

use serde_json::{Value, json};

use crate::{at_hand, program::ended, server::Server, tracker::Tracker};

const MARK: &str = "<!-- tour -->";

pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn readme() -> String {
    std::fs::read_to_string(root().join("README.md")).unwrap()
}

fn example() -> String {
    std::fs::read_to_string(root().join("examples/dependency-review/README.md")).unwrap()
}

fn tour(document: &str) -> Vec<String> {
    blocks(document).into_iter().filter_map(|(tour, text)| tour.then_some(text)).collect()
}

/// The shell blocks of a document, each with whether it belongs to the tour.
pub(crate) fn blocks(document: &str) -> Vec<(bool, String)> {
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

/// The output of each block of the README's tour, and what the text describes in between.
struct Shown {
    account: Value,
    run: Value,
    answer: Value,
    events: String,
    ended: Value,
    impossible: Value,
    /// The agents at the end.
    agents: Value,
}

/// Runs a block as the next in the same terminal, and returns its output.
fn pasted(directory: &Path, block: &str) -> String {
    let kept = "declare -p API JSON TOKEN AUTH AGENT RUN APPROVAL >terminal 2>/dev/null || true";
    let script = format!("set -euo pipefail\n[ ! -e terminal ] || . ./terminal\n{block}\n{kept}");
    let (code, out, error) = ended(Command::new("bash").args(["-c", &script]).current_dir(directory));
    assert_eq!(code, 0, "{block}\n{out}\n{error}");
    out
}

fn json_of(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

/// The whole tour, including the restart in its middle.
fn toured() -> Shown {
    let place = tempfile::tempdir().unwrap();
    let server = Server::start(place.path());
    let first = server.url.clone();
    let blocks: Vec<_> = tour(&readme()).iter().map(|text| text.replace("http://127.0.0.1:8000", &first)).collect();
    assert!(blocks.iter().all(|block| !block.contains(":8000")), "the tour knows one address only");
    let [register, sign_in, create, execute, decide, follow, impossible] = blocks.as_slice() else {
        panic!("the tour has other blocks than it is tested with: {blocks:#?}")
    };
    let paste = |block: &str| pasted(place.path(), block);
    let account = json_of(&paste(register));
    for silent in [sign_in, create] {
        assert_eq!(paste(silent), "", "{silent}");
    }
    let run = json_of(&paste(execute));
    server.signal("-INT");
    server.ended();
    let server = Server::start(place.path());
    let terminal = place.path().join("terminal");
    let kept = std::fs::read_to_string(&terminal).unwrap();
    std::fs::write(&terminal, kept.replace(&first, &server.url)).unwrap();
    let answer = json_of(&paste(decide));
    let followed = paste(follow);
    let (events, ended) = followed.rsplit_once("\n\n").unwrap();
    let impossible = json_of(&paste(impossible));
    let agents = json_of(&paste("curl -fsS \"$API/agents\" -H \"$AUTH\""));
    Shown { account, run, answer, events: events.to_owned(), ended: json_of(ended), impossible, agents }
}

/// The output for a reader who pastes the tour; `None` if the programs it needs are missing.
fn shown() -> Option<&'static Shown> {
    static SHOWN: LazyLock<Option<Shown>> = LazyLock::new(|| at_hand(&["bash", "curl"]).then(toured));
    SHOWN.as_ref()
}

#[test]
fn every_command_of_the_tour_succeeds() {
    if at_hand(&["bash", "curl"]) {
        assert!(shown().is_some());
    }
}

#[test]
fn the_tour_gives_everybody_an_account_with_a_personal_project() {
    let Some(Shown { account, .. }) = shown() else { return };
    assert!(account["email"] == "ada@example.org" && account["personal_project_id"].is_string(), "{account:#}");
}

#[test]
fn the_run_of_the_tour_waits_with_its_question() {
    let Some(Shown { run, .. }) = shown() else { return };
    let consent = run["steps"].as_array().unwrap().iter().find(|step| step["id"] == "consent").unwrap();
    let question = (&run["status"], &consent["approval"]["prompt"], consent["approval"]["id"].is_string());
    assert_eq!(question, (&json!("waiting"), &json!("Ship 2 large order(s)?"), true), "{run:#}");
}

#[test]
fn the_question_of_the_tour_is_answered_after_a_restart() {
    let Some(Shown { run, answer, .. }) = shown() else { return };
    let asked = run["steps"].as_array().unwrap().iter().find(|step| step["id"] == "consent").unwrap();
    assert!(answer.to_string().contains(asked["approval"]["id"].as_str().unwrap()), "{answer:#}");
}

#[test]
fn the_events_of_the_tour_are_told_from_the_first_to_the_last() {
    let Some(Shown { events, .. }) = shown() else { return };
    let told: Vec<_> = events.lines().filter_map(|line| line.strip_prefix("event: ")).collect();
    let ends = (told.first().copied(), told.last().copied(), told.contains(&"run.approval_decided"));
    assert_eq!(ends, (Some("run.queued"), Some("run.completed"), true), "{events}");
}

#[test]
fn the_ids_of_the_tours_events_are_positions_in_order() {
    let Some(Shown { events, .. }) = shown() else { return };
    let ids: Vec<u64> = events.lines().filter_map(|line| line.strip_prefix("id: ")?.parse().ok()).collect();
    assert!(ids.len() > 5 && ids.is_sorted_by(|one, next| one < next), "{ids:?}");
}

#[test]
fn the_output_of_the_tour_is_what_the_tour_says() {
    let Some(Shown { ended, .. }) = shown() else { return };
    let output = json!("2 of 3 orders were large: Grace, Edsger");
    assert_eq!((&ended["status"], &ended["output"]), (&json!("completed"), &output), "{ended:#}");
    assert!(readme().contains(output.as_str().unwrap()), "the tour says so");
}

#[test]
fn everything_that_is_wrong_with_the_tours_impossible_agent_is_said_at_once_with_its_place() {
    let Some(Shown { impossible, .. }) = shown() else { return };
    let errors = impossible["errors"].as_array().unwrap();
    let places: Vec<_> = errors.iter().filter_map(|error| error["pointer"].as_str()).collect();
    let (steps, program) = ("/definition/steps", "/definition/steps/0/arguments/input");
    let told = [steps, program].map(|place| places.iter().any(|pointer| pointer.starts_with(place)));
    assert!(impossible["status"] == 422 && told == [true, true] && places.len() == errors.len(), "{impossible:#}");
}

#[test]
fn the_tours_impossible_agent_is_not_created() {
    let Some(Shown { agents, .. }) = shown() else { return };
    let names: Vec<_> = agents["items"].as_array().unwrap().iter().map(|agent| &agent["name"]).collect();
    assert_eq!(names, ["Order review"]);
}

/// The output of two terminals in turn: the stream continues beside the answer, and ends with the run.
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
    if !at_hand(&["bash", "curl", "jq"]) {
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
    let packages = std::fs::read_to_string(root().join("Cargo.lock")).unwrap().matches("[[package]]").count();
    let report = out.split_once("# Dependency review: Cargo.lock\n").expect("a report").1;
    assert!(
        report.contains(&format!("{packages} packages under ")) && report.trim_end().ends_with("A ticket was filed."),
        "{out}"
    );
    assert_eq!((tracker.tickets().len(), tracker.bare()), (1, 0));
}

#[test]
fn every_request_of_the_readmes_belongs_to_a_tour() {
    for (tour, text) in blocks(&readme()).into_iter().chain(blocks(&example())) {
        assert!(tour || !text.contains("curl "), "not marked with {MARK}, so not tested: {text}");
    }
}

#[test]
fn a_request_outside_the_tour_is_noticed() {
    let found = blocks("words\n```sh\ncurl x\n```\n<!-- tour -->\n```sh\ncurl y\n```\n");
    assert_eq!(found, [(false, "curl x\n".to_owned()), (true, "curl y\n".to_owned())]);
}
