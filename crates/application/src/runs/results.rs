//! Results that are too large for an event: stored before the event that refers to them, and read back by their hash.

use std::sync::Arc;

use devskyy_domain::{
    kernel::{Json, ids::ProjectId},
    runs::{MAX_INLINE, MAX_PREVIEW, MAX_VALUE, ResultHash, StoredResult, Value},
};
use sha2::{Digest, Sha256};

use super::ports::ResultStore;
use crate::{error::PortError, ports::Clock};

const PORT: &str = "result store";
/// Maximum bytes of JSON text per measured byte: a control character becomes `\u0000`.
const ESCAPED: usize = 6;

/// Why a result that an event refers to is not available.
#[derive(Debug, thiserror::Error)]
pub(super) enum Unread {
    /// It no longer exists.
    #[error("result {0} is missing")]
    Missing(ResultHash),
    /// Its text does not match its hash.
    #[error("result {0} is damaged")]
    Damaged(ResultHash),
    /// The store failed.
    #[error(transparent)]
    Port(#[from] PortError),
}

impl From<Unread> for PortError {
    fn from(unread: Unread) -> Self {
        match unread {
            Unread::Port(error) => error,
            lost => Self::bug(PORT, "reading a result", lost),
        }
    }
}

/// Stores and reads back the results of projects.
#[derive(Clone)]
pub(super) struct Results {
    store: Arc<dyn ResultStore>,
    clock: Arc<dyn Clock>,
}

impl Results {
    pub(super) fn new(store: Arc<dyn ResultStore>, clock: Arc<dyn Clock>) -> Self {
        Self { store, clock }
    }

    /// The value for an event: inline, or a reference once it is stored.
    ///
    /// # Errors
    /// [`PortError`] when it cannot be stored.
    pub(super) async fn kept(&self, project: ProjectId, value: &Json) -> Result<Value, PortError> {
        let Some(text) = outsized(value)? else { return Ok(value.clone().into()) };
        let stored = reference(&text);
        // No run accepts a larger value, so no event will refer to it.
        if text.len() <= MAX_VALUE {
            self.store.keep(project, stored.hash, text.as_bytes(), self.clock.now()).await?;
        }
        Ok(stored.into())
    }

    /// The JSON text of a result, as it was stored.
    ///
    /// # Errors
    /// [`Unread`].
    pub(super) async fn text(&self, project: ProjectId, hash: ResultHash) -> Result<Vec<u8>, Unread> {
        let text = self.store.find(project, hash).await?;
        let lost = match text {
            Some(text) if result_hash(&text) == hash => return Ok(text),
            Some(_) => Unread::Damaged(hash),
            None => Unread::Missing(hash),
        };
        tracing::error!(%project, error = %lost, "a result that an event refers to cannot be read");
        Err(lost)
    }

    /// A result as a value.
    ///
    /// # Errors
    /// [`Unread`].
    pub(super) async fn value(&self, project: ProjectId, hash: ResultHash) -> Result<Json, Unread> {
        let text = self.text(project, hash).await?;
        serde_json::from_slice(&text).map_err(|error| PortError::bug(PORT, "understanding a result", error).into())
    }
}

/// The JSON text of a value that is too large for an event; `None` if it stays inline, or if no run accepts it.
fn outsized(value: &Json) -> Result<Option<String>, PortError> {
    let measure = value.measure();
    if measure.too_deep || measure.bytes.saturating_mul(ESCAPED) <= MAX_INLINE {
        return Ok(None);
    }
    let text = serde_json::to_string(value).map_err(|error| PortError::bug(PORT, "writing a result", error))?;
    Ok(Some(text).filter(|text| text.len() > MAX_INLINE))
}

fn reference(text: &str) -> StoredResult {
    let preview = text[..text.floor_char_boundary(MAX_PREVIEW)].to_owned();
    StoredResult { hash: result_hash(text.as_bytes()), bytes: text.len() as u64, preview }
}

/// The key of a stored result: SHA-256 of its JSON text.
#[must_use]
pub fn result_hash(text: &[u8]) -> ResultHash {
    ResultHash(Sha256::digest(text).into())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A string whose JSON text, including the quotes, has this many bytes.
    fn text_of(bytes: usize) -> Json {
        "x".repeat(bytes - 2).into()
    }

    #[test]
    fn what_is_as_large_as_an_event_may_carry_stays_in_it() {
        assert_eq!(outsized(&text_of(MAX_INLINE)).unwrap(), None);
    }

    #[test]
    fn what_is_one_byte_larger_does_not() {
        assert_eq!(outsized(&text_of(MAX_INLINE + 1)).unwrap().map(|text| text.len()), Some(MAX_INLINE + 1));
    }

    #[test]
    fn what_becomes_large_by_being_written_is_measured_as_written() {
        let escaped = Json::from("\u{1}".repeat(MAX_INLINE / 4));
        assert!(escaped.measure().bytes < MAX_INLINE && outsized(&escaped).unwrap().is_some());
    }

    #[test]
    fn the_preview_is_cut_between_characters() {
        let text = serde_json::to_string(&Json::from("ä".repeat(MAX_INLINE))).unwrap();
        assert_eq!(reference(&text).preview.len(), MAX_PREVIEW - 1);
    }
}
