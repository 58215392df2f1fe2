use aws_lc_rs::{digest, rand::fill};
use data_encoding::BASE64URL_NOPAD;
use devskyy_application::{error::PortError, identity::TokenMint};

use super::master_key::MasterKey;

/// Random tokens from the system's generator, SHA-256 digests, and keyed digests under the master key.
#[derive(Debug, Clone)]
pub struct KeyedTokenMint(MasterKey);

impl KeyedTokenMint {
    /// Uses a deployment's master key.
    #[must_use]
    pub const fn new(master: MasterKey) -> Self {
        Self(master)
    }
}

/// Generates 256 random bits as text that is safe in URLs and headers.
pub(super) fn random_token() -> Result<String, PortError> {
    let mut bytes = [0; 32];
    fill(&mut bytes).map_err(|error| PortError::bug("secrets", "drawing random bytes", error))?;
    Ok(BASE64URL_NOPAD.encode(&bytes))
}

impl TokenMint for KeyedTokenMint {
    fn token(&self) -> Result<String, PortError> {
        random_token()
    }

    fn digest(&self, token: &str) -> [u8; 32] {
        let mut bytes = [0; 32];
        bytes.copy_from_slice(digest::digest(&digest::SHA256, token.as_bytes()).as_ref());
        bytes
    }

    fn keyed(&self, purpose: &str, value: &[u8]) -> [u8; 32] {
        self.0.keyed(purpose, value)
    }
}
