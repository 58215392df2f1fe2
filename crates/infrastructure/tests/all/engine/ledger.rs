//! A service on the loopback that records every requested effect, as a real one would: a request with a known
//! idempotency key has no second effect. At `/unsafe` it ignores keys.

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex},
};

use devskyy_testkit::http::read_request;
use tokio::{
    io::AsyncWriteExt as _,
    net::{TcpListener, TcpStream},
};

#[derive(Debug, Default)]
struct Book {
    requests: usize,
    keys: BTreeSet<String>,
    /// Requests without a key, each of which has its effect.
    bare: usize,
    /// Requests whose key it ignored.
    careless: usize,
}

pub(crate) struct Ledger {
    pub(crate) address: String,
    book: Arc<Mutex<Book>>,
}

impl Ledger {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let book = Arc::new(Mutex::new(Book::default()));
        let shared = book.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, shared.clone()));
            }
        });
        Self { address, book }
    }

    pub(crate) fn requests(&self) -> usize {
        self.book.lock().unwrap().requests
    }

    /// Number of effects: one per key, and one per request without one or at `/unsafe`.
    pub(crate) fn effects(&self) -> usize {
        let book = self.book.lock().unwrap();
        book.keys.len() + book.bare + book.careless
    }

    pub(crate) fn bare(&self) -> usize {
        self.book.lock().unwrap().bare
    }
}

/// A response too large for events.
fn large() -> String {
    format!(r#"{{"done":42,"log":"{}"}}"#, "x".repeat(100 * 1024))
}

async fn serve(mut stream: TcpStream, book: Arc<Mutex<Book>>) -> Option<()> {
    let request = read_request(&mut stream, &mut Vec::new()).await?;
    {
        let mut book = book.lock().unwrap();
        book.requests += 1;
        match request.header("idempotency-key") {
            Some(_) if request.head.starts_with("POST /unsafe ") => book.careless += 1,
            Some(key) => drop(book.keys.insert(key.to_owned())),
            None => book.bare += 1,
        }
    }
    let answer = if request.head.contains("/large") { large() } else { r#"{"done":42}"#.to_owned() };
    let head = format!(
        "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
        answer.len()
    );
    stream.write_all((head + &answer).as_bytes()).await.ok()
}
