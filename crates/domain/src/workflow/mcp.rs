//! Tools of servers that speak the Model Context Protocol.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::definition::default_timeout;

/// A tool of a server that speaks the Model Context Protocol over streamable HTTP (revisions 2026-07-28 and 2025-11-25).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct McpServer {
    /// Where the server is reached, as it is written.
    pub url: String,
    /// What the server calls the tool.
    pub tool: String,
    /// Templates of headers; they see secrets and nothing else.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub headers: BTreeMap<String, String>,
    /// Seconds to wait for a result, 1–300.
    #[serde(default = "default_timeout")]
    pub timeout_s: u32,
}
