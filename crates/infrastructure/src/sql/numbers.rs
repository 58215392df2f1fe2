//! Conversions of numbers and instants to signed 64-bit integers, as both databases store them.

use chrono::{DateTime, Utc};
use sea_orm::DbErr;

/// A count, version or position; none ever comes near the limit.
pub(crate) fn stored(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// A number stored by [`stored`].
pub(crate) fn loaded(number: i64) -> u64 {
    u64::try_from(number).unwrap_or_default()
}

/// An instant as microseconds since 1970, UTC.
pub(crate) fn micros(instant: DateTime<Utc>) -> i64 {
    instant.timestamp_micros()
}

/// An instant stored by [`micros`].
pub(crate) fn instant(micros: i64) -> DateTime<Utc> {
    DateTime::from_timestamp_micros(micros).unwrap_or_default()
}

/// A number stored by [`stored`], from a row that may have been altered.
///
/// # Errors
/// [`DbErr::Type`] when it is out of range.
pub(crate) fn sound_number<T: TryFrom<N>, N>(number: N) -> Result<T, DbErr> {
    number.try_into().map_err(|_| DbErr::Type("a stored number is out of its range".to_owned()))
}

/// An instant stored by [`micros`], from a row that may have been altered.
///
/// # Errors
/// [`DbErr::Type`] when it is out of range.
pub(crate) fn sound_instant(micros: i64) -> Result<DateTime<Utc>, DbErr> {
    let instant = DateTime::from_timestamp_micros(micros);
    instant.ok_or_else(|| DbErr::Type("a stored instant is out of range".to_owned()))
}
