//! A database server that vanishes silently, as if its machine stopped or its address moved.

use std::{sync::Arc, time::Duration};

use devskyy_application::es::{AppendRequest, EventStore, NewEvent, Precondition, StreamId, StreamWrite};
use devskyy_infrastructure::{es::SqlEventStore, sql::Database, system::SystemClock};
use devskyy_testkit::{contracts::event_store::context, fakes::SequentialIds};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    sync::watch,
    time::timeout,
};

use crate::databases::postgres;

const STREAM: StreamId = StreamId { category: "lamp", id: SequentialIds::nth(1) };
/// Appends before and after the server vanishes.
const EACH: u64 = 20;
/// Longer than the log waits for a silent server, and shorter than any system does.
const SOON: Duration = Duration::from_secs(60);

/// A proxy between the log and PostgreSQL. When the sender's number rises, existing connections fall silent but stay
/// open; new ones get through.
async fn in_between(server: String) -> (u16, watch::Sender<u32>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (port, now) = (listener.local_addr().unwrap().port(), watch::Sender::new(0));
    let times = now.clone();
    tokio::spawn(async move {
        loop {
            let (client, server) = (listener.accept().await.unwrap().0, TcpStream::connect(&server).await.unwrap());
            let since = *times.borrow();
            let ((asks, hears), (answers, takes)) = (client.into_split(), server.into_split());
            tokio::spawn(pass_on(asks, takes, since, times.subscribe()));
            tokio::spawn(pass_on(answers, hears, since, times.subscribe()));
        }
    });
    (port, now)
}

async fn pass_on(
    mut from: tokio::net::tcp::OwnedReadHalf,
    mut to: tokio::net::tcp::OwnedWriteHalf,
    since: u32,
    now: watch::Receiver<u32>,
) {
    let mut bytes = [0; 8_192];
    while let Ok(some @ 1..) = from.read(&mut bytes).await {
        if *now.borrow() > since {
            std::future::pending::<()>().await;
        }
        if to.write_all(&bytes[..some]).await.is_err() {
            break;
        }
    }
}

async fn append(store: &SqlEventStore, before: u64) {
    let event = NewEvent { event_type: "lamp.lit".into(), schema_version: 1, data: format!("{{\"n\":{before}}}") };
    let write = StreamWrite { stream: STREAM, precondition: Precondition::Version(before), events: vec![event] };
    let request = AppendRequest { writes: vec![write], claims: Vec::new(), idempotency: None, context: context() };
    timeout(SOON, store.append(request)).await.unwrap().unwrap();
}

/// The log's connections are silent from the middle of a series of appends on.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs PostgreSQL"]
async fn appends_go_on_without_loss_when_the_server_vanishes_without_a_word() {
    let fresh = postgres().await;
    let (start, rest) = fresh.url.rsplit_once('@').unwrap();
    let (server, database) = rest.split_once('/').unwrap();
    let (port, moved) = in_between(server.to_owned()).await;
    let through = format!("{start}@127.0.0.1:{port}/{database}");
    let store = SqlEventStore::start(Database::connect(&through, 4).await.unwrap(), Arc::new(SystemClock), Vec::new());
    let store = Arc::new(store.await.unwrap());
    for n in 0..EACH {
        append(&store, n).await;
    }
    moved.send_modify(|times| *times += 1);
    for n in EACH..2 * EACH {
        append(&store, n).await;
    }
    let direct = SqlEventStore::start(fresh.db.clone(), Arc::new(SystemClock), Vec::new()).await.unwrap();
    let versions: Vec<_> =
        direct.read_stream(STREAM, 0, 100).await.unwrap().iter().map(|event| event.version).collect();
    assert_eq!(versions, (1..=2 * EACH).collect::<Vec<_>>());
}
