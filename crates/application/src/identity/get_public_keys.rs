use std::sync::Arc;

use super::ports::AccessTokens;
use crate::error::Error;

/// Publishes the keys that verify access tokens.
pub struct GetPublicKeysHandler {
    pub(super) tokens: Arc<dyn AccessTokens>,
}

impl GetPublicKeysHandler {
    /// The keys as a JSON Web Key Set document (RFC 7517).
    ///
    /// # Errors
    /// A failing port.
    pub async fn handle(&self) -> Result<String, Error> {
        Ok(self.tokens.public_keys().await?)
    }
}
