//! Databases, writer processes and the oracle.

use std::{
    io::{BufRead, BufReader},
    process::{Child, ChildStdout, Command, Stdio},
    sync::Arc,
};

use devskyy_application::es::RecordedEvent;
use devskyy_infrastructure::{
    es::{PerStream, Projection, verify},
    projects::ProjectsProjection,
    sql::Database,
    totals::TotalsProjection,
};
use devskyy_testkit::databases::{Own, server};
use sea_orm::ConnectionTrait;

/// One acknowledged append.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Ack {
    pub(crate) key: String,
    pub(crate) position: u64,
    pub(crate) stream: u64,
    /// 0 if the append was a repeated one.
    pub(crate) version: u64,
}

impl Ack {
    /// A line cut off by a kill is no acknowledgement.
    fn parse(line: &str) -> Option<Self> {
        let mut words = line.split(' ');
        let ack = Self {
            key: words.next()?.to_owned(),
            position: words.next()?.parse().ok()?,
            stream: words.next()?.parse().ok()?,
            version: words.next()?.parse().ok()?,
        };
        words.next().is_none().then_some(ack)
    }
}

/// A running writer process.
pub(crate) struct Writer {
    pub(crate) process: Child,
    lines: BufReader<ChildStdout>,
    first: String,
}

impl Writer {
    /// Starts a process and waits until it is connected.
    pub(crate) fn start(url: &str, name: &str, mode: &str, writers: u64, streams: u64, commands: u64) -> Self {
        let mut process = Command::new(env!("CARGO_BIN_EXE_log_writer"))
            .args([url, name, mode, &writers.to_string(), &streams.to_string(), &commands.to_string()])
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(process.stdout.take().unwrap());
        let mut ready = String::new();
        lines.read_line(&mut ready).unwrap();
        assert_eq!(ready, "ready\n");
        Self { process, lines, first: String::new() }
    }

    /// Returns once something was acknowledged.
    pub(crate) fn wait_for_first(&mut self) {
        self.lines.read_line(&mut self.first).unwrap();
    }

    /// Everything that was acknowledged, once it has ended by itself or by a kill.
    pub(crate) fn acknowledged(mut self) -> Vec<Ack> {
        let mut acks = Vec::new();
        let mut line = std::mem::take(&mut self.first);
        acks.extend(line.strip_suffix('\n').and_then(Ack::parse));
        line.clear();
        while self.lines.read_line(&mut line).unwrap() > 0 {
            acks.extend(line.strip_suffix('\n').and_then(Ack::parse));
            line.clear();
        }
        self.process.wait().unwrap();
        acks
    }
}

/// Asserts that the log is intact, and that the views which the writers update in their appends follow from it.
pub(crate) async fn holds_together(db: &Database) {
    let views: [Arc<dyn Projection>; 2] = [Arc::new(PerStream(ProjectsProjection)), Arc::new(TotalsProjection)];
    assert_eq!(verify(db, &views, vec![], |_, _| ()).await.unwrap().faults, []);
}

/// The key under which an event was recorded.
pub(crate) fn key_of(event: &RecordedEvent) -> String {
    let data: serde_json::Value = serde_json::from_str(&event.data).unwrap();
    data["name"].as_str().unwrap().to_owned()
}

/// A new database on the PostgreSQL server that `DEVSKYY_TEST_POSTGRES_URL` names.
pub(crate) async fn postgres() -> String {
    let server = server().expect("DEVSKYY_TEST_POSTGRES_URL names a server");
    let admin = Database::connect(&server, 3).await.unwrap();
    let Own { name, url } = Own::beside(&server, "test");
    admin.writer.execute_unprepared(&format!("CREATE DATABASE {name}")).await.unwrap();
    admin.close().await;
    url
}
