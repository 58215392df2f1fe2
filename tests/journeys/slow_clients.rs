//! Clients that send too slowly, too much or malformed requests, over sockets of their own.

use std::{
    io::{ErrorKind, Read as _, Write as _},
    net::TcpStream,
    process::Command,
    time::{Duration, Instant},
};

use crate::server::{PATIENCE, Server};

const SIGN_IN: &str = "POST /api/v1/auth/login HTTP/1.1\r\nhost: devskyy\r\ncontent-type: application/json\r\ncontent-length: 1000\r\n\r\n";
const KEPT: &str = "GET /health/live HTTP/1.1\r\nhost: devskyy\r\n\r\n";
const ALIVE: &str = "GET /health/live HTTP/1.1\r\nhost: devskyy\r\nconnection: close\r\n\r\n";

/// A server with these settings, in a directory that lives as long.
fn server(settings: &[&str]) -> (tempfile::TempDir, Server) {
    let place = tempfile::tempdir().unwrap();
    let server = Server::start_with(place.path(), |command: &mut Command| {
        for setting in settings {
            command.args(["--set", setting]);
        }
    });
    (place, server)
}

fn connect(server: &Server) -> TcpStream {
    let stream = TcpStream::connect(server.url.trim_start_matches("http://")).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream
}

/// Waits for the response to [`KEPT`].
fn answered(stream: &mut TcpStream) {
    let mut said = Vec::new();
    let mut part = [0; 1_024];
    while !said.ends_with(b"{\"status\":\"live\"}") {
        let length = stream.read(&mut part).unwrap();
        assert!(length > 0, "{}", String::from_utf8_lossy(&said));
        said.extend_from_slice(&part[..length]);
    }
}

/// Everything the server sends until it ends the connection.
fn heard(stream: &mut TcpStream) -> String {
    let mut said = Vec::new();
    // After a reset, everything that was sent has been read.
    let _ = stream.read_to_end(&mut said);
    String::from_utf8_lossy(&said).into_owned()
}

/// Asserts that a refusal is a problem with the headers of every response, and the last thing sent.
fn is_refused(said: &str, status: u16, code: &str) {
    let (head, body) = said.rsplit_once("\r\n\r\n").unwrap_or_default();
    let problem: serde_json::Value = serde_json::from_str(body).unwrap_or_default();
    let has = |line: &str| head.lines().any(|it| it.starts_with(line));
    let dressed = has("x-content-type-options: nosniff") && has("content-type: application/problem+json");
    let named = has(&format!("x-request-id: {}", problem["request_id"].as_str().unwrap_or("none")));
    let told = (has(&format!("HTTP/1.1 {status} ")), problem["code"].as_str(), dressed, named);
    assert_eq!(told, (true, Some(code), true, true), "{said}");
}

#[test]
fn a_head_that_does_not_end_is_cut_off() {
    let (_place, server) = server(&["server.header_timeout_s=1"]);
    let mut stream = connect(&server);
    stream.write_all(b"GET /health/live HTTP/1.1\r\n").unwrap();
    is_refused(&heard(&mut stream), 408, "request.head_timeout");
}

#[test]
fn a_later_head_that_does_not_end_is_cut_off_too() {
    let (_place, server) = server(&["server.header_timeout_s=1"]);
    let mut stream = connect(&server);
    stream.write_all(KEPT.as_bytes()).unwrap();
    stream.write_all(b"GET /health").unwrap();
    answered(&mut stream);
    stream.write_all(b"/live HTTP/1.1\r\n").unwrap();
    is_refused(&heard(&mut stream), 408, "request.head_timeout");
}

#[test]
fn a_connection_may_be_silent_between_requests_for_longer_than_within_a_head() {
    let (_place, server) = server(&["server.header_timeout_s=1"]);
    let mut stream = connect(&server);
    for _ in 0..2 {
        stream.write_all(KEPT.as_bytes()).unwrap();
        answered(&mut stream);
        std::thread::sleep(Duration::from_millis(1_500));
    }
    stream.write_all(ALIVE.as_bytes()).unwrap();
    assert!(heard(&mut stream).starts_with("HTTP/1.1 200"));
}

#[test]
fn a_client_that_does_not_take_its_answers_is_let_go() {
    let (_place, server) = server(&["server.write_timeout_s=1"]);
    let mut stream = connect(&server);
    for _ in 0..30 {
        stream.write_all(b"GET /openapi.json HTTP/1.1\r\nhost: devskyy\r\n\r\n").unwrap();
    }
    std::thread::sleep(Duration::from_secs(3));
    // All of it would be over twenty million bytes; the kernel has buffered the beginning.
    assert!(heard(&mut stream).len() < 20_000_000);
}

#[test]
fn what_is_no_request_behind_one_that_is_is_refused_after_its_answer() {
    let (_place, server) = server(&[]);
    let mut stream = connect(&server);
    stream.write_all(format!("{KEPT}nonsense\r\n\r\n").as_bytes()).unwrap();
    let said = heard(&mut stream);
    let (first, second) = said.split_at(said.rfind("HTTP/1.1 400").unwrap_or_default());
    assert!(first.starts_with("HTTP/1.1 200"), "{said}");
    is_refused(second, 400, "request.not_http");
}

#[test]
fn a_body_that_does_not_come_is_cut_off() {
    let (_place, server) = server(&["server.body_timeout_s=1"]);
    let mut stream = connect(&server);
    stream.write_all(SIGN_IN.as_bytes()).unwrap();
    let said = heard(&mut stream);
    assert!(said.starts_with("HTTP/1.1 408") && said.contains("request.timeout"), "{said}");
}

#[test]
fn a_body_that_drips_is_cut_off_long_before_its_deadline_and_after_that_of_a_head() {
    let (_place, server) = server(&["server.body_timeout_s=300", "server.header_timeout_s=1"]);
    let mut stream = connect(&server);
    stream.write_all(SIGN_IN.as_bytes()).unwrap();
    let mut dripping = stream.try_clone().unwrap();
    let began = Instant::now();
    std::thread::spawn(move || {
        while dripping.write_all(b" ").is_ok() && began.elapsed() < PATIENCE {
            std::thread::sleep(Duration::from_millis(200));
        }
    });
    let said = heard(&mut stream);
    assert!(said.contains("request.timeout") && began.elapsed() < PATIENCE, "{said}");
}

#[test]
fn a_head_without_measure_is_refused() {
    let (_place, server) = server(&[]);
    let mut stream = connect(&server);
    let head = format!("GET /health/live HTTP/1.1\r\nhost: devskyy\r\nx-much: {}", "a".repeat(1_024 * 1_024));
    // The server may stop reading before all of it is sent.
    let _ = stream.write_all(head.as_bytes());
    is_refused(&heard(&mut stream), 431, "request.head_too_large");
}

#[test]
fn what_is_not_http_is_refused() {
    let (_place, server) = server(&[]);
    let mut stream = connect(&server);
    stream.write_all(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n").unwrap();
    is_refused(&heard(&mut stream), 400, "request.not_http");
}

#[test]
fn connections_beyond_the_cap_wait_for_their_turn() {
    let (_place, server) = server(&["server.workers=1", "server.max_connections=2", "server.header_timeout_s=300"]);
    let holders = [connect(&server), connect(&server)];
    for mut holder in &holders {
        holder.write_all(b"GET / HTTP/1.1\r\n").unwrap();
    }
    std::thread::sleep(Duration::from_millis(500));
    let mut third = connect(&server);
    third.write_all(ALIVE.as_bytes()).unwrap();
    third.set_read_timeout(Some(Duration::from_millis(500))).unwrap();
    let waits = third.peek(&mut [0]).is_err_and(|error| error.kind() == ErrorKind::WouldBlock);
    drop(holders);
    third.set_read_timeout(Some(PATIENCE)).unwrap();
    assert_eq!((waits, heard(&mut third).starts_with("HTTP/1.1 200")), (true, true));
}
