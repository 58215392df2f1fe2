use std::{sync::Arc, time::Duration};

use actix_web::http::header::HeaderValue;
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

/// Limits at the edge.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// Largest accepted body.
    pub body_bytes: usize,
    /// Longest time a body may take to arrive.
    pub body_deadline: Duration,
    /// The announcement about version 1.
    pub retirement: Retirement,
    /// Proxies that are trusted to name their clients.
    pub trusted_proxies: Arc<[Network]>,
    /// Bytes of a body that must arrive per second, after a first few seconds of grace.
    pub body_rate: u32,
    /// Time between two comments on a silent event stream; the caller's access is checked as often. Together with the
    /// time for which standings are cached it stays below five seconds, within which a lost right takes effect.
    pub heartbeat: Duration,
    /// The origins whose pages may call from a browser.
    pub origins: Origins,
    /// Whether all clients reach the platform over TLS; if not, a trusted proxy may report it.
    pub over_tls: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            body_bytes: 256 * 1024,
            body_deadline: Duration::from_secs(15),
            retirement: Retirement::default(),
            trusted_proxies: Arc::default(),
            body_rate: 256,
            heartbeat: Duration::from_secs(2),
            origins: Origins::Closed,
            over_tls: false,
        }
    }
}

/// The origins whose pages may call from a browser.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Origins {
    /// Only pages of the platform itself.
    #[default]
    Closed,
    /// Pages of these origins, each as a browser writes it: `https://console.example.org`.
    Listed(Arc<[String]>),
    /// Every page.
    Any,
}

impl Origins {
    /// The origins of a list; `*` in it stands for all.
    #[must_use]
    pub fn of(list: &[String]) -> Self {
        match list {
            [] => Self::Closed,
            list if list.iter().any(|origin| origin == "*") => Self::Any,
            list => Self::Listed(list.into()),
        }
    }

    /// The allowed origin for a page of this origin; `None` if it may not call.
    pub(crate) fn answer(&self, origin: &HeaderValue) -> Option<HeaderValue> {
        match self {
            Self::Closed => None,
            Self::Listed(origins) => origins.iter().any(|known| origin == known.as_str()).then(|| origin.clone()),
            Self::Any => Some(HeaderValue::from_static("*")),
        }
    }
}
