//! Live deltas between processes over PostgreSQL's `NOTIFY`.

use std::time::Duration;

use async_trait::async_trait;
use devskyy_application::{
    error::PortError,
    runs::{Delta, LiveLine, LiveMessage, LiveWire, Spoken},
};
use devskyy_domain::{
    kernel::ids::{OperationId, RunId},
    workflow::StepId,
};
use sea_orm::sqlx::{self, postgres::PgListener};
use serde::{Deserialize, Serialize};

use crate::sql::Database;

const PORT: &str = "live wire";
/// The application name of the connection.
const NAME: &str = "devskyy live";
/// The channel of all processes that share a database.
const CHANNEL: &str = "devskyy_live";
/// Maximum bytes of one notification; PostgreSQL's limit is below 8,000.
const LARGEST: usize = 7_900;
/// Maximum number of runs in one notification, 39 bytes each.
const RUNS: usize = 200;
/// Timeout of PostgreSQL for joining and sending.
const PATIENCE: Duration = Duration::from_secs(3);
/// Each text is a notification; the transaction writes nothing that would have to be flushed to disk.
const SAY: &str = "SELECT pg_notify($1, said) FROM unnest($2::text[]) AS said";

/// The wire between the processes that share a PostgreSQL database; each has one connection for it, apart from the pool
/// for queries and writes.
#[derive(Debug, Clone)]
pub struct PostgresLiveWire {
    db: Database,
}

impl PostgresLiveWire {
    /// The wire of a database; `None` on SQLite, which belongs to one process.
    #[must_use]
    pub fn of(db: Database) -> Option<Self> {
        if db.of_one_process() { None } else { Some(Self { db }) }
    }
}

#[async_trait]
impl LiveWire for PostgresLiveWire {
    async fn join(&self) -> Result<Box<dyn LiveLine>, PortError> {
        let doing = "joining";
        let join = async {
            let mut listener = PgListener::connect_with(&self.db.apart(NAME)).await?;
            // A silent reconnection would hide that notifications were missed; the relay joins again instead.
            listener.eager_reconnect(false);
            listener.listen(CHANNEL).await?;
            let own: i32 = sqlx::query_scalar("SELECT pg_backend_pid()").fetch_one(&mut listener).await?;
            Ok::<_, sqlx::Error>(Line { listener, own: own.cast_unsigned() })
        };
        match tokio::time::timeout(PATIENCE, join).await {
            Ok(joined) => Ok(Box::new(joined.map_err(|error| PortError::transient(PORT, doing, error))?)),
            Err(late) => Err(PortError::transient(PORT, doing, late)),
        }
    }
}

struct Line {
    listener: PgListener,
    /// The server's process id of this connection, by which its own notifications are recognised.
    own: u32,
}

#[async_trait]
impl LiveLine for Line {
    async fn say(&mut self, messages: Vec<LiveMessage>) -> Result<(), PortError> {
        let doing = "saying something";
        let said: Vec<String> = messages.into_iter().flat_map(payloads).collect();
        let say = sqlx::query(SAY).bind(CHANNEL).bind(said).execute(&mut self.listener);
        match tokio::time::timeout(PATIENCE, say).await {
            Ok(said) => said.map(|_| ()).map_err(|error| PortError::transient(PORT, doing, error)),
            Err(late) => Err(PortError::transient(PORT, doing, late)),
        }
    }

    async fn hear(&mut self) -> Result<LiveMessage, PortError> {
        let broken = |error| PortError::transient(PORT, "hearing something", error);
        loop {
            let heard = self.listener.try_recv().await.map_err(broken)?;
            let notification = heard.ok_or_else(|| broken(sqlx::Error::PoolClosed))?;
            if notification.process_id() == self.own {
                continue;
            }
            match serde_json::from_str::<Payload>(notification.payload()) {
                Ok(payload) => return Ok(payload.into()),
                // Another version of the program may send unknown messages.
                Err(error) => tracing::debug!(%error, "a message of another process is not understood"),
            }
        }
    }
}

/// The text of a notification.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Payload {
    Listening(Vec<RunId>),
    Spoken(Piece),
}

#[derive(Clone, Serialize, Deserialize)]
struct Piece {
    run: RunId,
    fence: u64,
    number: u64,
    step: StepId,
    operation: OperationId,
    attempt: u32,
    offset: u64,
    text: String,
}

impl From<Payload> for LiveMessage {
    fn from(payload: Payload) -> Self {
        match payload {
            Payload::Listening(runs) => Self::Listening(runs),
            Payload::Spoken(Piece { run, fence, number, step, operation, attempt, offset, text }) => {
                let delta = Delta { step, operation, attempt, offset, text };
                Self::Spoken(Spoken { run, fence, number, delta })
            }
        }
    }
}

/// A message as texts that each fit into a notification.
fn payloads(message: LiveMessage) -> Vec<String> {
    match message {
        LiveMessage::Listening(runs) => {
            runs.chunks(RUNS).filter_map(|runs| text(&Payload::Listening(runs.to_vec()))).collect()
        }
        LiveMessage::Spoken(Spoken { run, fence, number, delta }) => {
            let Delta { step, operation, attempt, offset, text } = delta;
            let mut texts = Vec::new();
            cut(Piece { run, fence, number, step, operation, attempt, offset, text }, &mut texts);
            texts
        }
    }
}

/// Halves a piece until each part fits: JSON may take up to six bytes per byte of text.
fn cut(mut piece: Piece, texts: &mut Vec<String>) {
    let Some(whole) = text(&Payload::Spoken(piece.clone())) else { return };
    if whole.len() <= LARGEST {
        texts.push(whole);
        return;
    }
    let middle = piece.text.floor_char_boundary(piece.text.len() / 2);
    // The other members are far below the limit, so there is always text to halve.
    if middle > 0 {
        let second = piece.text.split_off(middle);
        let rest = Piece { offset: piece.offset + middle as u64, text: second, ..piece.clone() };
        cut(piece, texts);
        cut(rest, texts);
    }
}

fn text(payload: &Payload) -> Option<String> {
    serde_json::to_string(payload).ok()
}
