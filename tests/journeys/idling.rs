//! The PostgreSQL statements of an idle process, counted on the wire.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _, copy},
    net::{
        TcpListener, TcpStream,
        tcp::{OwnedReadHalf, OwnedWriteHalf},
    },
};

use crate::{
    client::Client,
    clustered::Fresh,
    server::Server,
    tracker::Tracker,
    workers::{worker, worker_with},
};

/// Long enough for what is done once after a start.
const SETTLED: Duration = Duration::from_secs(12);
/// How long statements are counted: longer than all pauses except of housekeeping, which first runs after a minute.
const COUNTED: Duration = Duration::from_secs(36);

/// The statements sent over the wire.
type Heard = Arc<Mutex<Vec<String>>>;

/// A proxy between servers and PostgreSQL that records statements; returns its port.
async fn eavesdrop(postgres: String) -> (u16, Heard) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (port, heard) = (listener.local_addr().unwrap().port(), Heard::default());
    let told = heard.clone();
    tokio::spawn(async move {
        loop {
            let (client, server) = (listener.accept().await.unwrap().0, TcpStream::connect(&postgres).await.unwrap());
            let ((asks, mut hears), (mut answers, server)) = (client.into_split(), server.into_split());
            tokio::spawn(pass_on(asks, server, told.clone()));
            tokio::spawn(async move { copy(&mut answers, &mut hears).await });
        }
    });
    (port, heard)
}

/// Forwards a client's messages (PostgreSQL's protocol, version 3: after the startup message, messages of a type and a
/// length), and records each statement: those of a simple query one by one, and each execution of a prepared one.
async fn pass_on(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, heard: Heard) -> std::io::Result<()> {
    const ENCRYPTION: [u8; 4] = 80_877_103u32.to_be_bytes();
    let mut opened = false;
    let mut parsed = String::new();
    loop {
        let kind = if opened { Some(from.read_u8().await?) } else { None };
        let length = from.read_u32().await?;
        let mut body = vec![0; length as usize - 4];
        from.read_exact(&mut body).await?;
        opened = opened || body.get(..4) != Some(&ENCRYPTION);
        let text = String::from_utf8_lossy(&body);
        match kind {
            Some(b'Q') => {
                let statements = text.trim_end_matches('\0').split(';').map(str::trim).filter(|it| !it.is_empty());
                heard.lock().unwrap().extend(statements.map(str::to_owned));
            }
            Some(b'P') => parsed = text.replace('\0', " "),
            Some(b'E') => heard.lock().unwrap().push(format!("execute, last prepared: {parsed:.80}")),
            _ => {}
        }
        to.write_all(&kind.into_iter().chain(length.to_be_bytes()).chain(body).collect::<Vec<_>>()).await?;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs PostgreSQL"]
async fn an_idle_server_asks_postgresql_less_than_once_a_second() {
    let (place, database) = (tempfile::tempdir().unwrap(), Fresh::make());
    let (port, heard) = eavesdrop(database.address()).await;
    let server = Server::start_with(place.path(), |command| {
        database.choose(command);
        command.env("DEVSKYY_DATABASE__URL", database.url_by(port));
    });
    Client::administrator(&server).await;
    is_quiet(&heard).await;
}

/// The first worker holds every lease; the other one requests them repeatedly.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs PostgreSQL"]
async fn an_idle_worker_beside_another_asks_postgresql_less_than_once_a_second() {
    let (place, tracker, database) =
        (tempfile::tempdir().unwrap(), Tracker::start(Duration::ZERO).await, Fresh::make());
    let (port, heard) = eavesdrop(database.address()).await;
    let _first = worker(&place.path().join("first"), &database, &tracker);
    let _other = worker_with(&place.path().join("other"), &database, &tracker, |command| {
        command.env("DEVSKYY_DATABASE__URL", database.url_by(port));
    });
    is_quiet(&heard).await;
}

async fn is_quiet(heard: &Heard) {
    tokio::time::sleep(SETTLED).await;
    assert!(!std::mem::take(&mut *heard.lock().unwrap()).is_empty(), "statements are heard");
    tokio::time::sleep(COUNTED).await;
    let heard = heard.lock().unwrap().clone();
    let once_a_second = usize::try_from(COUNTED.as_secs()).unwrap();
    assert!((1..once_a_second).contains(&heard.len()), "{} statements in {COUNTED:?}: {heard:#?}", heard.len());
}
