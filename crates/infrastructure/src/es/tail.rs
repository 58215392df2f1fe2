//! Notices that the log has grown, also when another process appended, and tells other processes.

use std::time::Duration;

use devskyy_application::es::Position;
use sea_orm::{
    ConnectionTrait, DatabaseBackend, DatabaseConnection,
    sqlx::{postgres::PgListener, query_scalar},
};
use tokio::{
    sync::watch,
    time::{Instant, timeout},
};

use super::{
    facts::head,
    rows::{loaded, stored},
    statements::statement,
};
use crate::sql::Database;

/// The channel on which PostgreSQL tells other processes that the log has grown.
const CHANNEL: &str = "devskyy_es";
/// Shortest pause between two announcements: a busy log need not say so after each commit.
const BETWEEN: Duration = Duration::from_millis(5);
/// Pause between looks at the log while notifications work, in case one was lost with the process that owed it.
const LOOK: Duration = Duration::from_secs(10);
/// Shortest and longest pause between looks while notifications do not work.
const LOOK_WITHOUT: (Duration, Duration) = (Duration::from_millis(50), Duration::from_secs(1));
/// How long idempotency keys are remembered.
const REMEMBERED: Duration = Duration::from_secs(14 * 24 * 60 * 60);
/// How often forgotten keys are removed.
const SWEEP: Duration = Duration::from_secs(60 * 60);
/// Pause before they are removed the first time.
const FIRST_SWEEP: Duration = Duration::from_secs(1);

/// Follows the log until the task is aborted.
///
/// A log on SQLite belongs to one process, whose own writer tells how far it is: nothing is asked.
pub(super) async fn follow(db: Database, known: watch::Sender<Position>, now: impl Fn() -> i64 + Send) {
    if db.backend() == DatabaseBackend::Postgres {
        tokio::join!(follow_others(&db, &known), keep_forgetting(&db, now));
    } else {
        keep_forgetting(&db, now).await;
    }
}

async fn keep_forgetting(db: &Database, now: impl Fn() -> i64 + Send) {
    tokio::time::sleep(FIRST_SWEEP).await;
    loop {
        forget_keys(db, now()).await;
        tokio::time::sleep(SWEEP).await;
    }
}

/// Takes in what other processes wrote.
async fn follow_others(db: &Database, known: &watch::Sender<Position>) {
    let mut pause = LOOK_WITHOUT.0;
    loop {
        if let Some(mut wire) = listen(db).await {
            while look(&mut wire, known).await && hear(&mut wire, known).await {}
        }
        let grown = match head(&db.reader).await {
            Ok(found) => raise(known, found.position),
            Err(error) => {
                tracing::debug!(%error, "cannot look at the log's head");
                false
            }
        };
        pause = if grown { LOOK_WITHOUT.0 } else { (pause * 2).min(LOOK_WITHOUT.1) };
        tokio::time::sleep(pause).await;
    }
}

/// Looks at the log's head over the wire itself, which needs nothing to be tidied up after each use; false when it broke.
async fn look(wire: &mut PgListener, known: &watch::Sender<Position>) -> bool {
    let newest = "SELECT position FROM es_events ORDER BY position DESC LIMIT 1";
    match query_scalar(newest).fetch_optional(wire).await {
        Ok(position) => {
            raise(known, position.map_or(0, loaded));
            true
        }
        Err(error) => {
            tracing::debug!(%error, "cannot look at the log's head");
            false
        }
    }
}

async fn listen(db: &Database) -> Option<PgListener> {
    let mut listener = PgListener::connect_with(db.reader.get_postgres_connection_pool()).await.ok()?;
    listener.listen(CHANNEL).await.ok()?;
    Some(listener)
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
pub(super) async fn announce(connection: DatabaseConnection, mut written: watch::Receiver<Position>) {
    while written.changed().await.is_ok() {
        let position = *written.borrow_and_update();
        // Nothing is kept of it that would have to reach the disk.
        let notify = format!("SET LOCAL synchronous_commit = off; SELECT pg_notify('{CHANNEL}', '{position}')");
        if let Err(error) = connection.execute_unprepared(&notify).await {
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

async fn forget_keys(db: &Database, now: i64) {
    let before = now.saturating_sub_unsigned(u64::try_from(REMEMBERED.as_micros()).unwrap_or(u64::MAX));
    let delete = "DELETE FROM es_dedup WHERE recorded_at < ?";
    let forgotten = match db.begin().await {
        Ok(tx) => {
            let deleted = tx
                .execute_raw(statement(
                    db.backend(),
                    delete,
                    vec![stored(u64::try_from(before).unwrap_or_default()).into()],
                ))
                .await;
            match deleted {
                Ok(_) => tx.commit().await,
                Err(error) => Err(error),
            }
        }
        Err(error) => Err(error),
    };
    if let Err(error) = forgotten {
        tracing::warn!(%error, "cannot forget old idempotency keys");
    }
}
