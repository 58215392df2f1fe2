//! How many connections model calls use.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use devskyy_application::models::Models as _;
use devskyy_domain::models::ProviderKind;
use devskyy_infrastructure::{
    models::{Endpoint, Patience, ProviderModels, Wire},
    tools::EgressPolicy,
};
use devskyy_testkit::{
    contracts::models::question,
    fakes::{FixedClock, NoDeltas},
    http::read_request,
};
use futures_util::future::join_all;
use tokio::{
    io::AsyncWriteExt as _,
    net::{TcpListener, TcpStream},
    sync::Barrier,
};

const CALLS: usize = 16;
/// Far longer than a connection takes to be ready for the next call.
const REST: Duration = Duration::from_millis(500);

const EVENTS: &str = concat!(
    r#"data: {"id":"x","model":"echo-1","choices":[{"index":0,"delta":{"content":"hm"},"finish_reason":"stop"}]}"#,
    "\n\ndata: [DONE]\n\n"
);

/// A provider that keeps connections, answers so many calls together, and ends each answer soon after its last event.
struct Keeping {
    models: ProviderModels,
    connections: Arc<AtomicUsize>,
}

impl Keeping {
    async fn answering(together: usize) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base_url = format!("http://{}/v1", listener.local_addr().unwrap());
        let connections = Arc::new(AtomicUsize::new(0));
        let (accepted, all) = (connections.clone(), Arc::new(Barrier::new(together)));
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                accepted.fetch_add(1, Ordering::SeqCst);
                tokio::spawn(serve(stream, all.clone()));
            }
        });
        let endpoint = Endpoint { kind: ProviderKind::OpenAi, base_url, key: None, trusted: true, first_byte: None };
        let wire = Wire::new(EgressPolicy::default(), Arc::new(FixedClock::default()), Patience::default()).unwrap();
        Self { models: ProviderModels::new(endpoint, Arc::new(wire)), connections }
    }

    /// Makes so many calls, and waits until the connections are idle.
    async fn asked(&self, calls: usize) {
        let question = question();
        let answers = join_all((0..calls).map(|_| self.models.ask(&question, &NoDeltas))).await;
        assert!(answers.iter().all(Result::is_ok), "{answers:?}");
        tokio::time::sleep(REST).await;
    }
}

async fn serve(mut stream: TcpStream, all: Arc<Barrier>) -> Option<()> {
    stream.set_nodelay(true).ok()?;
    let mut bytes = Vec::new();
    while read_request(&mut stream, &mut bytes).await.is_some() {
        all.wait().await;
        let head = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n";
        let chunk = format!("{head}{:x}\r\n{EVENTS}\r\n", EVENTS.len());
        stream.write_all(chunk.as_bytes()).await.ok()?;
        tokio::time::sleep(Duration::from_millis(20)).await;
        stream.write_all(b"0\r\n\r\n").await.ok()?;
    }
    None
}

#[tokio::test]
async fn as_many_calls_at_once_as_before_use_the_connections_of_those() {
    let provider = Keeping::answering(CALLS).await;
    provider.asked(CALLS).await;
    provider.asked(CALLS).await;
    assert_eq!(provider.connections.load(Ordering::SeqCst), CALLS);
}

#[tokio::test]
async fn a_call_uses_the_connection_of_the_one_before() {
    let provider = Keeping::answering(1).await;
    provider.asked(1).await;
    provider.asked(1).await;
    assert_eq!(provider.connections.load(Ordering::SeqCst), 1);
}
