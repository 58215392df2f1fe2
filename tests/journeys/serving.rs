use std::{
    io::{BufRead, BufReader},
    process::{Command, Stdio},
};

use reqwest::StatusCode;

use crate::{
    client::Client,
    program::{devskyy, ended, fails},
    server::Server,
};

#[tokio::test]
async fn a_server_starts_without_any_configuration() {
    let place = tempfile::tempdir().unwrap();
    let server = Server::start(place.path());
    let client = Client::stranger(&server.url);
    for path in ["/health", "/health/live", "/health/ready"] {
        client.get(path).await.expect(StatusCode::OK);
    }
    assert!(place.path().join("devskyy-data/devskyy.db").is_file());
}

#[tokio::test]
async fn a_request_to_stop_ends_the_server_in_order() {
    for signal in ["-TERM", "-INT"] {
        let place = tempfile::tempdir().unwrap();
        let server = Server::start(place.path());
        server.signal(signal);
        let (code, took) = server.ended();
        assert_eq!(code, Some(0), "{signal}");
        assert!(took.as_secs() < 30, "{signal} took {took:?}");
        assert!(!place.path().join("devskyy-data/devskyy.db-wal").exists(), "the log of SQLite is folded back");
    }
}

#[test]
fn the_log_is_one_object_per_line_where_nobody_watches() {
    let place = tempfile::tempdir().unwrap();
    let server = Server::start(place.path());
    for line in server.log().lines() {
        serde_json::from_str::<serde_json::Value>(line).unwrap_or_else(|_| panic!("{line}"));
    }
    assert!(server.log().contains("\"ready\""));
}

#[test]
fn where_only_objects_are_written_one_says_how_to_become_the_first_administrator() {
    let place = tempfile::tempdir().unwrap();
    let mut command = devskyy(place.path());
    command.args(["serve", "--port", "0", "--log-format", "json"]).stdout(Stdio::null()).stderr(Stdio::piped());
    let mut server = command.spawn().unwrap();
    let lines = BufReader::new(server.stderr.take().unwrap()).lines().map_while(Result::ok);
    let ending = lines.inspect(|line| {
        if line.contains("\"ready\"") {
            Command::new("kill").args(["-TERM", &server.id().to_string()]).status().unwrap();
        }
    });
    assert_eq!(ending.filter(|line| line.contains("bootstrap_token") && line.contains("bootstrap-token")).count(), 1);
    server.wait().unwrap();
}

#[test]
fn the_log_is_for_people_where_that_is_configured() {
    let place = tempfile::tempdir().unwrap();
    let server = Server::start_with(place.path(), |command| {
        command.args(["--log-format", "text"]);
    });
    assert!(server.log().contains("INFO") && !server.log().contains('{'), "{}", server.log());
}

#[test]
fn the_banner_fits_on_a_screen() {
    let place = tempfile::tempdir().unwrap();
    let server = Server::start(place.path());
    assert!(server.banner.lines().count() <= 12, "{}", server.banner);
}

#[test]
fn a_busy_port_is_told_in_one_line() {
    let place = tempfile::tempdir().unwrap();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    fails(devskyy(place.path()).args(["serve", "--port", &port]), 1, &[&port, "in use", "--port"]);
    assert!(!place.path().join("devskyy-data").exists(), "nothing is touched");
}

#[test]
fn an_address_of_another_machine_is_told_in_one_line() {
    let place = tempfile::tempdir().unwrap();
    fails(devskyy(place.path()).args(["serve", "--port", "0", "--host", "192.0.2.1"]), 1, &["192.0.2.1", "--host"]);
}

#[test]
fn a_host_that_is_no_address_is_a_configuration_error() {
    let place = tempfile::tempdir().unwrap();
    fails(devskyy(place.path()).args(["serve", "--host", "nowhere"]), 78, &["server.host", "nowhere", "IP address"]);
}

#[test]
fn a_data_directory_that_is_a_file_is_told_in_one_line() {
    let place = tempfile::tempdir().unwrap();
    std::fs::write(place.path().join("data"), "").unwrap();
    fails(devskyy(place.path()).args(["serve", "--port", "0", "--data-dir", "data"]), 1, &["is a file", "--data-dir"]);
}

#[test]
fn a_data_directory_that_cannot_be_made_is_told_in_one_line() {
    let place = tempfile::tempdir().unwrap();
    fails(
        devskyy(place.path()).args(["serve", "--port", "0", "--data-dir", "/proc/devskyy"]),
        1,
        &["/proc/devskyy", "--data-dir"],
    );
}

#[test]
fn a_damaged_database_is_told_in_one_line() {
    let place = tempfile::tempdir().unwrap();
    std::fs::create_dir(place.path().join("devskyy-data")).unwrap();
    std::fs::write(place.path().join("devskyy-data/devskyy.db"), "no database ".repeat(1_000)).unwrap();
    fails(devskyy(place.path()).args(["serve", "--port", "0"]), 1, &["devskyy.db", "not a database"]);
}

#[test]
fn a_data_directory_in_use_names_the_process_that_uses_it() {
    let place = tempfile::tempdir().unwrap();
    let server = Server::start(place.path());
    let holder = server.process().to_string();
    fails(devskyy(place.path()).args(["serve", "--port", "0"]), 1, &["in use", &holder, "--data-dir"]);
    fails(devskyy(place.path()).arg("migrate"), 1, &["in use", &holder]);
}

#[test]
fn a_killed_server_leaves_no_lock_behind() {
    let place = tempfile::tempdir().unwrap();
    Server::start(place.path()).kill();
    drop(Server::start(place.path()));
}

#[test]
fn a_database_that_does_not_answer_is_told_in_one_line_without_its_password() {
    let place = tempfile::tempdir().unwrap();
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let mut command = devskyy(place.path());
    command.args(["serve", "--port", "0", "--log-level", "warn"]);
    command.env("DEVSKYY_DATABASE__URL", format!("postgres://ada:hush@{closed}/sky"));
    fails(&mut command, 1, &["cannot reach the database", "database.url"]);
    assert!(!ended(&mut command).2.contains("hush"));
}

#[test]
fn less_durability_is_told_wherever_the_store_is() {
    let place = tempfile::tempdir().unwrap();
    let server = Server::start_with(place.path(), |command| {
        command.args(["--set", "database.durability=relaxed"]);
    });
    assert!(server.banner.contains("relaxed") && server.log().contains("relaxed"), "{}", server.banner);
    drop(server);
    assert!(!Server::start(place.path()).banner.contains("relaxed"));
}

#[test]
fn less_durability_is_not_asked_of_postgresql() {
    let place = tempfile::tempdir().unwrap();
    let mut command = devskyy(place.path());
    command.args(["serve", "--port", "0", "--set", "database.durability=relaxed"]);
    command.env("DEVSKYY_DATABASE__URL", "postgres://ada@127.0.0.1:1/sky");
    fails(&mut command, 78, &["database.durability", "synchronous_commit"]);
}

#[test]
fn migrating_twice_changes_nothing() {
    let place = tempfile::tempdir().unwrap();
    for _ in 0..2 {
        let (code, out, _) = ended(devskyy(place.path()).arg("migrate"));
        assert!(code == 0 && out.contains("up to date"), "{out}");
    }
}

#[test]
fn the_description_of_the_interface_is_openapi_3_1() {
    let place = tempfile::tempdir().unwrap();
    let (code, out, _) = ended(devskyy(place.path()).arg("openapi"));
    let document: serde_json::Value = serde_json::from_str(&out).unwrap();
    assert!(code == 0 && document["openapi"].as_str().unwrap().starts_with("3.1"));
}

#[test]
fn the_program_prints_the_description_that_is_published() {
    let place = tempfile::tempdir().unwrap();
    let (_, out, _) = ended(devskyy(place.path()).arg("openapi"));
    let published = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/openapi.json");
    assert!(out == std::fs::read_to_string(published).unwrap(), "`devskyy openapi` prints something else");
}
