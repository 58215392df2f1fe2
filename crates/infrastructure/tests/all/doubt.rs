//! A database server that is lost in the middle of a commit, and stays away.

use std::{sync::Arc, time::Duration};

use devskyy_application::es::AppendError;
use devskyy_infrastructure::{es::SqlEventStore, sql::Database, system::SystemClock};
use devskyy_testkit::contracts::event_store::{Request, key, lamp};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    sync::watch,
    time::timeout,
};

use crate::databases::postgres;

/// Longer than the log retries.
const SOON: Duration = Duration::from_secs(60);

/// A proxy between the log and PostgreSQL until it sees a commit. Then every connection breaks and none is accepted any
/// more; `heard` decides whether PostgreSQL receives the commit.
async fn until_a_commit(server: String, heard: bool) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (port, lost) = (listener.local_addr().unwrap().port(), watch::Sender::new(false));
    tokio::spawn(async move {
        loop {
            let client = listener.accept().await.unwrap().0;
            if !*lost.borrow() {
                let server = TcpStream::connect(&server).await.unwrap();
                tokio::spawn(pass_on(client, server, lost.clone(), heard));
            }
        }
    });
    port
}

async fn pass_on(mut client: TcpStream, mut server: TcpStream, lost: watch::Sender<bool>, heard: bool) {
    let ((mut asks, mut hears), (mut answers, mut takes)) = (client.split(), server.split());
    let there = async {
        let mut bytes = [0; 8_192];
        while let Ok(some @ 1..) = asks.read(&mut bytes).await {
            let commits = bytes[..some].windows(6).any(|word| word == b"COMMIT");
            if !commits || heard {
                takes.write_all(&bytes[..some]).await.unwrap();
            }
            if commits {
                lost.send_replace(true);
            }
        }
    };
    let mut over = lost.subscribe();
    tokio::select! {
        biased;
        _ = over.wait_for(|lost| *lost) => {}
        () = there => {}
        _ = tokio::io::copy(&mut answers, &mut hears) => {}
    }
    // PostgreSQL's response to the commit is dropped.
    let _ = timeout(Duration::from_millis(500), answers.read(&mut [0; 64])).await;
}

/// Appends over a connection that is lost with the commit, and again under the same key over another; returns whether
/// the first outcome was unknown, and whether the second append had been recorded already.
async fn told(heard: bool) -> (bool, bool) {
    let fresh = postgres().await;
    let (start, rest) = fresh.url.rsplit_once('@').unwrap();
    let (server, database) = rest.split_once('/').unwrap();
    let port = until_a_commit(server.to_owned(), heard).await;
    let through = Database::connect(&format!("{start}@127.0.0.1:{port}/{database}"), 4).await.unwrap();
    let store = SqlEventStore::start(through, Arc::new(SystemClock), Vec::new()).await.unwrap();
    let request = Request::to(lamp(1), &["a"]).under(key(1, "once", 1));
    let first = timeout(SOON, request.clone().ask(&store)).await.unwrap();
    let direct = SqlEventStore::start(fresh.db.clone(), Arc::new(SystemClock), Vec::new()).await.unwrap();
    let again = request.ask(&direct).await.unwrap();
    (matches!(first, Err(AppendError::Unknown(_))), again.replayed)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs PostgreSQL"]
async fn a_commit_whose_answer_is_lost_is_told_to_be_unknown_and_found_under_its_key() {
    assert_eq!(told(true).await, (true, true));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs PostgreSQL"]
async fn a_commit_that_never_arrives_is_told_to_be_unknown_and_made_under_its_key() {
    assert_eq!(told(false).await, (true, false));
}
