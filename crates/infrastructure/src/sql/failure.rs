use std::{
    error::Error,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use devskyy_application::error::PortError;
use sea_orm::{DbErr, RuntimeErr, SqlxError};

/// PostgreSQL's error for writes to a read-only server: it was demoted, and so were its connections.
const READ_ONLY: &str = "25006";
/// PostgreSQL's error for statements that exceed their time limit.
const TOO_LONG: &str = "57014";
/// When a server was last found to be gone or demoted.
static LEFT: Mutex<Option<Instant>> = Mutex::new(None);

/// Whether a connection of that age leads to a server that has since been found to be gone or read-only.
pub(super) fn leads_nowhere(age: Duration) -> bool {
    LEFT.lock().unwrap_or_else(PoisonError::into_inner).is_some_and(|since| age >= since.elapsed())
}

/// Discards all present connections before their next use: if one is broken, so are the others of its time, and each
/// would fail a request before it is replaced.
pub(crate) fn leave() {
    *LEFT.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
}

/// A port, by the name that errors of its SQL adapter carry.
#[derive(Debug, Clone, Copy)]
pub struct Port(pub &'static str);

impl Port {
    /// Converts a database error to the port's: retryable if the same statement may succeed later.
    pub fn failed(self, doing: &'static str) -> impl Fn(DbErr) -> PortError {
        move |error| {
            let retryable = is_transient(&error);
            PortError { port: self.0, doing, retryable, source: error.into() }
        }
    }

    /// Converts any other error to the port's, not retryable.
    pub(crate) fn bug<E: Into<Box<dyn Error + Send + Sync>>>(self, doing: &'static str) -> impl Fn(E) -> PortError {
        move |error| PortError::bug(self.0, doing, error)
    }

    /// The error for a stored value that is invalid for its type.
    pub(crate) fn damaged(self, doing: &'static str, value: &str) -> PortError {
        PortError::bug(self.0, doing, format!("`{value}` is no such value"))
    }
}

/// Whether the same statement may succeed later: the server is unavailable, busy, or resolved a conflict against it. If
/// the server is gone or was demoted, existing connections are discarded.
#[must_use]
pub fn is_transient(error: &DbErr) -> bool {
    let (DbErr::Conn(failed) | DbErr::Exec(failed) | DbErr::Query(failed)) = error else {
        return matches!(error, DbErr::ConnectionAcquire(_));
    };
    let RuntimeErr::SqlxError(failed) = failed else { return matches!(error, DbErr::Conn(_)) };
    if has_left(failed) {
        leave();
    }
    matches!(error, DbErr::Conn(_)) || is_transient_in_driver(failed)
}

/// Whether a transaction failed to get a lock: it reached its lock timeout or deadlocked (55P03, 40P01).
pub(super) fn lost_a_lock(error: &DbErr) -> bool {
    let (DbErr::Conn(failed) | DbErr::Exec(failed) | DbErr::Query(failed)) = error else { return false };
    let RuntimeErr::SqlxError(failed) = failed else { return false };
    failed.as_database_error().and_then(|error| error.code()).is_some_and(|code| ["55P03", "40P01"].contains(&&*code))
}

/// Whether PostgreSQL cancelled a statement, because of its time limit or on request (57014).
#[must_use]
pub(crate) fn took_too_long(error: &DbErr) -> bool {
    let (DbErr::Exec(RuntimeErr::SqlxError(failed)) | DbErr::Query(RuntimeErr::SqlxError(failed))) = error else {
        return false;
    };
    matches!(&**failed, SqlxError::Database(error) if error.code().is_some_and(|code| code == TOO_LONG))
}

fn has_left(error: &SqlxError) -> bool {
    match error {
        SqlxError::Io(_) => true,
        SqlxError::Database(error) => error.code().is_some_and(|code| code == READ_ONLY || code.starts_with("57P0")),
        _ => false,
    }
}

fn is_transient_in_driver(error: &SqlxError) -> bool {
    match error {
        SqlxError::Io(_)
        | SqlxError::Tls(_)
        | SqlxError::Protocol(_)
        | SqlxError::PoolTimedOut
        | SqlxError::PoolClosed
        | SqlxError::WorkerCrashed => true,
        SqlxError::Database(error) => error.code().is_some_and(|code| is_transient_code(&code)),
        _ => false,
    }
}

/// PostgreSQL's codes have five characters: 08 connection, 40 rollback, 53 resources, 57 operator (57P0x: the server
/// shuts down), 55P03 lock, 25P03 idle, 25006 read-only. SQLite's are numbers whose last byte is the kind: busy,
/// locked, disk failure, disk full.
fn is_transient_code(code: &str) -> bool {
    match code.parse::<u32>() {
        Ok(number) if code.len() < 5 => matches!(number & 0xff, 5 | 6 | 10 | 13),
        _ => ["08", "40", "53", "57", "55P03", "25P03", READ_ONLY].iter().any(|class| code.starts_with(class)),
    }
}
