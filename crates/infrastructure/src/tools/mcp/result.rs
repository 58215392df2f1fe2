//! Converts the result of a server's tool to the result of a call.

use std::collections::BTreeMap;

use devskyy_application::workflow::ToolError;
use devskyy_domain::{kernel::Json, workflow::Effect};
use rmcp::model::{CallToolResult, ContentBlock};

use super::{
    super::{builtin::permanent, redaction::Redaction},
    document,
};

/// Maximum characters of a tool's error message.
const EXCERPT: usize = 1_000;

/// `{content, structured_content}` as the tool returns them, redacted; the second only if the tool returns one.
pub(super) fn result(given: &CallToolResult, effect: Effect, redaction: &Redaction) -> Result<Json, ToolError> {
    if given.is_error == Some(true) {
        let said = texts(given).chars().filter(|c| !c.is_control() || *c == '\n').collect();
        let said: String = redaction.text(said).chars().take(EXCERPT).collect();
        return Err(permanent("tool.mcp_error", format!("the tool failed: {said}")));
    }
    let mut members = BTreeMap::from([("content".to_owned(), document(&given.content, effect, redaction)?)]);
    if let Some(structured) = &given.structured_content {
        members.insert("structured_content".to_owned(), document(structured, effect, redaction)?);
    }
    Ok(Json::Object(members))
}

fn texts(given: &CallToolResult) -> String {
    let texts = given.content.iter().filter_map(|block| match block {
        ContentBlock::Text(text) => Some(text.text.as_str()),
        _ => None,
    });
    texts.collect::<Vec<_>>().join("\n")
}
