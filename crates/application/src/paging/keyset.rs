use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::numbered::{MAX_PAGE_SIZE, PagingError, USUAL_PAGE_SIZE};

/// The sort value of one item.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum KeyValue {
    /// An instant in microseconds, or a count.
    Number(i64),
    /// A text as the database sorts it: by code points.
    Text(String),
}

/// The place of one item in a sorted list; it is unique.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Key {
    /// The value sorted by first.
    pub value: KeyValue,
    /// Decides between equal values.
    pub id: Uuid,
}

impl Key {
    /// A place in a list by time.
    #[must_use]
    pub fn by_time(at: DateTime<Utc>, id: impl Into<Uuid>) -> Self {
        Self::by_number(at.timestamp_micros(), id)
    }

    /// A place in a list by number.
    #[must_use]
    pub fn by_number(number: i64, id: impl Into<Uuid>) -> Self {
        Self { value: KeyValue::Number(number), id: id.into() }
    }

    /// A place in a list by name, ignoring case.
    #[must_use]
    pub fn by_name(name: &str, id: impl Into<Uuid>) -> Self {
        Self { value: KeyValue::Text(name.to_lowercase()), id: id.into() }
    }
}

/// The part of a list after a place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeysetRequest {
    /// The place of the last item seen; `None` for the beginning.
    pub after: Option<Key>,
    /// Maximum number of items, 1 to 100.
    pub limit: u64,
}

impl KeysetRequest {
    /// Checks a raw limit; if omitted it gets its default.
    ///
    /// # Errors
    /// [`PagingError::Limit`] when it is out of range.
    pub fn parse(after: Option<Key>, limit: Option<u64>) -> Result<Self, PagingError> {
        let limit = limit.unwrap_or(USUAL_PAGE_SIZE);
        if !(1..=MAX_PAGE_SIZE).contains(&limit) {
            return Err(PagingError::Limit);
        }
        Ok(Self { after, limit })
    }
}
