//! Tools of Model Context Protocol servers.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::definition::default_timeout;

/// A tool of a Model Context Protocol server over streamable HTTP (revisions 2026-07-28 and 2025-11-25).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct McpServer {
    /// The server's URL, without templates.
    pub url: String,
    /// The server's name of the tool.
    pub tool: String,
    /// Templates of headers; they see only secrets.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub headers: BTreeMap<String, String>,
    /// Timeout in seconds, 1–300.
    #[serde(default = "default_timeout")]
    pub timeout_s: u32,
}
