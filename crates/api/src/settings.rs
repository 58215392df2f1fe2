use std::{sync::Arc, time::Duration};

use crate::extract::Network;

/// Bounds at the edge.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// Largest accepted body.
    pub body_bytes: usize,
    /// Longest time a body may take to arrive.
    pub body_deadline: Duration,
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
            heartbeat: Duration::from_secs(5),
            trusted_proxies: Arc::default(),
        }
    }
}
