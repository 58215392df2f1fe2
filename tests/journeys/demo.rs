//! The demo in a fresh clone of the repository.

use std::{
    io::{Read as _, Write as _},
    path::Path,
    process::{Child, ChildStdin, Command, ExitStatus, Stdio},
    sync::mpsc::{Receiver, channel},
    thread,
    time::Instant,
};

use reqwest::StatusCode;
use serde_json::json;

use crate::{
    at_hand,
    client::Client,
    program::{devskyy, ended, fails},
    server::{PATIENCE, Server},
};

/// A lock file with one package in three versions and one in two.
const LOCK: &str = r#"
version = 4

[[package]]
name = "app"
version = "0.1.0"
dependencies = ["rand 0.8.5", "rand 0.9.1", "syn 1.0.109", "tool"]

[[package]]
name = "tool"
version = "1.2.3"
dependencies = ["rand 0.10.0", "syn 2.0.100"]

[[package]]
name = "rand"
version = "0.10.0"

[[package]]
name = "rand"
version = "0.8.5"

[[package]]
name = "rand"
version = "0.9.1"

[[package]]
name = "syn"
version = "1.0.109"

[[package]]
name = "syn"
version = "2.0.100"
"#;

fn demo(directory: &Path, arguments: &[&str]) -> Command {
    let mut command = devskyy(directory);
    command.arg("demo").args(arguments).stdin(std::process::Stdio::null());
    command
}

/// The report, and the output beside it.
fn shown(directory: &Path, arguments: &[&str]) -> (String, String) {
    let (code, report, told) = ended(&mut demo(directory, arguments));
    assert_eq!(code, 0, "{told}");
    (report, told)
}

#[test]
fn the_demo_reviews_its_own_lock_file_and_says_where_to_look_further() {
    let place = tempfile::tempdir().unwrap();
    let (report, told) = shown(place.path(), &[]);
    let own = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../../Cargo.lock")).unwrap();
    let packages = own.matches("[[package]]").count();
    assert!(report.starts_with("# Dependency review: Cargo.lock\n"), "{report}");
    assert!(report.contains(&format!("{packages} packages")), "{report}");
    for word in
        ["signed in", "consent", "approving: there is no terminal", "completed", "Totals", "/docs", "1 ticket(s)"]
    {
        assert!(told.contains(word), "`{word}` is missing in: {told}");
    }
    assert!(!told.contains('\u{1b}'), "colours belong on a terminal");
    assert_eq!(std::fs::read_dir(place.path()).unwrap().count(), 0, "nothing is left behind");
}

#[test]
fn the_same_lock_file_gives_the_same_report_byte_for_byte() {
    let place = tempfile::tempdir().unwrap();
    std::fs::write(place.path().join("Cargo.lock"), LOCK).unwrap();
    let (first, _) = shown(place.path(), &["--approve", "--exit"]);
    let (second, _) = shown(place.path(), &["--approve", "--exit"]);
    assert_eq!(first, second);
}

#[test]
fn the_report_names_versions_and_who_requires_them() {
    let place = tempfile::tempdir().unwrap();
    std::fs::write(place.path().join("mine.lock"), LOCK).unwrap();
    let (report, told) = shown(place.path(), &["--lockfile", "mine.lock"]);
    let expected = "# Dependency review: mine.lock\n\n\
        7 packages under 4 names; 2 of these names occur in several versions, 3 copies more than needed (42.9 %).\n\n\
        **Rating: high** (high 0, medium 1, low 1)\n\n\
        | Package | Rating | Version | Required by |\n| --- | --- | --- | --- |\n\
        | rand | medium | 0.8.5 | app |\n|  |  | 0.9.1 | app |\n|  |  | 0.10.0 | tool |\n\
        | syn | low | 1.0.109 | app |\n|  |  | 2.0.100 | tool |\n\n\
        ## What follows\n\nA ticket was filed.\n";
    assert_eq!(report, expected);
    assert!(!told.contains('?'), "three copies are filed without asking: {told}");
}

#[test]
fn a_denied_ticket_is_never_filed() {
    let place = tempfile::tempdir().unwrap();
    let (report, told) = shown(place.path(), &["--deny"]);
    assert!(report.ends_with("No ticket was filed: a person said no.\n"), "{report}");
    assert!(told.contains("0 ticket(s)"), "{told}");
}

#[test]
fn a_lock_file_without_findings_needs_no_ticket() {
    let place = tempfile::tempdir().unwrap();
    std::fs::write(place.path().join("Cargo.lock"), "version = 4\n").unwrap();
    let (report, told) = shown(place.path(), &[]);
    assert!(report.ends_with("No ticket is needed.\n") && told.contains("0 ticket(s)"), "{report}{told}");
}

#[test]
fn a_demo_in_a_named_directory_can_be_repeated_there() {
    let place = tempfile::tempdir().unwrap();
    std::fs::write(place.path().join("Cargo.lock"), LOCK).unwrap();
    let (first, _) = shown(place.path(), &["--data-dir", "kept"]);
    let (second, told) = shown(place.path(), &["--data-dir", "kept"]);
    assert_eq!(first, second);
    assert!(told.contains("version 2") && place.path().join("kept/devskyy.db").exists(), "{told}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_demo_finds_its_agent_among_many_that_are_called_alike() {
    let place = tempfile::tempdir().unwrap();
    std::fs::write(place.path().join("Cargo.lock"), LOCK).unwrap();
    shown(place.path(), &["--data-dir", "kept"]);
    let password = std::fs::read_to_string(place.path().join("kept/demo-password")).unwrap();
    let server = Server::start_with(place.path(), |command| {
        command.args(["--data-dir", "kept"]);
    });
    let demo = Client::stranger(&server.url).signed_in_with("demo@example.org", password.trim()).await;
    for number in 0..101 {
        // Before the demo's own in either order of the list.
        let body = json!({"name": format!("A Dependency review {number}"), "type": "workflow"});
        demo.post("/api/v1/agents", &body).await.expect(StatusCode::CREATED);
    }
    server.signal("-TERM");
    server.ended();
    let (_, told) = shown(place.path(), &["--data-dir", "kept"]);
    assert!(told.contains("version 2"), "{told}");
}

/// The output of the second demo in a directory, after this treatment of the first one's agent.
async fn after(treatment: &str) -> String {
    let place = tempfile::tempdir().unwrap();
    std::fs::write(place.path().join("Cargo.lock"), LOCK).unwrap();
    shown(place.path(), &["--data-dir", "kept"]);
    let password = std::fs::read_to_string(place.path().join("kept/demo-password")).unwrap();
    let server = Server::start_with(place.path(), |command| {
        command.args(["--data-dir", "kept"]);
    });
    let demo = Client::stranger(&server.url).signed_in_with("demo@example.org", password.trim()).await;
    let agents = demo.get("/api/v1/agents").await.expect(StatusCode::OK);
    let agent = agents["items"][0]["id"].as_str().unwrap();
    demo.post(&format!("/api/v1/agents/{agent}/{treatment}"), &json!({})).await.expect(StatusCode::OK);
    server.signal("-TERM");
    server.ended();
    shown(place.path(), &["--data-dir", "kept"]).1
}

#[tokio::test(flavor = "multi_thread")]
async fn a_demo_whose_agent_was_paused_activates_it() {
    let told = after("pause").await;
    assert!(told.contains("version 2"), "{told}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_demo_whose_agent_was_archived_creates_another() {
    let told = after("archive").await;
    assert!(told.contains("version 1"), "{told}");
}

#[test]
fn a_lock_file_that_cannot_be_used_is_told_in_one_line() {
    let place = tempfile::tempdir().unwrap();
    fails(&mut demo(place.path(), &["--lockfile", "nowhere.lock"]), 1, &["nowhere.lock", "--lockfile"]);
    fails(&mut demo(place.path(), &["--approve", "--deny"]), 2, &["--approve", "--deny"]);
    std::fs::write(place.path().join("broken.lock"), "[[package]\nname =").unwrap();
    let (code, report, told) = ended(&mut demo(place.path(), &["--lockfile", "broken.lock"]));
    assert!(code == 1 && report.is_empty() && told.contains("line 1, column"), "{told}");
}

#[test]
fn a_lock_file_without_end_is_told_in_one_line() {
    let place = tempfile::tempdir().unwrap();
    fails(&mut demo(place.path(), &["--lockfile", "/dev/zero"]), 1, &["/dev/zero", "not a regular file", "--lockfile"]);
}

#[test]
fn a_lock_file_that_is_too_large_is_told_in_one_line() {
    let place = tempfile::tempdir().unwrap();
    // Where it is cut, a letter is cut too.
    std::fs::write(place.path().join("large.lock"), "ä".repeat(450_001)).unwrap();
    fails(&mut demo(place.path(), &["--lockfile", "large.lock"]), 1, &["large.lock", "900000 bytes"]);
}

#[test]
fn a_password_that_is_not_the_accounts_is_told_with_its_file() {
    let place = tempfile::tempdir().unwrap();
    std::fs::write(place.path().join("Cargo.lock"), "version = 4\n").unwrap();
    shown(place.path(), &["--data-dir", "kept"]);
    std::fs::write(place.path().join("kept/demo-password"), "Another-password-7\n").unwrap();
    let (code, _, told) = ended(&mut demo(place.path(), &["--data-dir", "kept"]));
    let why = "kept/demo-password is not that of demo@example.org; choose another --data-dir";
    assert!(code == 1 && told.contains(why), "{told}");
}

#[test]
fn a_demo_that_may_not_register_says_so_in_the_platforms_words() {
    let place = tempfile::tempdir().unwrap();
    let boss = ["user", "create-admin", "--email", "boss@example.org", "--name", "Boss", "--data-dir", "kept"];
    assert_eq!(ended(devskyy(place.path()).args(boss)).0, 0);
    let (code, _, told) = ended(&mut demo(place.path(), &["--set", "registration.mode=closed", "--data-dir", "kept"]));
    assert!(code == 1 && told.contains("/auth/register was answered 403"), "{told}");
}

/// A demo on a terminal of its own, and its output.
struct Terminal {
    child: Child,
    keys: ChildStdin,
    appearing: Receiver<String>,
    seen: String,
}

impl Terminal {
    /// Starts the demo on a pseudo-terminal, which `script` of util-linux makes.
    fn start(directory: &Path) -> Self {
        let mut command = Command::new("script");
        command.envs(devskyy(directory).get_envs().filter_map(|(name, value)| Some((name, value?))));
        for (name, _) in devskyy(directory).get_envs().filter(|(_, value)| value.is_none()) {
            command.env_remove(name);
        }
        let command = command.args(["-qec", concat!("exec ", env!("CARGO_BIN_EXE_devskyy"), " demo"), "/dev/null"]);
        let command = command.current_dir(directory).env("NO_COLOR", "1").stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let (keys, mut screen) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
        let (told, appearing) = channel();
        thread::spawn(move || {
            let mut some = [0; 4_096];
            while let Ok(read @ 1..) = screen.read(&mut some) {
                let _ = told.send(String::from_utf8_lossy(&some[..read]).into_owned());
            }
        });
        Self { child, keys, appearing, seen: String::new() }
    }

    /// Waits until a text has appeared.
    fn until(&mut self, text: &str) {
        while !self.seen.contains(text) {
            let more = self.appearing.recv_timeout(PATIENCE);
            self.seen += &more.unwrap_or_else(|_| panic!("`{text}` never appeared: {}", self.seen));
        }
    }

    fn types(&mut self, text: &str) {
        self.keys.write_all(text.as_bytes()).unwrap();
        self.keys.flush().unwrap();
    }

    fn ended(&mut self) -> ExitStatus {
        let asked = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status;
            }
            assert!(asked.elapsed() < PATIENCE, "the demo does not end: {}", self.seen);
            thread::sleep(std::time::Duration::from_millis(10));
        }
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[tokio::test]
async fn on_a_terminal_the_demo_asks_and_keeps_serving_until_it_is_stopped() {
    if !at_hand(&["script"]) {
        return;
    }
    let place = tempfile::tempdir().unwrap();
    let mut terminal = Terminal::start(place.path());
    terminal.until("[y/n]");
    terminal.types("perhaps\n");
    terminal.until("perhaps");
    terminal.types("y\n");
    terminal.until("stop it with Ctrl-C.");
    assert!(terminal.seen.contains("1 ticket(s)") && terminal.seen.matches("[y/n]").count() == 2, "{}", terminal.seen);
    let (_, url) = terminal.seen.split_once("DevSkyy is running at ").unwrap();
    let url = url.split_whitespace().next().unwrap().to_owned();
    Client::stranger(&url).get("/health/live").await.expect(StatusCode::OK);
    terminal.types("\u{3}");
    terminal.until("press Ctrl-C again");
    assert!(terminal.ended().success(), "{}", terminal.seen);
}

#[test]
fn a_demo_that_is_stopped_before_its_run_has_ended_has_failed() {
    if !at_hand(&["script"]) {
        return;
    }
    let place = tempfile::tempdir().unwrap();
    let mut terminal = Terminal::start(place.path());
    terminal.until("[y/n]");
    terminal.types("\u{3}");
    terminal.until("stopped before the run ended");
    assert_eq!(terminal.ended().code(), Some(1), "{}", terminal.seen);
}
