use std::sync::Arc;

use devskyy_domain::kernel::ids::ApiKeyId;

use super::{
    ports::{KeyStandings, KeyUses},
    text::KeyText,
};
use crate::{context::Subject, error::Error, ports::Clock};

/// Authenticates API keys.
pub struct AuthenticateKeyHandler {
    pub(super) standings: Arc<dyn KeyStandings>,
    pub(super) uses: Arc<dyn KeyUses>,
    pub(super) text: KeyText,
    pub(super) clock: Arc<dyn Clock>,
}

impl AuthenticateKeyHandler {
    /// The key a text refers to; `None` if it cannot be one. This proves nothing and costs no query.
    #[must_use]
    pub fn meant(&self, presented: &str) -> Option<ApiKeyId> {
        self.text.read(presented).map(|(key, _)| key)
    }

    /// Returns the subject. A mistyped key costs no query.
    ///
    /// # Errors
    /// [`Error::Unauthenticated`] without a reason, or a failing port.
    pub async fn handle(&self, presented: &str) -> Result<Subject, Error> {
        let (id, digest) = self.text.read(presented).ok_or(Error::Unauthenticated)?;
        let now = self.clock.now();
        let grant = self.standings.of(id, &digest, now).await?.ok_or(Error::Unauthenticated)?;
        self.uses.note(id, now);
        Ok(Subject::Key { id, grant: Arc::new(grant) })
    }
}
