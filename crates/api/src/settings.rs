use std::{sync::Arc, time::Duration};

use chrono::{DateTime, Utc};

use crate::extract::Network;

/// What is announced about version 1 of the interface.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Retirement {
    /// Since when it is deprecated (RFC 9745).
    pub deprecated_at: Option<DateTime<Utc>>,
    /// When it may stop answering (RFC 8594).
    pub sunset_at: Option<DateTime<Utc>>,
}

/// Bounds at the edge.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// Largest accepted body.
    pub body_bytes: usize,
    /// Longest time a body may take to arrive.
    pub body_deadline: Duration,
    /// What is announced about version 1.
    pub retirement: Retirement,
    /// Time between two comments on a silent event stream; the caller's right to listen is checked as often.
    pub heartbeat: Duration,
    /// Proxies that are believed when they say whom they speak for.
    pub trusted_proxies: Arc<[Network]>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            body_bytes: 256 * 1024,
            body_deadline: Duration::from_secs(15),
            retirement: Retirement::default(),
            heartbeat: Duration::from_secs(5),
            trusted_proxies: Arc::default(),
        }
    }
}
