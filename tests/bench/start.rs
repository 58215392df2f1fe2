//! The time from the start of the server to its first response, and its memory then, beside a bare actix server that is
//! measured in the same run. Prints one JSON object.
#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a measurement that fails says where")]

use std::{
    io::{Read as _, Write as _},
    net::{TcpListener, TcpStream},
    path::Path,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use actix_web::{App, HttpResponse, HttpServer, web};
use serde_json::{Value, json};

/// Measured starts of each kind.
const ROUNDS: usize = 15;
/// Requests before memory is measured a second time.
const REQUESTS: usize = 500;
/// The argument with which the benchmark runs itself as the baseline.
const BASELINE: &str = "--be-the-baseline";

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    if let Some(at) = arguments.iter().position(|argument| argument == BASELINE) {
        return baseline(&arguments[at + 1]);
    }
    let place = tempfile::tempdir().unwrap();
    let (mut fresh, mut again, mut bare) = (Vec::new(), Vec::new(), Vec::new());
    for round in 0..ROUNDS {
        let directory = place.path().join(round.to_string());
        std::fs::create_dir(&directory).unwrap();
        fresh.push(measured(|port| devskyy(&directory, port)));
        again.push(measured(|port| devskyy(&directory, port)));
        bare.push(measured(itself));
    }
    let report = json!({
        "bench": "start",
        "rounds": ROUNDS,
        "devskyy_fresh": summary(&fresh),
        "devskyy_again": summary(&again),
        "bare_actix": summary(&bare),
        "limits": {"ready_ms": 300, "rss_mib": 60},
    });
    println!("{report:#}");
}

fn devskyy(directory: &Path, port: u16) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_devskyy"));
    command.args(["serve", "--port", &port.to_string()]).current_dir(directory);
    command
}

fn itself(port: u16) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args([BASELINE, &port.to_string()]);
    command
}

/// A server that only responds.
fn baseline(port: &str) {
    let port: u16 = port.parse().unwrap();
    let server = async move {
        HttpServer::new(|| App::new().default_service(web::to(|| async { HttpResponse::Ok().body("ready") })))
            .bind(("127.0.0.1", port))
            .unwrap()
            .run()
            .await
    };
    actix_web::rt::System::new().block_on(server).unwrap();
}

/// The results of one start.
struct Start {
    ready: Duration,
    rss_kib: u64,
    pss_kib: u64,
    worked_rss_kib: u64,
}

fn measured(command: impl FnOnce(u16) -> Command) -> Start {
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let mut command = command(port);
    let started = Instant::now();
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    while !answers(port) {
        assert!(started.elapsed() < Duration::from_secs(30), "{command:?} does not answer");
        std::thread::sleep(Duration::from_millis(1));
    }
    let ready = started.elapsed();
    std::thread::sleep(Duration::from_millis(200));
    let (rss_kib, pss_kib) = memory(&child);
    for _ in 0..REQUESTS {
        answers(port);
    }
    let worked_rss_kib = memory(&child).0;
    child.kill().unwrap();
    child.wait().unwrap();
    Start { ready, rss_kib, pss_kib, worked_rss_kib }
}

fn answers(port: u16) -> bool {
    let Ok(mut stream) = TcpStream::connect(("127.0.0.1", port)) else { return false };
    let asked = stream.write_all(b"GET /health/ready HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    let mut answer = Vec::new();
    asked.is_ok() && stream.read_to_end(&mut answer).is_ok() && answer.starts_with(b"HTTP/1.1 200")
}

/// Resident and proportional memory.
fn memory(child: &Child) -> (u64, u64) {
    let of = |file: &str, name: &str| -> u64 {
        let text = std::fs::read_to_string(format!("/proc/{}/{file}", child.id())).unwrap_or_default();
        let line = text.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_default();
        line.split_whitespace().next().and_then(|number| number.parse().ok()).unwrap_or_default()
    };
    (of("status", "VmRSS:"), of("smaps_rollup", "Pss:"))
}

fn summary(starts: &[Start]) -> Value {
    let mut ready: Vec<f64> = starts.iter().map(|start| start.ready.as_secs_f64() * 1_000.0).collect();
    ready.sort_by(f64::total_cmp);
    let mib = |kib: fn(&Start) -> u64| {
        let most = starts.iter().map(kib).max().unwrap_or_default();
        (most as f64 / 102.4).round() / 10.0
    };
    json!({
        "ready_ms_p50": (ready[ready.len() / 2] * 10.0).round() / 10.0,
        "ready_ms_max": (ready[ready.len() - 1] * 10.0).round() / 10.0,
        "rss_mib": mib(|start| start.rss_kib),
        "pss_mib": mib(|start| start.pss_kib),
        "rss_mib_after_requests": mib(|start| start.worked_rss_kib),
    })
}
