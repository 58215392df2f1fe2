//! Notices that the log has grown, also when another process appended, and tells other processes.

use std::{fmt::Display, future::Future, sync::Arc, time::Duration};

use devskyy_application::es::Position;
use sea_orm::{
    ConnectionTrait,
    sqlx::{Error, postgres::PgListener, query_scalar},
};
use tokio::{
    sync::watch,
    time::{Instant, timeout},
};

use super::{facts::head, reserved::Reserved};
use crate::sql::{Database, loaded};

/// The channel on which PostgreSQL tells other processes that the log has grown.
const CHANNEL: &str = "devskyy_es";
/// Shortest pause between two announcements: a busy log need not say so after each commit.
const BETWEEN: Duration = Duration::from_millis(5);
/// Pause between looks at the log while notifications work, in case one was lost with the process that owed it.
const LOOK: Duration = Duration::from_secs(10);
/// Shortest and longest pause between looks while notifications do not work.
const LOOK_WITHOUT: (Duration, Duration) = (Duration::from_millis(50), Duration::from_secs(1));
/// How long PostgreSQL may take to answer: one that vanished without a word never does.
const PATIENCE: Duration = Duration::from_secs(6);

/// Takes in what other processes wrote until the task is aborted.
pub(super) async fn follow(db: Database, known: watch::Sender<Position>) {
    let (mut pause, mut deaf) = (LOOK_WITHOUT.0, false);
    loop {
        match listen(&db).await {
            Ok(mut wire) => {
                deaf = false;
                while look(&mut wire, &known).await && hear(&mut wire, &known).await {}
            }
            Err(error) if !deaf => {
                tracing::warn!(%error, "cannot listen for what other processes write; looking at the log every second instead");
                deaf = true;
            }
            Err(_) => {}
        }
        let grown = answered(head(&db.reader)).await.is_some_and(|found| raise(&known, found.position));
        pause = if grown { LOOK_WITHOUT.0 } else { (pause * 2).min(LOOK_WITHOUT.1) };
        tokio::time::sleep(pause).await;
    }
}

/// Looks at the log's head over the wire itself, which needs nothing to be tidied up after each use; false when it broke.
async fn look(wire: &mut PgListener, known: &watch::Sender<Position>) -> bool {
    let newest = "SELECT position FROM es_events ORDER BY position DESC LIMIT 1";
    let found = answered(query_scalar(newest).fetch_optional(wire)).await;
    if let Some(position) = found {
        raise(known, position.map_or(0, loaded));
    }
    found.is_some()
}

/// What PostgreSQL says about the log's head; nothing when it fails or is silent.
async fn answered<T, E: Display>(asked: impl Future<Output = Result<T, E>>) -> Option<T> {
    let error = match timeout(PATIENCE, asked).await {
        Ok(Ok(answer)) => return Some(answer),
        Ok(Err(error)) => error.to_string(),
        Err(late) => late.to_string(),
    };
    tracing::debug!(error, "cannot look at the log's head");
    None
}

async fn listen(db: &Database) -> Result<PgListener, Error> {
    let listen = async {
        let mut listener = PgListener::connect_with(db.reader.get_postgres_connection_pool()).await?;
        listener.listen(CHANNEL).await?;
        Ok(listener)
    };
    timeout(PATIENCE, listen).await.unwrap_or(Err(Error::PoolTimedOut))
}

/// Takes in notifications for a while; false when the wire broke.
async fn hear(wire: &mut PgListener, known: &watch::Sender<Position>) -> bool {
    let until = Instant::now() + LOOK;
    loop {
        match timeout(until.saturating_duration_since(Instant::now()), wire.try_recv()).await {
            Ok(Ok(Some(notification))) => {
                if let Ok(position) = notification.payload().parse() {
                    raise(known, position);
                }
            }
            Ok(Ok(None) | Err(_)) => return false,
            Err(_) => return true,
        }
    }
}

/// Tells other processes, over PostgreSQL, how far this one has written, until nothing more will be. It has no part in
/// the append: whoever misses an announcement looks for himself within [`LOOK`].
pub(super) async fn announce(reserved: Arc<Reserved>, mut written: watch::Receiver<Position>) {
    while written.changed().await.is_ok() {
        let position = *written.borrow_and_update();
        // Nothing is kept of it that would have to reach the disk.
        let notify = format!("SET LOCAL synchronous_commit = off; SELECT pg_notify('{CHANNEL}', '{position}')");
        let connection = reserved.current();
        if let Err(error) = reserved.within(connection.execute_unprepared(&notify)).await {
            tracing::debug!(%error, "cannot announce what was written");
        }
        tokio::time::sleep(BETWEEN).await;
    }
}

/// The head only ever rises. True when it did.
pub(super) fn raise(known: &watch::Sender<Position>, position: Position) -> bool {
    known.send_if_modified(|head| {
        let grown = position > *head;
        *head = position.max(*head);
        grown
    })
}
