//! A model provider for tests: a real server that implements a vendor's protocol as documented, refuses what the vendor
//! refuses, and fails in all the ways providers fail.

mod anthropic;
mod law;
mod openai;

use std::{
    collections::{BTreeMap, VecDeque},
    io,
    net::SocketAddr,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use devskyy_domain::models::ProviderKind;
use serde_json::Value;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
};

use crate::{
    contracts::models::{Act, Reply, Stage},
    http::read_request,
};

/// A request as received.
#[derive(Debug, Clone, PartialEq)]
pub struct Received {
    /// The request line without the HTTP version.
    pub request: String,
    /// Headers by lower-case name.
    pub headers: BTreeMap<String, String>,
    /// The body; null without one.
    pub body: Value,
}

/// The behaviour for a request without a prepared one, by the request's body.
type Play = dyn Fn(&Value) -> Option<Act> + Send + Sync;

/// A model provider for tests.
pub struct ModelServer {
    kind: ProviderKind,
    address: SocketAddr,
    acts: Mutex<VecDeque<Act>>,
    play: Box<Play>,
    received: Mutex<Vec<Received>>,
    hung_up: AtomicUsize,
    pause: Mutex<Duration>,
    minds: Mutex<law::Minds>,
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl ModelServer {
    /// Starts a provider on a free local port; it ends with the test's runtime.
    ///
    /// # Errors
    /// When no port is available.
    pub async fn start(kind: ProviderKind) -> io::Result<Arc<Self>> {
        Self::playing(kind, |_| None).await
    }

    /// Starts a provider whose behaviour depends on the request, for tests in which the order of requests is unknown.
    ///
    /// # Errors
    /// When no port is available.
    pub async fn playing(
        kind: ProviderKind,
        play: impl Fn(&Value) -> Option<Act> + Send + Sync + 'static,
    ) -> io::Result<Arc<Self>> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let (acts, received, hung_up) = (Mutex::default(), Mutex::default(), AtomicUsize::new(0));
        let (address, play) = (listener.local_addr()?, Box::new(play));
        let (pause, minds) = (Mutex::default(), Mutex::default());
        let server = Arc::new(Self { kind, address, acts, play, received, hung_up, pause, minds });
        let serving = server.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let serving = serving.clone();
                tokio::spawn(async move { serving.serve(stream).await });
            }
        });
        Ok(server)
    }

    /// The base URL to configure.
    #[must_use]
    pub fn base_url(&self) -> String {
        let path = match self.kind {
            ProviderKind::OpenAi => "/v1",
            ProviderKind::Anthropic => "",
        };
        format!("http://{}{path}", self.address)
    }

    /// Pauses after each piece of an answer from now on.
    pub fn speak_slowly(&self, pause: Duration) {
        *locked(&self.pause) = pause;
    }

    /// All requests so far.
    #[must_use]
    pub fn received(&self) -> Vec<Received> {
        locked(&self.received).clone()
    }

    /// Why such a provider refuses a request, whatever behaviour is prepared; `None` if it accepts it.
    #[must_use]
    pub fn refusal(kind: ProviderKind, question: &Value) -> Option<String> {
        law::refusal(kind, question, &law::Minds::default())
    }

    async fn serve(&self, mut stream: TcpStream) {
        let Some(received) = read(&mut stream).await else { return };
        let listing = received.request.starts_with("GET ");
        let refusal = law::refusal(self.kind, &received.body, &locked(&self.minds)).filter(|_| !listing);
        if let Some(why) = refusal {
            locked(&self.received).push(received);
            if document(&mut stream, 400, None, &self.refused(&why)).await.is_err() {
                self.hung_up.fetch_add(1, Ordering::SeqCst);
            }
            return;
        }
        let prepared = if listing { None } else { locked(&self.acts).pop_front() };
        let act = prepared.or_else(|| if listing { None } else { (self.play)(&received.body) });
        let stranger = listing && received.headers.values().any(|value| value.ends_with("wrong-key"));
        locked(&self.received).push(received);
        let done = match act {
            None if stranger => document(&mut stream, 401, None, &self.fault("invalid_api_key")).await,
            None => document(&mut stream, 200, None, r#"{"data":[{"id":"echo-1"},{"id":"echo-2"}]}"#).await,
            Some(act) => self.play(&mut stream, act).await,
        };
        if done.is_err() {
            self.hung_up.fetch_add(1, Ordering::SeqCst);
        }
    }

    async fn play(&self, stream: &mut TcpStream, act: Act) -> io::Result<()> {
        match act {
            Act::Stops(reason) => {
                begin(stream).await?;
                send(stream, self.ending(reason).concat().as_bytes(), 0).await?;
                stream.write_all(b"0\r\n\r\n").await
            }
            Act::Answer(reply) => {
                let cut = reply.cut;
                let called =
                    reply.mind.into_iter().flat_map(|mind| reply.calls.iter().map(move |call| (call.id, mind)));
                locked(&self.minds).extend(called.map(|(call, mind)| (call.to_owned(), mind.to_owned())));
                begin(stream).await?;
                let pause = *locked(&self.pause);
                if pause.is_zero() {
                    send(stream, self.events(&reply).concat().as_bytes(), cut).await?;
                } else {
                    for event in self.events(&reply) {
                        send(stream, event.as_bytes(), cut).await?;
                        tokio::time::sleep(pause).await;
                    }
                }
                stream.write_all(b"0\r\n\r\n").await
            }
            Act::Status { status, retry_after, code } => document(stream, status, retry_after, &self.fault(code)).await,
            Act::Silence => silence(stream).await,
            Act::Stall(said) => {
                self.say(stream, said).await?;
                silence(stream).await
            }
            Act::BreakOff(said) => self.say(stream, said).await,
            Act::Nonsense => {
                begin(stream).await?;
                send(stream, b"data: <html>Bad gateway</html>\n\n", 0).await?;
                stream.write_all(b"0\r\n\r\n").await
            }
            Act::Endless => {
                begin(stream).await?;
                let more = vec![b'x'; 1 << 20];
                loop {
                    send(stream, &more, 0).await?;
                }
            }
        }
    }

    /// Begins an answer without ending it.
    async fn say(&self, stream: &mut TcpStream, said: &'static str) -> io::Result<()> {
        begin(stream).await?;
        send(stream, self.opening(said).concat().as_bytes(), 0).await
    }

    fn events(&self, reply: &Reply) -> Vec<String> {
        match self.kind {
            ProviderKind::OpenAi => openai::events(reply),
            ProviderKind::Anthropic => anthropic::events(reply),
        }
    }

    /// An answer that stops for this reason.
    fn ending(&self, reason: &str) -> Vec<String> {
        match self.kind {
            ProviderKind::OpenAi => openai::ending(reason),
            ProviderKind::Anthropic => anthropic::ending(reason),
        }
    }

    fn refused(&self, why: &str) -> String {
        match self.kind {
            ProviderKind::OpenAi => openai::refused(why),
            ProviderKind::Anthropic => anthropic::refused(why),
        }
    }

    fn opening(&self, said: &'static str) -> Vec<String> {
        match self.kind {
            ProviderKind::OpenAi => openai::opening(said),
            ProviderKind::Anthropic => anthropic::opening(said),
        }
    }

    fn fault(&self, code: &str) -> String {
        match self.kind {
            ProviderKind::OpenAi => openai::fault(code),
            ProviderKind::Anthropic => anthropic::fault(code),
        }
    }
}

#[async_trait]
impl Stage for ModelServer {
    fn prepare(&self, act: Act) {
        locked(&self.acts).push_back(act);
    }

    async fn hung_up(&self) {
        while self.hung_up.load(Ordering::SeqCst) == 0 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
}

/// Reads the next request on a connection.
pub(super) async fn read(stream: &mut TcpStream) -> Option<Received> {
    let request = read_request(stream, &mut Vec::new()).await?;
    let headers = request.headers().map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned())).collect();
    let first = request.head.lines().next()?.trim_end_matches(" HTTP/1.1").to_owned();
    let body = serde_json::from_slice(&request.body).unwrap_or(Value::Null);
    Some(Received { request: first, headers, body })
}

async fn document(stream: &mut TcpStream, status: u16, retry_after: Option<&str>, body: &str) -> io::Result<()> {
    let wait = retry_after.map(|wait| format!("retry-after: {wait}\r\n")).unwrap_or_default();
    let away = if status == 307 { "location: http://127.0.0.1:1/v1/elsewhere\r\n" } else { "" };
    let length = body.len();
    let head = format!("HTTP/1.1 {status} Said\r\ncontent-type: application/json\r\n{wait}{away}");
    stream.write_all(format!("{head}content-length: {length}\r\nconnection: close\r\n\r\n{body}").as_bytes()).await
}

async fn begin(stream: &mut TcpStream) -> io::Result<()> {
    let head = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream; charset=utf-8\r\nconnection: close\r\n";
    stream.write_all(format!("{head}transfer-encoding: chunked\r\n\r\n").as_bytes()).await
}

async fn send(stream: &mut TcpStream, bytes: &[u8], cut: usize) -> io::Result<()> {
    for part in bytes.chunks(if cut == 0 { bytes.len().max(1) } else { cut }) {
        let mut chunk = format!("{:x}\r\n", part.len()).into_bytes();
        chunk.extend_from_slice(part);
        chunk.extend_from_slice(b"\r\n");
        stream.write_all(&chunk).await?;
        stream.flush().await?;
    }
    Ok(())
}

/// Sends nothing until the client closes the connection, which is an error.
async fn silence(stream: &mut TcpStream) -> io::Result<()> {
    let mut byte = [0];
    match stream.read(&mut byte).await? {
        0 => Err(io::ErrorKind::ConnectionReset.into()),
        _ => Ok(()),
    }
}
