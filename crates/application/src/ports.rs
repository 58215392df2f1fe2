//! Capabilities that several contexts need: time and fresh ids.

use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use uuid::Uuid;

/// Tells the time and waits. Adapters truncate to microseconds, the finest grain every database keeps.
#[async_trait]
pub trait Clock: Send + Sync {
    /// The present instant.
    fn now(&self) -> DateTime<Utc>;

    /// Returns once the duration has passed.
    async fn sleep(&self, duration: Duration);
}

/// Makes ids that sort by the time they were made (UUID version 7, RFC 9562).
pub trait IdGenerator: Send + Sync {
    /// A fresh id.
    fn next(&self) -> Uuid;
}
