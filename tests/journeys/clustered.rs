//! Several servers on one PostgreSQL behave as one.

use std::{
    io::{BufRead as _, BufReader, Write as _},
    process::{Child, Command, Stdio},
    time::Duration,
};

use devskyy_testkit::databases::{self, Own};
use futures_util::future::select_all;
use reqwest::{Method, StatusCode};
use serde_json::json;
use tokio::task::JoinHandle;

use crate::{
    client::{Answer, Client},
    program::{devskyy, ended, fails},
    running::{doubling, reaching},
    server::Server,
    tracker::Tracker,
};

/// A database on the PostgreSQL of the tests, created with its own tool.
pub(crate) struct Fresh {
    url: String,
    admin: String,
    name: String,
}

impl Fresh {
    /// Creates a database for one test.
    pub(crate) fn make() -> Self {
        let admin = databases::server().expect("DEVSKYY_TEST_POSTGRES_URL names a PostgreSQL");
        let Own { name, url } = Own::beside(&admin, "journey");
        drop(psql(&admin, &format!("CREATE DATABASE {name}")));
        Self { url, admin, name }
    }

    /// Makes a command use this database, with the master key that all its replicas share.
    pub(crate) fn choose(&self, command: &mut std::process::Command) {
        command.env("DEVSKYY_DATABASE__URL", &self.url).env("DEVSKYY_SECURITY__MASTER_KEY", "c0".repeat(32));
    }

    /// Its URL.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// Runs a statement beside the servers.
    pub(crate) fn tell(&self, statement: &str) {
        drop(psql(&self.url, statement));
    }

    /// The result of a query for one number.
    pub(crate) fn count(&self, question: &str) -> u64 {
        psql(&self.url, question).trim().parse().unwrap()
    }

    /// The contents of its tables, one file below a directory for each, row by row as text.
    pub(crate) fn written_out(&self, directory: &std::path::Path) {
        std::fs::create_dir_all(directory).unwrap();
        let tables = "SELECT table_name FROM information_schema.tables WHERE table_schema = current_schema()";
        for table in psql(&self.url, tables).lines() {
            let rows = psql(&self.url, &format!("SELECT it::text FROM \"{table}\" it"));
            std::fs::write(directory.join(format!("{table}.txt")), rows).unwrap();
        }
    }

    /// Keeps the log from growing until the lock is released.
    fn hold_the_log(&self) -> Held {
        self.hold("BEGIN; SELECT 'held' FROM es_head WHERE id = 1 FOR UPDATE;")
    }

    /// Keeps what a session locks by a statement that returns `held`, until it is released.
    pub(crate) fn hold(&self, statement: &str) -> Held {
        let mut command = Command::new("psql");
        command.args([&self.url, "-Atq"]).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut session = command.spawn().unwrap();
        let input = session.stdin.as_mut().unwrap();
        writeln!(input, "{statement}").unwrap();
        let mut said = String::new();
        BufReader::new(session.stdout.as_mut().unwrap()).read_line(&mut said).unwrap();
        assert_eq!(said, "held\n");
        Held(session)
    }

    /// The parts of its URL before and after its name.
    fn around(&self) -> (&str, &str) {
        self.url.split_once(&format!("/{}", self.name)).unwrap()
    }

    /// Host and port of its PostgreSQL.
    pub(crate) fn address(&self) -> String {
        let (server, _) = self.around();
        let address = server.rsplit_once(['@', '/']).unwrap().1;
        if address.contains(':') { address.to_owned() } else { format!("{address}:5432") }
    }

    /// The same database through a port of this machine, without encryption.
    pub(crate) fn url_by(&self, port: u16) -> String {
        let by = format!("127.0.0.1:{port}");
        let (server, parameters) = self.around();
        let (who, _) = server.rsplit_once('@').unwrap_or(("postgres://", ""));
        let separator = if server.contains('@') { "@" } else { "" };
        let mode = if parameters.is_empty() { '?' } else { '&' };
        format!("{who}{separator}{by}/{}{parameters}{mode}sslmode=disable", self.name)
    }

    fn server(&self, directory: &std::path::Path, tracker: &Tracker) -> Server {
        self.server_with(directory, tracker, &[])
    }

    /// A server that accepts runs and leaves them to workers.
    pub(crate) fn accepting(&self, directory: &std::path::Path, tracker: &Tracker) -> Server {
        self.server_with(directory, tracker, &["--set", "runs.concurrency=0"])
    }

    /// A server with more flags.
    pub(crate) fn server_with(&self, directory: &std::path::Path, tracker: &Tracker, flags: &[&str]) -> Server {
        std::fs::create_dir_all(directory).unwrap();
        Server::start_with(directory, |command| {
            reaching(tracker)(command);
            self.choose(command.args(flags));
        })
    }
}

impl Drop for Fresh {
    fn drop(&mut self) {
        drop(psql(&self.admin, &format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", self.name)));
    }
}

/// The output of a statement, one row a line.
fn psql(url: &str, statement: &str) -> String {
    let (code, out, error) = ended(Command::new("psql").args([url, "-Atqc", statement]));
    assert_eq!(code, 0, "{error}");
    out
}

/// A session that holds a lock. Its end releases it.
pub(crate) struct Held(Child);

impl Drop for Held {
    fn drop(&mut self) {
        drop(self.0.stdin.take());
        let _ = self.0.wait();
    }
}

#[tokio::test]
#[ignore = "needs PostgreSQL"]
async fn a_run_that_is_started_on_one_server_is_watched_on_the_other() {
    let (place, tracker, database) =
        (tempfile::tempdir().unwrap(), Tracker::start(Duration::ZERO).await, Fresh::make());
    let one = database.server(&place.path().join("one"), &tracker);
    let ada = Client::administrator(&one).await;
    let other = database.server(&place.path().join("other"), &tracker);
    let agent = ada.agent("Doubler", &doubling(&tracker)).await;

    let run = ada.execute(&agent, &json!({"numbers": [1, 2, 3]})).await;
    let seen = ada.at(&other.url).watch(&run, None, "run.completed").await;

    assert_eq!(seen, ada.watch(&run, None, "run.completed").await);
    assert_eq!((&ada.run_ended(&run).await["output"]["sum"], tracker.tickets().len()), (&json!(12), 1));
}

#[tokio::test]
#[ignore = "needs PostgreSQL"]
async fn runs_of_a_server_that_dies_are_finished_by_the_other() {
    let place = tempfile::tempdir().unwrap();
    let (tracker, database) = (Tracker::start(Duration::from_millis(300)).await, Fresh::make());
    let one = database.server(&place.path().join("one"), &tracker);
    let ada = Client::administrator(&one).await;
    let agent = ada.agent("Doubler", &doubling(&tracker)).await;
    let mut runs = Vec::new();
    for number in 0..6 {
        runs.push(ada.execute(&agent, &json!({"numbers": [number]})).await);
    }
    tokio::time::sleep(Duration::from_millis(150)).await;
    let other = database.server(&place.path().join("other"), &tracker);
    one.kill();

    let ada = ada.at(&other.url);
    for run in &runs {
        assert_eq!(ada.run_ended(run).await["status"], "completed");
    }
    assert_eq!((tracker.tickets().len(), tracker.bare()), (runs.len(), 0));
}

#[tokio::test]
#[ignore = "needs PostgreSQL"]
async fn a_log_on_postgresql_is_verified_and_its_views_are_rebuilt_beside_a_running_server() {
    let (place, tracker, database) =
        (tempfile::tempdir().unwrap(), Tracker::start(Duration::ZERO).await, Fresh::make());
    let one = database.server(&place.path().join("one"), &tracker);
    let ada = Client::administrator(&one).await;
    ada.post("/api/v1/projects", &json!({"name": "Compiler"})).await.expect(StatusCode::CREATED);
    for arguments in [&["verify"][..], &["projections", "rebuild"], &["verify"]] {
        let (code, out, error) =
            ended(devskyy(place.path()).args(arguments).env("DEVSKYY_DATABASE__URL", &database.url));
        assert_eq!(code, 0, "{arguments:?} {out}{error}");
    }
}

#[tokio::test]
#[ignore = "needs PostgreSQL"]
async fn a_replica_with_another_master_key_is_told_in_one_line() {
    let (place, tracker, database) =
        (tempfile::tempdir().unwrap(), Tracker::start(Duration::ZERO).await, Fresh::make());
    let _one = database.server(&place.path().join("one"), &tracker);
    let mut command = devskyy(place.path());
    command.args(["serve", "--port", "0", "--log-level", "warn"]).env("DEVSKYY_DATABASE__URL", &database.url);
    fails(&mut command, 1, &["security.master_key", "every replica"]);
}

/// Sends requests until the client is refused; returns how long that took.
async fn shut_out(client: &Client) -> Duration {
    let asked = std::time::Instant::now();
    while client.get("/api/v1/auth/me").await.status != StatusCode::UNAUTHORIZED {
        assert!(asked.elapsed() < crate::server::PATIENCE, "still let in");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    asked.elapsed()
}

#[tokio::test]
#[ignore = "needs PostgreSQL"]
async fn whoever_is_out_on_one_server_is_out_on_the_other_within_five_seconds() {
    let (place, tracker, database) =
        (tempfile::tempdir().unwrap(), Tracker::start(Duration::ZERO).await, Fresh::make());
    let one = database.server(&place.path().join("one"), &tracker);
    let ada = Client::administrator(&one).await;
    let other = database.server(&place.path().join("other"), &tracker);
    let grace = json!({"email": "grace@example.com", "password": crate::client::PASSWORD, "name": "Grace"});
    let grace = ada.post("/api/v1/auth/register", &grace).await.expect(StatusCode::CREATED);

    let signed_out = ada.signed_in("ada@example.com").await;
    let disabled = ada.signed_in("grace@example.com").await;
    for client in [&signed_out, &disabled] {
        client.at(&other.url).get("/api/v1/auth/me").await.expect(StatusCode::OK);
    }
    signed_out.post("/api/v1/auth/logout", &json!({})).await;
    let path = format!("/api/v1/users/{}/disable", grace["id"].as_str().unwrap());
    ada.post(&path, &json!({})).await.expect(StatusCode::OK);

    let (signed_out, disabled) = (signed_out.at(&other.url), disabled.at(&other.url));
    let (first, second) = tokio::join!(shut_out(&signed_out), shut_out(&disabled));
    assert!(first.max(second) < Duration::from_secs(5), "{first:?} {second:?}");
}

#[tokio::test]
#[ignore = "needs PostgreSQL"]
async fn a_new_signing_key_is_published_by_every_server_without_a_restart() {
    let (place, tracker, database) =
        (tempfile::tempdir().unwrap(), Tracker::start(Duration::ZERO).await, Fresh::make());
    let one = database.server(&place.path().join("one"), &tracker);
    let other = database.server(&place.path().join("other"), &tracker);
    let mut rotate = devskyy(place.path());
    rotate.env("DEVSKYY_DATABASE__URL", &database.url).env("DEVSKYY_SECURITY__MASTER_KEY", "c0".repeat(32));
    let (code, _, error) = ended(rotate.args(["keys", "rotate"]));
    assert_eq!(code, 0, "{error}");
    for server in [&one, &other] {
        let (client, asked) = (Client::stranger(&server.url), std::time::Instant::now());
        while client.get("/.well-known/jwks.json").await.body["keys"].as_array().unwrap().len() < 2 {
            assert!(asked.elapsed() < crate::server::PATIENCE, "the new key is not published");
            tokio::time::sleep(Duration::from_millis(500)).await;
        }
    }
}

/// Sends the same request twice at once to one server, checks that one of them is refused because the other is in
/// progress, and returns the other.
async fn in_flight(by: &Client) -> JoinHandle<Answer> {
    let send = || {
        let request = by.request(Method::POST, "/api/v1/projects").header("idempotency-key", "order-4711");
        tokio::spawn(crate::client::answer(request.json(&json!({"name": "Compiler"}))))
    };
    let (refused, _, mut others) = select_all([send(), send()]).await;
    let refused = refused.unwrap().expect(StatusCode::CONFLICT);
    assert_eq!(refused["code"], "idempotency.in_flight");
    others.remove(0)
}

#[tokio::test]
#[ignore = "needs PostgreSQL"]
async fn a_request_that_reaches_two_servers_at_once_has_one_effect_and_one_answer() {
    let (place, tracker, database) =
        (tempfile::tempdir().unwrap(), Tracker::start(Duration::ZERO).await, Fresh::make());
    let one = database.server(&place.path().join("one"), &tracker);
    let ada = Client::administrator(&one).await;
    let other = database.server(&place.path().join("other"), &tracker);
    let held = database.hold_the_log();
    let here = in_flight(&ada).await;
    let there = in_flight(&ada.at(&other.url)).await;
    drop(held);
    let (here, there) = (here.await.unwrap(), there.await.unwrap());
    let made = here.expect(StatusCode::CREATED);
    assert_eq!(there.expect(StatusCode::CREATED), made);
    let listed = ada.get("/api/v1/projects?name=Compiler").await.expect(StatusCode::OK);
    assert_eq!(listed["total"], 1, "{listed:#}");
}
