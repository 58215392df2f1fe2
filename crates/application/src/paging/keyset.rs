use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::numbered::{MAX_PAGE_SIZE, PagingError, USUAL_PAGE_SIZE};

/// What a list is sorted by, of one item.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum KeyValue {
    /// An instant in microseconds, or a count.
    Number(i64),
    /// A text as the database sorts it: by code points.
    Text(String),
}

/// The place of one item in a sorted list; no two items share one.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Key {
    /// What decides first.
    pub value: KeyValue,
    /// What decides between equals.
    pub id: Uuid,
}

impl Key {
    /// The place of something in a list by time.
    #[must_use]
    pub fn by_time(at: DateTime<Utc>, id: impl Into<Uuid>) -> Self {
        Self::by_number(at.timestamp_micros(), id)
    }

    /// The place of something in a list by number.
    #[must_use]
    pub fn by_number(number: i64, id: impl Into<Uuid>) -> Self {
        Self { value: KeyValue::Number(number), id: id.into() }
    }

    /// The place of something in a list by name, letters' case aside.
    #[must_use]
    pub fn by_name(name: &str, id: impl Into<Uuid>) -> Self {
        Self { value: KeyValue::Text(name.to_lowercase()), id: id.into() }
    }
}

/// What comes after a place in a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeysetRequest {
    /// The place of the last item seen; the beginning without.
    pub after: Option<Key>,
    /// Items at most, 1 to 100.
    pub limit: u64,
}

impl KeysetRequest {
    /// Checks a raw limit; left out it gets its default.
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
