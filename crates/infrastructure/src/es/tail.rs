//! Notices that the log has grown, also through other processes, and notifies them.

use std::{fmt::Display, future::Future, sync::Arc, time::Duration};

use devskyy_application::es::Position;
use sea_orm::{
    ConnectionTrait, DbErr, RuntimeErr,
    sqlx::{Error, postgres::PgListener, query_as, query_scalar},
};
use tokio::{
    sync::watch,
    time::{Instant, timeout, timeout_at},
};

use super::{
    known::{Found, Known, LOOK as NEWEST},
    reserved::Reserved,
};
use crate::sql::{Database, stored};

/// The channel on which PostgreSQL notifies other processes of appends: one per schema, because notifications reach
/// every session of the database.
const CHANNEL: &str = "SELECT 'devskyy_es_' || oid AS channel FROM pg_namespace WHERE nspname = current_schema()";
/// Shortest pause between two notifications; a busy log need not notify after each commit.
const BETWEEN: Duration = Duration::from_millis(5);
/// Interval of looks at the log while notifications work, in case one was lost with its sender.
const LOOK: Duration = Duration::from_secs(10);
/// Shortest and longest interval of looks while notifications do not work.
const LOOK_WITHOUT: (Duration, Duration) = (Duration::from_millis(50), Duration::from_secs(1));
/// How long PostgreSQL may take to answer; one that vanished never does.
const PATIENCE: Duration = Duration::from_secs(6);

/// Follows other processes' appends until the task is aborted.
pub(super) async fn follow(db: Database, known: Arc<Known>) {
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
        let grown = answered(known.look(&db.reader)).await == Some(true);
        pause = if grown { LOOK_WITHOUT.0 } else { (pause * 2).min(LOOK_WITHOUT.1) };
        tokio::time::sleep(pause).await;
    }
}

/// Looks at a log without other writers whenever its writer found another head than the known one, until the task is
/// aborted. A doubt is signalled only once, so a failed look is repeated until it succeeds.
pub(super) async fn reconsider(db: Database, known: Arc<Known>) {
    loop {
        known.doubted().await;
        while answered(known.look(&db.reader)).await.is_none() {
            tokio::time::sleep(LOOK_WITHOUT.1).await;
        }
    }
}

/// Looks at the log's head over the listener's connection, which needs no cleanup. Returns false if it broke.
async fn look(wire: &mut PgListener, known: &Known) -> bool {
    let looked = known.look_with(|position| async move {
        let found = query_as(NEWEST).bind(stored(position)).fetch_optional(wire).await;
        Found::of(found.map_err(|error| DbErr::Query(RuntimeErr::SqlxError(error.into())))?)
    });
    answered(looked).await.is_some()
}

/// The result of a query to PostgreSQL; `None` if it fails or times out.
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
        let channel: String = query_scalar(CHANNEL).fetch_one(&mut listener).await?;
        listener.listen(&channel).await?;
        Ok(listener)
    };
    timeout(PATIENCE, listen).await.unwrap_or(Err(Error::PoolTimedOut))
}

/// Waits for a reason to look at the log: a notification, an append of this process after an unknown head, or much time
/// has passed. Returns false if the connection broke. Any session can send notifications, so they are only hints.
async fn hear(wire: &mut PgListener, known: &Known) -> bool {
    let until = Instant::now() + LOOK;
    loop {
        let heard = tokio::select! {
            heard = timeout_at(until, wire.try_recv()) => heard,
            () = known.doubted() => return true,
        };
        match heard {
            Ok(Ok(Some(notification))) => {
                let news = |payload: &str| payload.parse().is_ok_and(|position: Position| position > known.position());
                let mut grown = news(notification.payload());
                // One look covers all buffered notifications.
                while let Some(next) = wire.next_buffered() {
                    grown |= news(next.payload());
                }
                if grown {
                    return true;
                }
            }
            Ok(Ok(None) | Err(_)) => return false,
            Err(_) => return true,
        }
    }
}

/// Notifies other processes, over PostgreSQL, of this one's appends, until there will be no more. Appends do not depend
/// on it: a process that misses a notification looks at the log within [`LOOK`].
pub(super) async fn announce(reserved: Arc<Reserved>, mut written: watch::Receiver<Position>) {
    while written.changed().await.is_ok() {
        let position = *written.borrow_and_update();
        // It stores nothing that would have to reach the disk.
        let notify = format!(
            "SET LOCAL synchronous_commit = off; SELECT pg_notify(channel, '{position}') FROM ({CHANNEL}) here"
        );
        let connection = reserved.current();
        if let Err(error) = reserved.within(connection.execute_unprepared(&notify)).await {
            tracing::debug!(%error, "cannot announce what was written");
        }
        tokio::time::sleep(BETWEEN).await;
    }
}
