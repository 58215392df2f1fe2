//! What can be tested only over a real connection.

use std::{
    io::{Read, Write},
    net::{SocketAddr, TcpStream},
    time::Duration,
};

use actix_web::{HttpServer, dev::ServerHandle, web};
use devskyy_api::{ApiState, app};
use serde_json::{Value, json};

use crate::world::World;

struct Served {
    address: SocketAddr,
    handle: ServerHandle,
}

/// Serves a platform on a free loopback port.
fn serve(state: &ApiState) -> Served {
    let state = state.clone();
    let application = move || app(&state).route("/broken", web::get().to(panics));
    let server = HttpServer::new(application).workers(1).disable_signals().bind(("127.0.0.1", 0)).unwrap();
    let address = server.addrs()[0];
    let server = server.run();
    let handle = server.handle();
    actix_web::rt::spawn(server);
    Served { address, handle }
}

async fn panics() -> &'static str {
    panic!("the cat is out of the bag")
}

impl Served {
    /// Sends bytes and reads until the other side closes, or is silent for long.
    async fn exchange(&self, request: impl Into<Vec<u8>>) -> String {
        let (address, request) = (self.address, request.into());
        let talk = move || {
            let mut connection = TcpStream::connect(address).unwrap();
            connection.set_read_timeout(Some(Duration::from_secs(2))).unwrap();
            connection.write_all(&request).unwrap();
            let (mut answer, mut buffer) = (Vec::new(), [0; 4096]);
            while let Ok(read @ 1..) = connection.read(&mut buffer) {
                answer.extend_from_slice(&buffer[..read]);
            }
            String::from_utf8(answer).unwrap()
        };
        web::block(talk).await.unwrap()
    }

    async fn stop(self) {
        self.handle.stop(false).await;
    }
}

#[track_caller]
fn refused(answer: &str, status: u16, code: &str) {
    assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{answer}");
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    assert!(head.contains("content-type: application/problem+json"), "{answer}");
    let problem: Value = serde_json::from_str(body).unwrap();
    assert_eq!(problem["code"], code, "{problem}");
    assert!(head.contains(&format!("x-request-id: {}", problem["request_id"].as_str().unwrap())), "{answer}");
}

#[actix_web::test]
async fn head_has_the_headers_of_get_and_no_body() {
    let served = serve(&World::new().state);
    let answer = served.exchange("HEAD /health/live HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").await;
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
    assert!(answer.contains("content-length: 17\r\n") && answer.ends_with("\r\n\r\n"), "{answer}");
    served.stop().await;
}

#[actix_web::test]
async fn head_of_an_open_stream_ends_at_once() {
    let world = World::new();
    let ada = world.person("ada").await;
    let agent = world.agent(&ada, "Greeter").await;
    // No worker runs here, so this run stays queued.
    let run = world.post(&format!("/api/v1/agents/{agent}/execute")).by(&ada).json(&json!({})).send().await.expect(202);
    let served = serve(&world.state);
    let request = format!(
        "HEAD /api/v1/runs/{}/events HTTP/1.1\r\nhost: x\r\naccept: text/event-stream\r\n\
         authorization: Bearer {ada}\r\n\r\nGET /health/live HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n",
        run["id"].as_str().unwrap()
    );
    let answers = served.exchange(request).await;
    let (of_stream, next) = answers.split_once("\r\n\r\n").unwrap();
    assert!(of_stream.starts_with("HTTP/1.1 200 OK\r\n") && of_stream.contains("text/event-stream"), "{answers}");
    assert!(next.starts_with("HTTP/1.1 200 OK\r\n") && next.ends_with("\"live\"}"), "{answers}");
    served.stop().await;
}

#[actix_web::test]
async fn a_panic_answers_this_request_and_spares_the_next() {
    let served = serve(&World::new().state);
    let request = "GET /broken HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n";
    for _ in 0..2 {
        refused(&served.exchange(request).await, 500, "internal");
    }
    served.stop().await;
}

#[actix_web::test]
async fn a_body_that_announces_too_much_is_refused_before_it_is_sent() {
    let served = serve(&World::new().state);
    let head = "POST /api/v1/auth/login HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\
                content-type: application/json\r\ncontent-length: 300000\r\n\r\n{";
    refused(&served.exchange(head).await, 413, "request.body_too_large");
    served.stop().await;
}

#[actix_web::test]
async fn a_body_in_chunks_is_bounded_too() {
    let served = serve(&World::new().state);
    let mut request = b"POST /api/v1/auth/login HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\
                        content-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n"
        .to_vec();
    for _ in 0..5 {
        request.extend_from_slice(b"10000\r\n");
        request.extend_from_slice(&[b' '; 0x10000]);
        request.extend_from_slice(b"\r\n");
    }
    refused(&served.exchange(request).await, 413, "request.body_too_large");
    served.stop().await;
}

#[actix_web::test]
async fn a_body_that_does_not_arrive_is_not_waited_for() {
    let mut world = World::new();
    world.state.settings.body_deadline = Duration::from_millis(100);
    let served = serve(&world.state);
    let head = "POST /api/v1/auth/login HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\
                content-type: application/json\r\ncontent-length: 100\r\n\r\n{\"email\"";
    refused(&served.exchange(head).await, 408, "request.timeout");
    served.stop().await;
}

#[actix_web::test]
async fn a_body_that_breaks_off_is_refused() {
    let served = serve(&World::new().state);
    let request = "POST /api/v1/auth/login HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\
                   content-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n5\r\n{\"ema\r\nzz\r\n";
    refused(&served.exchange(request).await, 400, "request.body_unreadable");
    served.stop().await;
}

#[actix_web::test]
async fn a_slow_body_starves_nobody_else() {
    let world = World::new();
    let served = serve(&world.state);
    let slow: Vec<_> = (0..32)
        .map(|_| {
            let mut connection = TcpStream::connect(served.address).unwrap();
            let head = "POST /api/v1/auth/login HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n\
                        content-length: 1000\r\n\r\n{";
            connection.write_all(head.as_bytes()).unwrap();
            connection
        })
        .collect();
    let answer = served.exchange("GET /health/live HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").await;
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
    drop(slow);
    served.stop().await;
}
