//! Numbers and instants as every database keeps them: signed 64-bit integers.

use chrono::{DateTime, Utc};

/// A count, version or position; none ever comes near the limit.
pub(crate) fn stored(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// A number that was stored by [`stored`].
pub(crate) fn loaded(number: i64) -> u64 {
    u64::try_from(number).unwrap_or_default()
}

/// An instant as microseconds since 1970, UTC.
pub(crate) fn micros(instant: DateTime<Utc>) -> i64 {
    instant.timestamp_micros()
}

/// An instant that was stored by [`micros`].
pub(crate) fn instant(micros: i64) -> DateTime<Utc> {
    DateTime::from_timestamp_micros(micros).unwrap_or_default()
}
