use std::{
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use devskyy_application::error::PortError;
use sea_orm::{DbErr, RuntimeErr, SqlxError};

/// What PostgreSQL answers to whoever writes where nobody may: the server was demoted, and its connections with it.
const READ_ONLY: &str = "25006";
/// When a server was last found to be read-only.
static DEMOTED: Mutex<Option<Instant>> = Mutex::new(None);

/// Whether a connection of that age leads to a server that has turned out to be read-only since.
pub(super) fn leads_nowhere(age: Duration) -> bool {
    DEMOTED.lock().unwrap_or_else(PoisonError::into_inner).is_some_and(|since| age >= since.elapsed())
}

/// Turns a database failure into a port's, telling what may pass from what will not.
#[must_use]
pub fn port_error(port: &'static str, doing: &'static str, error: DbErr) -> PortError {
    if is_transient(&error) { PortError::transient(port, doing, error) } else { PortError::bug(port, doing, error) }
}

/// Whether the same statement may succeed later: the server is away, busy, or broke a tie against us.
#[must_use]
pub fn is_transient(error: &DbErr) -> bool {
    match error {
        DbErr::ConnectionAcquire(_) | DbErr::Conn(_) => true,
        DbErr::Exec(RuntimeErr::SqlxError(error)) | DbErr::Query(RuntimeErr::SqlxError(error)) => {
            is_transient_in_driver(error)
        }
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
        SqlxError::Database(error) => error.code().is_some_and(|code| {
            if code == READ_ONLY {
                *DEMOTED.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
            }
            is_transient_code(&code)
        }),
        _ => false,
    }
}

/// PostgreSQL's codes have five characters (08 connection, 40 tie, 53 resources, 57 operator, 55P03 lock, 25P03 idle,
/// 25006 read-only);
/// SQLite's are numbers whose last byte is the kind (busy, locked, disk failure, disk full).
fn is_transient_code(code: &str) -> bool {
    match code.parse::<u32>() {
        Ok(number) if code.len() < 5 => matches!(number & 0xff, 5 | 6 | 10 | 13),
        _ => ["08", "40", "53", "57", "55P03", "25P03", READ_ONLY].iter().any(|class| code.starts_with(class)),
    }
}
