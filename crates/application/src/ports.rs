//! Capabilities that several contexts need: time and ids.

use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use uuid::Uuid;

/// A clock. Adapters truncate to microseconds, the resolution of both databases.
#[async_trait]
pub trait Clock: Send + Sync {
    /// The current time.
    fn now(&self) -> DateTime<Utc>;

    /// Returns once the duration has passed.
    async fn sleep(&self, duration: Duration);
}

/// Generates ids that sort by time (UUID version 7, RFC 9562).
pub trait IdGenerator: Send + Sync {
    /// A fresh id.
    fn next(&self) -> Uuid;
}
