use async_trait::async_trait;
use aws_lc_rs::{
    digest,
    signature::{Ed25519KeyPair, KeyPair},
};
use chrono::{DateTime, TimeDelta, Utc};
use data_encoding::BASE64URL_NOPAD;
use devskyy_application::error::PortError;
use jsonwebtoken::{DecodingKey, EncodingKey};
use serde_json::json;

use super::master_key::MasterKey;

pub(super) const PORT: &str = "signing keys";
const PURPOSE: &str = "signing-key";
/// How much longer than its last token a key verifies, to allow for clock skew.
const GRACE: TimeDelta = TimeDelta::seconds(60);

/// A signing key as stored, its private half sealed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SealedKey {
    /// Its name in token headers and in the key set.
    pub kid: String,
    /// The public half, 32 bytes.
    pub public: Vec<u8>,
    /// The private half (PKCS #8), sealed with the master key under the name.
    pub sealed_private: Vec<u8>,
    /// When it was created and published.
    pub created_at: DateTime<Utc>,
    /// When it starts signing; it signs until the next one does.
    pub signs_from: DateTime<Utc>,
}

/// Stores the signing keys that all replicas share.
#[async_trait]
pub trait SigningKeyStore: Send + Sync {
    /// All keys, in the order in which they sign.
    ///
    /// # Errors
    /// [`PortError`] when they cannot be read.
    async fn all(&self) -> Result<Vec<SealedKey>, PortError>;

    /// Adds a key, if the last one is still `after` (`None` if there are no keys). Returns whether it did. Of several
    /// replicas that add one concurrently, only one succeeds.
    ///
    /// # Errors
    /// [`PortError`] when it cannot be written.
    async fn add(&self, key: &SealedKey, after: Option<&str>) -> Result<bool, PortError>;

    /// Removes keys.
    ///
    /// # Errors
    /// [`PortError`] when they cannot be removed.
    async fn remove(&self, kids: &[String]) -> Result<(), PortError>;
}

struct RingKey {
    kid: String,
    encoding: EncodingKey,
    decoding: DecodingKey,
    x: String,
    signs_from: DateTime<Utc>,
    /// When its last token has expired; `None` while it has no successor.
    until: Option<DateTime<Utc>>,
}

impl RingKey {
    fn open(key: &SealedKey, master: &MasterKey) -> Result<Self, PortError> {
        let private = master.open(PURPOSE, &key.kid, &key.sealed_private).ok_or_else(|| {
            PortError::bug(PORT, "opening a signing key", "the master key is not the one it was sealed with")
        })?;
        Ok(Self {
            kid: key.kid.clone(),
            encoding: EncodingKey::from_ed_der(&private),
            decoding: DecodingKey::from_ed_der(&key.public),
            x: BASE64URL_NOPAD.encode(&key.public),
            signs_from: key.signs_from,
            until: None,
        })
    }

    fn verifies(&self, now: DateTime<Utc>) -> bool {
        self.until.is_none_or(|until| now < until)
    }
}

/// The opened keys of a process, in the order in which they sign. Their roles depend on the time only, so that all
/// replicas switch over together.
pub struct KeyRing(Vec<RingKey>);

impl KeyRing {
    /// Loads the keys, and creates the first one if there is none. `life` is the lifetime of the tokens they sign.
    ///
    /// # Errors
    /// [`PortError`] when the store fails or the keys were sealed with another master key.
    pub async fn load(
        store: &dyn SigningKeyStore,
        master: &MasterKey,
        life: TimeDelta,
        now: DateTime<Utc>,
    ) -> Result<Self, PortError> {
        let mut keys = store.all().await?;
        if keys.is_empty() {
            store.add(&fresh(master, now, now)?, None).await?;
            keys = store.all().await?;
        }
        let mut ring: Vec<RingKey> = keys.iter().map(|key| RingKey::open(key, master)).collect::<Result<_, _>>()?;
        for (key, next) in ring.iter_mut().zip(keys.iter().skip(1)) {
            key.until = Some(next.signs_from + life + GRACE);
        }
        if ring.is_empty() {
            Err(PortError::bug(PORT, "reading the signing keys", "there are none"))
        } else {
            Ok(Self(ring))
        }
    }

    /// The key that signs at an instant. If clock skew is so large that none does yet, the first one is used.
    pub(super) fn signing(&self, now: DateTime<Utc>) -> Option<(&str, &EncodingKey)> {
        let due = self.0.iter().rev().find(|key| key.signs_from <= now);
        due.or(self.0.first()).map(|key| (key.kid.as_str(), &key.encoding))
    }

    pub(super) fn verifying(&self, kid: &str, now: DateTime<Utc>) -> Option<&DecodingKey> {
        self.0.iter().find(|key| key.kid == kid && key.verifies(now)).map(|key| &key.decoding)
    }

    /// The names of keys whose tokens have all expired.
    pub(super) fn retired(&self, now: DateTime<Utc>) -> Vec<String> {
        self.0.iter().filter(|key| !key.verifies(now)).map(|key| key.kid.clone()).collect()
    }

    pub(super) fn kids(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|key| key.kid.as_str())
    }

    /// The public halves as a JSON Web Key Set (RFC 7517, RFC 8037).
    pub(super) fn public(&self, now: DateTime<Utc>) -> String {
        let published = self.0.iter().filter(|key| key.verifies(now));
        let keys: Vec<_> = published
            .map(|RingKey { kid, x, .. }| {
                json!({"kty": "OKP", "crv": "Ed25519", "use": "sig", "alg": "EdDSA", "kid": kid, "x": x})
            })
            .collect();
        json!({ "keys": keys }).to_string()
    }
}

/// Generates a key that signs from an instant on.
pub(super) fn fresh(master: &MasterKey, now: DateTime<Utc>, signs_from: DateTime<Utc>) -> Result<SealedKey, PortError> {
    const DOING: &str = "making a signing key";
    let pair = Ed25519KeyPair::generate().map_err(|error| PortError::bug(PORT, DOING, error))?;
    let private = pair.to_pkcs8v1().map_err(|error| PortError::bug(PORT, DOING, error))?;
    let public = pair.public_key().as_ref().to_vec();
    let kid = BASE64URL_NOPAD.encode(&digest::digest(&digest::SHA256, &public).as_ref()[..12]);
    let sealed_private =
        master.seal(PURPOSE, &kid, private.as_ref()).map_err(|error| PortError::bug(PORT, DOING, error))?;
    Ok(SealedKey { kid, public, sealed_private, created_at: now, signs_from })
}
