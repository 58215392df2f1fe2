use std::sync::Arc;

use devskyy_domain::kernel::ids::ApiKeyId;

use super::{
    ports::{KeyStandings, KeyUses},
    text::KeyText,
};
use crate::{context::Subject, error::Error, ports::Clock};

/// Turns a presented key into who is asking.
pub struct AuthenticateKeyHandler {
    pub(super) standings: Arc<dyn KeyStandings>,
    pub(super) uses: Arc<dyn KeyUses>,
    pub(super) text: KeyText,
    pub(super) clock: Arc<dyn Clock>,
}

impl AuthenticateKeyHandler {
    /// Which key a text is meant to be; nothing where it cannot be one of ours. It proves nothing and costs no query.
    #[must_use]
    pub fn meant(&self, presented: &str) -> Option<ApiKeyId> {
        self.text.read(presented).map(|(key, _)| key)
    }

    /// Who asks; a mistyped key costs no query.
    ///
    /// # Errors
    /// [`Error::Unauthenticated`], never saying why, or a failing port.
    pub async fn handle(&self, presented: &str) -> Result<Subject, Error> {
        let (id, digest) = self.text.read(presented).ok_or(Error::Unauthenticated)?;
        let now = self.clock.now();
        let grant = self.standings.of(id, &digest, now).await?.ok_or(Error::Unauthenticated)?;
        self.uses.note(id, now);
        Ok(Subject::Key { id, grant: Arc::new(grant) })
    }
}
