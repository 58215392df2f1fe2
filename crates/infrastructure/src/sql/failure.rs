use std::{
    error::Error,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use devskyy_application::error::PortError;
use sea_orm::{DbErr, RuntimeErr, SqlxError};

/// What PostgreSQL answers to whoever writes where nobody may: the server was demoted, and its connections with it.
const READ_ONLY: &str = "25006";
/// What PostgreSQL answers to whoever keeps it busy for longer than it may.
const TOO_LONG: &str = "57014";
/// When a server was last found to be another one, or gone.
static LEFT: Mutex<Option<Instant>> = Mutex::new(None);

/// Whether a connection of that age leads to a server that has turned out since to be gone, or read-only.
pub(super) fn leads_nowhere(age: Duration) -> bool {
    LEFT.lock().unwrap_or_else(PoisonError::into_inner).is_some_and(|since| age >= since.elapsed())
}

/// Has every connection of now left for a new one before it is used again: where one turned out to be broken, so are the
/// others of its time, and each would fail somebody's request to say so.
pub(crate) fn leave() {
    *LEFT.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
}

/// A port, by the name that failures of its SQL adapter carry.
#[derive(Debug, Clone, Copy)]
pub struct Port(pub &'static str);

impl Port {
    /// Turns a database failure into the port's: transient if the same statement may succeed later.
    pub fn failed(self, doing: &'static str) -> impl Fn(DbErr) -> PortError {
        move |error| {
            let retryable = is_transient(&error);
            PortError { port: self.0, doing, retryable, source: error.into() }
        }
    }

    /// Turns any other failure into the port's; trying again does not help.
    pub(crate) fn bug<E: Into<Box<dyn Error + Send + Sync>>>(self, doing: &'static str) -> impl Fn(E) -> PortError {
        move |error| PortError::bug(self.0, doing, error)
    }

    /// The failure to read a stored value that is none of its type's.
    pub(crate) fn damaged(self, doing: &'static str, value: &str) -> PortError {
        PortError::bug(self.0, doing, format!("`{value}` is no such value"))
    }
}

/// Whether the same statement may succeed later: the server is away, busy, or broke a tie against us. Where it is away or
/// was demoted, the connections of its time are not used again.
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

/// Whether a transaction was refused a lock that others hold: it waited as long as it was told to, or each waited for the
/// other (55P03, 40P01).
pub(super) fn lost_a_lock(error: &DbErr) -> bool {
    let (DbErr::Conn(failed) | DbErr::Exec(failed) | DbErr::Query(failed)) = error else { return false };
    let RuntimeErr::SqlxError(failed) = failed else { return false };
    failed.as_database_error().and_then(|error| error.code()).is_some_and(|code| ["55P03", "40P01"].contains(&&*code))
}

/// Whether PostgreSQL gave a statement up because it took longer than its limit, or was told to (57014).
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

/// PostgreSQL's codes have five characters (08 connection, 40 tie, 53 resources, 57 operator, of which 57P0x say that the
/// server goes, 55P03 lock, 25P03 idle, 25006 read-only); SQLite's are numbers whose last byte is the kind (busy, locked, disk failure, disk full).
fn is_transient_code(code: &str) -> bool {
    match code.parse::<u32>() {
        Ok(number) if code.len() < 5 => matches!(number & 0xff, 5 | 6 | 10 | 13),
        _ => ["08", "40", "53", "57", "55P03", "25P03", READ_ONLY].iter().any(|class| code.starts_with(class)),
    }
}
