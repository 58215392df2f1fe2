use std::{collections::BTreeMap, sync::Arc};

use async_trait::async_trait;
use aws_lc_rs::{
    digest,
    signature::{Ed25519KeyPair, KeyPair},
};
use chrono::{DateTime, Utc};
use data_encoding::BASE64URL_NOPAD;
use devskyy_application::error::PortError;
use jsonwebtoken::{DecodingKey, EncodingKey};
use serde_json::json;

use super::master_key::MasterKey;

pub(super) const PORT: &str = "signing keys";
const PURPOSE: &str = "signing-key";

/// A signing key as it is stored: the private half only sealed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SealedKey {
    /// Its name in token headers and in the key set.
    pub kid: String,
    /// The public half, 32 bytes.
    pub public: Vec<u8>,
    /// The private half (PKCS #8), sealed with the master key under the name.
    pub sealed_private: Vec<u8>,
    /// When it was made; the newest signs.
    pub created_at: DateTime<Utc>,
}

/// Keeps the signing keys all replicas share.
#[async_trait]
pub trait SigningKeyStore: Send + Sync {
    /// Every key that tokens may still be signed with, oldest first.
    ///
    /// # Errors
    /// [`PortError`] when they cannot be read.
    async fn all(&self) -> Result<Vec<SealedKey>, PortError>;

    /// Adds a key, only where there is none at all; otherwise does nothing.
    ///
    /// # Errors
    /// [`PortError`] when it cannot be written.
    async fn add_first(&self, key: &SealedKey) -> Result<(), PortError>;
}

struct SigningKey {
    kid: String,
    encoding: EncodingKey,
}

struct VerifyingKey {
    decoding: DecodingKey,
    x: String,
}

/// The keys a process trusts, opened: the newest signs, all verify.
pub struct KeyRing {
    signing: SigningKey,
    verifying: BTreeMap<String, VerifyingKey>,
}

impl KeyRing {
    /// Reads the keys, making the first one where there is none.
    ///
    /// # Errors
    /// [`PortError`] when the store fails or the master key is not the one the keys were sealed with.
    pub async fn load(
        store: &Arc<dyn SigningKeyStore>,
        master: &MasterKey,
        now: DateTime<Utc>,
    ) -> Result<Self, PortError> {
        let mut keys = store.all().await?;
        if keys.is_empty() {
            store.add_first(&fresh(master, now)?).await?;
            keys = store.all().await?;
        }
        Self::open(&keys, master)
    }

    fn open(keys: &[SealedKey], master: &MasterKey) -> Result<Self, PortError> {
        let newest = keys.last().ok_or_else(|| PortError::bug(PORT, "reading the signing keys", "there are none"))?;
        let private = master.open(PURPOSE, &newest.kid, &newest.sealed_private).ok_or_else(|| {
            PortError::bug(PORT, "opening a signing key", "the master key is not the one it was sealed with")
        })?;
        let verifying = keys.iter().map(|key| {
            let x = BASE64URL_NOPAD.encode(&key.public);
            (key.kid.clone(), VerifyingKey { decoding: DecodingKey::from_ed_der(&key.public), x })
        });
        Ok(Self {
            signing: SigningKey { kid: newest.kid.clone(), encoding: EncodingKey::from_ed_der(&private) },
            verifying: verifying.collect(),
        })
    }

    pub(super) fn signing(&self) -> (&str, &EncodingKey) {
        (&self.signing.kid, &self.signing.encoding)
    }

    pub(super) fn verifying(&self, kid: &str) -> Option<&DecodingKey> {
        self.verifying.get(kid).map(|key| &key.decoding)
    }

    /// The public halves as a JSON Web Key Set (RFC 7517, RFC 8037).
    pub(super) fn public(&self) -> String {
        let keys: Vec<_> = self
            .verifying
            .iter()
            .map(|(kid, key)| {
                json!({"kty": "OKP", "crv": "Ed25519", "use": "sig", "alg": "EdDSA", "kid": kid, "x": key.x})
            })
            .collect();
        json!({ "keys": keys }).to_string()
    }
}

fn fresh(master: &MasterKey, now: DateTime<Utc>) -> Result<SealedKey, PortError> {
    const DOING: &str = "making a signing key";
    let pair = Ed25519KeyPair::generate().map_err(|error| PortError::bug(PORT, DOING, error))?;
    let private = pair.to_pkcs8v1().map_err(|error| PortError::bug(PORT, DOING, error))?;
    let public = pair.public_key().as_ref().to_vec();
    let kid = BASE64URL_NOPAD.encode(&digest::digest(&digest::SHA256, &public).as_ref()[..12]);
    let sealed_private =
        master.seal(PURPOSE, &kid, private.as_ref()).map_err(|error| PortError::bug(PORT, DOING, error))?;
    Ok(SealedKey { kid, public, sealed_private, created_at: now })
}
