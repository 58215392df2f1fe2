//! Clients that send too slowly, too much or nonsense, over sockets of their own.

use std::{
    io::{ErrorKind, Read as _, Write as _},
    net::TcpStream,
    process::Command,
    time::{Duration, Instant},
};

use crate::server::{PATIENCE, Server};

const SIGN_IN: &str = "POST /api/v1/auth/login HTTP/1.1\r\nhost: devskyy\r\ncontent-type: application/json\r\ncontent-length: 1000\r\n\r\n";
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

/// Everything the server says until it ends the connection.
fn heard(stream: &mut TcpStream) -> String {
    let mut said = Vec::new();
    // A connection that ends with a reset has said what it had to say.
    let _ = stream.read_to_end(&mut said);
    String::from_utf8_lossy(&said).into_owned()
}

#[test]
fn a_head_that_does_not_end_is_cut_off() {
    let (_place, server) = server(&["server.header_timeout_s=1"]);
    let mut stream = connect(&server);
    stream.write_all(b"GET /health/live HTTP/1.1\r\n").unwrap();
    assert!(heard(&mut stream).starts_with("HTTP/1.1 408"));
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
fn a_body_that_drips_is_cut_off_long_before_its_deadline() {
    let (_place, server) = server(&["server.body_timeout_s=300"]);
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
    assert!(said.starts_with("HTTP/1.1 408") && began.elapsed() < PATIENCE, "{said}");
}

#[test]
fn a_head_without_measure_is_refused() {
    let (_place, server) = server(&[]);
    let mut stream = connect(&server);
    let head = format!("GET /health/live HTTP/1.1\r\nhost: devskyy\r\nx-much: {}", "a".repeat(140 * 1_024));
    // The server may stop listening before all of it is sent.
    let _ = stream.write_all(head.as_bytes());
    let said = heard(&mut stream);
    assert!(said.starts_with("HTTP/1.1 431"), "{said}");
}

#[test]
fn what_is_not_http_is_refused() {
    let (_place, server) = server(&[]);
    let mut stream = connect(&server);
    stream.write_all(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n").unwrap();
    assert!(heard(&mut stream).starts_with("HTTP/1.1 400"));
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
