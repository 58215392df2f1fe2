//! A service on the loopback that returns the credential it received: below `/loud` so often that the result is too
//! large for events, and for model calls as the reason of a refusal.

use std::sync::{Arc, Mutex};

use devskyy_testkit::http::read_request;
use tokio::{
    io::AsyncWriteExt as _,
    net::{TcpListener, TcpStream},
};

/// A running service.
pub(crate) struct Echo {
    pub(crate) address: String,
    heard: Arc<Mutex<Vec<String>>>,
}

impl Echo {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let heard = Arc::new(Mutex::new(Vec::new()));
        let shared = heard.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, shared.clone()));
            }
        });
        Self { address, heard }
    }

    /// The `Authorization` of each request.
    pub(crate) fn heard(&self) -> Vec<String> {
        self.heard.lock().unwrap().clone()
    }
}

/// How often it is repeated.
const LOUD: usize = 10_000;

async fn serve(mut stream: TcpStream, heard: Arc<Mutex<Vec<String>>>) -> Option<()> {
    let mut buffer = Vec::new();
    loop {
        let request = read_request(&mut stream, &mut buffer).await?;
        let authorization = request.header("authorization")?.to_owned();
        heard.lock().unwrap().push(authorization.clone());
        let times = if request.head.starts_with("GET /loud") { LOUD } else { 1 };
        let answer = authorization.repeat(times);
        let length = answer.len();
        let status = if request.head.starts_with("POST /v1/chat") { "401 Unauthorized" } else { "200 OK" };
        let answer =
            format!("HTTP/1.1 {status}\r\nContent-Type: text/plain\r\nContent-Length: {length}\r\n\r\n{answer}");
        stream.write_all(answer.as_bytes()).await.ok()?;
    }
}
