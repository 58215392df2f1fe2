use std::sync::{Arc, PoisonError, RwLock};

use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};
use devskyy_application::{
    error::PortError,
    identity::{AccessClaims, AccessTokens},
    ports::Clock,
};
use devskyy_domain::kernel::ids::{SessionId, UserId};
use jsonwebtoken::{Algorithm, Header, Validation, decode, decode_header, encode};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{
    key_ring::{KeyRing, PORT, SigningKeyStore},
    master_key::MasterKey,
    verified_tokens::VerifiedTokens,
};

/// Media type of access tokens (RFC 9068), so that other kinds of tokens are not accepted.
const TYPE: &str = "at+jwt";
/// Length limit of a token; ours have fewer than 600 characters.
const LONGEST: usize = 2_048;
/// Number of cached verified tokens.
const REMEMBERED: usize = 10_000;
/// How long an unknown key name is rejected before the store is read again.
const RELOAD: TimeDelta = TimeDelta::seconds(5);

/// Settings of access tokens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenSettings {
    /// The issuer (`iss`).
    pub issuer: String,
    /// The audience (`aud`).
    pub audience: String,
    /// Tolerated clock skew in seconds, at most 30.
    pub leeway_s: u32,
    /// Lifetime of a token; a key verifies for that long after it has stopped signing.
    pub life: TimeDelta,
}

impl Default for TokenSettings {
    fn default() -> Self {
        let (issuer, audience) = ("devskyy".to_owned(), "devskyy-api".to_owned());
        Self { issuer, audience, leeway_s: 5, life: TimeDelta::minutes(15) }
    }
}

/// The claims of an access token (RFC 7519, RFC 9068); all are required.
#[derive(Debug, Serialize, Deserialize)]
struct Claims {
    iss: String,
    aud: String,
    sub: Uuid,
    sid: Uuid,
    jti: Uuid,
    iat: i64,
    nbf: i64,
    exp: i64,
}

struct Keys {
    ring: Arc<KeyRing>,
    loaded_at: DateTime<Utc>,
}

/// Access tokens signed with Ed25519 (RFC 8037); the algorithm is fixed, whatever a token's header names.
pub struct EdDsaAccessTokens {
    settings: TokenSettings,
    validation: Validation,
    store: Arc<dyn SigningKeyStore>,
    master: MasterKey,
    clock: Arc<dyn Clock>,
    keys: RwLock<Keys>,
    verified: VerifiedTokens,
}

impl EdDsaAccessTokens {
    /// Loads the signing keys, and creates the first one if there is none.
    ///
    /// # Errors
    /// [`PortError`] when the keys cannot be read, or not be opened with this master key.
    pub async fn load(
        settings: TokenSettings,
        store: Arc<dyn SigningKeyStore>,
        master: MasterKey,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, PortError> {
        let loaded_at = clock.now();
        let ring = Arc::new(KeyRing::load(store.as_ref(), &master, settings.life, loaded_at).await?);
        let validation = validation(&settings);
        let keys = RwLock::new(Keys { ring, loaded_at });
        Ok(Self { settings, validation, store, master, clock, keys, verified: VerifiedTokens::new(REMEMBERED) })
    }

    fn ring(&self) -> Arc<KeyRing> {
        Arc::clone(&self.keys.read().unwrap_or_else(PoisonError::into_inner).ring)
    }

    /// The ring with a key; reloaded if the key is unknown, because another replica may have added it.
    async fn ring_with(&self, kid: &str, now: DateTime<Utc>) -> Result<Option<Arc<KeyRing>>, PortError> {
        let ring = self.ring();
        if ring.verifying(kid, now).is_some() {
            return Ok(Some(ring));
        }
        if !self.may_reload(now) {
            return Ok(None);
        }
        self.reload().await?;
        let ring = self.ring();
        Ok(ring.verifying(kid, now).is_some().then_some(ring))
    }

    /// Reloads the keys, to learn what other replicas have added and removed.
    ///
    /// # Errors
    /// [`PortError`] when they cannot be read.
    pub async fn reload(&self) -> Result<(), PortError> {
        let now = self.clock.now();
        let ring = KeyRing::load(self.store.as_ref(), &self.master, self.settings.life, now).await?;
        let mut keys = self.keys.write().unwrap_or_else(PoisonError::into_inner);
        if !keys.ring.kids().all(|kid| ring.verifying(kid, now).is_some()) {
            self.verified.clear();
        }
        keys.ring = Arc::new(ring);
        Ok(())
    }

    fn may_reload(&self, now: DateTime<Utc>) -> bool {
        let mut keys = self.keys.write().unwrap_or_else(PoisonError::into_inner);
        let due = now - keys.loaded_at >= RELOAD;
        if due {
            keys.loaded_at = now;
        }
        due
    }

    fn read(&self, token: &str, ring: &KeyRing, kid: &str, now: DateTime<Utc>) -> Option<AccessClaims> {
        let claims = decode::<Claims>(token, ring.verifying(kid, now)?, &self.validation).ok()?.claims;
        let instant = |seconds| DateTime::from_timestamp(seconds, 0);
        Some(AccessClaims {
            id: claims.jti,
            user: UserId::from(claims.sub),
            session: SessionId::from(claims.sid),
            issued_at: instant(claims.iat.max(claims.nbf))?,
            expires_at: instant(claims.exp)?,
        })
    }

    fn counts(&self, claims: &AccessClaims, now: DateTime<Utc>) -> bool {
        let leeway = TimeDelta::seconds(i64::from(self.settings.leeway_s.min(30)));
        claims.issued_at <= now + leeway && now < claims.expires_at + leeway
    }
}

/// Signature, issuer and audience. Times are checked separately against the platform's clock.
fn validation(settings: &TokenSettings) -> Validation {
    let mut validation = Validation::new(Algorithm::EdDSA);
    validation.set_issuer(&[&settings.issuer]);
    validation.set_audience(&[&settings.audience]);
    validation.set_required_spec_claims(&["exp", "nbf", "iss", "aud", "sub"]);
    validation.validate_exp = false;
    validation
}

#[async_trait]
impl AccessTokens for EdDsaAccessTokens {
    async fn issue(&self, claims: &AccessClaims) -> Result<String, PortError> {
        let ring = self.ring();
        let missing = || PortError::bug(PORT, "signing a token", "there is no key");
        let (kid, key) = ring.signing(self.clock.now()).ok_or_else(missing)?;
        let claims = Claims {
            iss: self.settings.issuer.clone(),
            aud: self.settings.audience.clone(),
            sub: claims.user.into(),
            sid: claims.session.into(),
            jti: claims.id,
            iat: claims.issued_at.timestamp(),
            nbf: claims.issued_at.timestamp(),
            exp: claims.expires_at.timestamp(),
        };
        encode(&header(kid), &claims, key).map_err(|error| PortError::bug(PORT, "signing a token", error))
    }

    async fn verify(&self, token: &str, now: DateTime<Utc>) -> Result<Option<AccessClaims>, PortError> {
        if token.len() > LONGEST {
            return Ok(None);
        }
        let claims = match self.verified.find(token) {
            Some(claims) => Some(claims),
            None => self.verify_signature(token, now).await?,
        };
        Ok(claims.filter(|claims| self.counts(claims, now)))
    }

    async fn public_keys(&self) -> Result<String, PortError> {
        Ok(self.ring().public(self.clock.now()))
    }
}

impl EdDsaAccessTokens {
    async fn verify_signature(&self, token: &str, now: DateTime<Utc>) -> Result<Option<AccessClaims>, PortError> {
        let Some(kid) = trusted_header(token) else { return Ok(None) };
        let Some(ring) = self.ring_with(&kid, now).await? else { return Ok(None) };
        let claims = self.read(token, &ring, &kid, now);
        if let Some(claims) = &claims {
            self.verified.remember(token, claims.clone());
        }
        Ok(claims)
    }
}

/// The only header this platform writes.
fn header(kid: &str) -> Header {
    let mut header = Header::new(Algorithm::EdDSA);
    header.typ = Some(TYPE.to_owned());
    header.kid = Some(kid.to_owned());
    header
}

/// The key name, if the header is exactly of this platform's form: embedded and remote keys are ignored.
fn trusted_header(token: &str) -> Option<String> {
    let presented = decode_header(token).ok()?;
    let kid = presented.kid.clone()?;
    (presented == header(&kid)).then_some(kid)
}
