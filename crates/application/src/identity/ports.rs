use std::fmt;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use devskyy_domain::{
    identity::{DisplayName, Email, Password, PlatformRole},
    kernel::ids::{SessionId, UserId},
};
use uuid::Uuid;

use super::views::{UserFilter, UserRecord};
use crate::{
    error::PortError,
    paging::{PageOf, Part},
};

/// A slow password hash with its salt and cost, as text; never printed.
#[derive(Clone, PartialEq, Eq)]
pub struct PasswordHash(pub String);

impl fmt::Debug for PasswordHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PasswordHash(…)")
    }
}

/// Why a password could not be hashed.
#[derive(Debug, thiserror::Error)]
pub enum HashError {
    /// Too many passwords are waiting; nothing was hashed.
    #[error("too many passwords are waiting to be hashed")]
    Overloaded,
    /// The hasher failed.
    #[error(transparent)]
    Port(#[from] PortError),
}

impl From<HashError> for crate::error::Error {
    fn from(error: HashError) -> Self {
        match error {
            HashError::Overloaded => Self::Overloaded,
            HashError::Port(error) => Self::Port(error),
        }
    }
}

/// Hashes passwords slowly, with bounded concurrency.
#[async_trait]
pub trait PasswordHasher: Send + Sync {
    /// Hashes a new password with a fresh salt.
    ///
    /// # Errors
    /// [`HashError::Overloaded`] when too many wait.
    async fn hash(&self, password: &Password) -> Result<PasswordHash, HashError>;

    /// Whether a presented password matches a hash. Without a hash it takes the same time and returns false. Use cases
    /// call it through [`PresentedPassword::is_right`].
    ///
    /// # Errors
    /// [`HashError::Overloaded`] when too many wait.
    async fn verify(&self, presented: &str, hash: Option<&PasswordHash>) -> Result<bool, HashError>;
}

/// A password as a request presents it, of any length.
pub struct PresentedPassword<'a> {
    looked_at: &'a str,
    whole: bool,
}

impl<'a> PresentedPassword<'a> {
    /// Bytes that are compared; a valid password has at most 128 characters of four bytes.
    const LONGEST: usize = 512;

    /// The password of a request.
    #[must_use]
    pub fn new(text: &'a str) -> Self {
        let looked_at = text.get(..text.floor_char_boundary(Self::LONGEST)).unwrap_or_default();
        Self { looked_at, whole: looked_at.len() == text.len() }
    }

    /// Whether it matches the hash. A password longer than any valid one does not match, whatever its prefix; it costs
    /// one hash like every other.
    ///
    /// # Errors
    /// [`HashError::Overloaded`] when too many passwords wait.
    pub async fn is_right(&self, hasher: &dyn PasswordHasher, hash: Option<&PasswordHash>) -> Result<bool, HashError> {
        hasher.verify(self.looked_at, hash.filter(|_| self.whole)).await
    }
}

/// Generates random and keyed values that outsiders can neither predict nor recompute.
pub trait TokenMint: Send + Sync {
    /// A fresh opaque token of 256 random bits, URL-safe.
    ///
    /// # Errors
    /// [`PortError`] when the system's random source fails.
    fn token(&self) -> Result<String, PortError>;

    /// One-way digest of an opaque token; only the digest is ever stored.
    fn digest(&self, token: &str) -> [u8; 32];

    /// Keyed digest of a guessable value (an e-mail), under the platform's master key. Purposes are separate domains.
    fn keyed(&self, purpose: &str, value: &[u8]) -> [u8; 32];
}

/// A user's private rows, as registration writes them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PrivateAccount {
    /// The user.
    pub user: UserId,
    /// Their e-mail.
    pub email: Email,
    /// Its keyed digest, for lookups.
    pub email_digest: [u8; 32],
    /// The display name.
    pub name: DisplayName,
    /// Their password's hash.
    pub password: PasswordHash,
    /// When the rows were written.
    pub created_at: DateTime<Utc>,
}

/// The credentials of a user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Credentials {
    /// The user.
    pub user: UserId,
    /// The password's hash.
    pub password: PasswordHash,
}

/// The personal data of a user.
#[derive(Clone, PartialEq, Eq)]
pub struct Profile {
    /// Their e-mail.
    pub email: String,
    /// The display name.
    pub name: String,
}

impl fmt::Debug for Profile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Profile(…)")
    }
}

/// Stores personal data, outside the log. A row is valid only once an event refers to its user.
#[async_trait]
pub trait Accounts: Send + Sync {
    /// Stores the private rows of a user who is about to be registered.
    ///
    /// # Errors
    /// [`PortError`] when they cannot be written.
    async fn save(&self, account: &PrivateAccount) -> Result<(), PortError>;

    /// All users with private rows for this e-mail; at most one of them is registered.
    ///
    /// # Errors
    /// [`PortError`] when the lookup fails.
    async fn find_by_email(&self, digest: &[u8; 32]) -> Result<Vec<Credentials>, PortError>;

    /// The personal data of users; those without rows are left out.
    ///
    /// # Errors
    /// [`PortError`] when the lookup fails.
    async fn profiles(&self, users: &[UserId]) -> Result<Vec<(UserId, Profile)>, PortError>;

    /// Deletes a user's private rows.
    ///
    /// # Errors
    /// [`PortError`] when they cannot be deleted.
    async fn remove(&self, user: UserId) -> Result<(), PortError>;

    /// Deletes rows from before an instant that no event refers to. Returns how many.
    ///
    /// # Errors
    /// [`PortError`] when they cannot be deleted.
    async fn sweep(&self, before: DateTime<Utc>) -> Result<u64, PortError>;
}

/// Reads users, derived from the log.
#[async_trait]
pub trait UserViews: Send + Sync {
    /// Finds one user.
    ///
    /// # Errors
    /// [`PortError`] when the lookup fails.
    async fn find(&self, user: UserId) -> Result<Option<UserRecord>, PortError>;

    /// Whether there is an administrator yet.
    ///
    /// # Errors
    /// [`PortError`] when the lookup fails.
    async fn has_admin(&self) -> Result<bool, PortError>;

    /// The number of administrators who may sign in.
    ///
    /// # Errors
    /// [`PortError`] when the lookup fails.
    async fn active_administrators(&self) -> Result<u64, PortError>;

    /// Lists users, oldest first, including erased ones.
    ///
    /// # Errors
    /// [`PortError`] when the lookup fails.
    async fn list(&self, filter: UserFilter, part: &Part) -> Result<PageOf<UserRecord>, PortError>;
}

/// SHA-256 of a refresh token.
pub type RefreshDigest = [u8; 32];

/// A session that is about to start.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewSession {
    /// Its id.
    pub id: SessionId,
    /// The user.
    pub user: UserId,
    /// When it starts.
    pub opened_at: DateTime<Utc>,
    /// When it ends, regardless of refreshes.
    pub ends_at: DateTime<Utc>,
    /// Digest of its first refresh token.
    pub refresh: RefreshDigest,
    /// The expiry of that token.
    pub refresh_until: DateTime<Utc>,
    /// Limit of concurrent sessions of the user, including this one.
    pub at_once: u32,
}

/// The result of presenting a refresh token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Rotation {
    /// It was valid and is now used up; only its successor is valid.
    Rotated {
        /// The session it belongs to.
        session: SessionId,
        /// The user.
        user: UserId,
    },
    /// It had been replaced, and its successor has been used or replaced since, so the token was copied. The session
    /// has been ended.
    Reused {
        /// The session it belonged to.
        session: SessionId,
    },
    /// It is unknown or expired, or its session has ended.
    Refused,
}

/// Stores sessions and their refresh tokens; every operation is atomic.
#[async_trait]
pub trait Sessions: Send + Sync {
    /// Starts a session. If the user exceeds the limit, the least recently used sessions are deleted in the same step,
    /// ended ones first. Returns those.
    ///
    /// # Errors
    /// [`PortError`] when it cannot be written.
    async fn open(&self, session: &NewSession) -> Result<Vec<SessionId>, PortError>;

    /// Uses up a refresh token and replaces it with the next one, which never outlives the session.
    ///
    /// A token may be presented again until its successor has been, because the answer may have been lost. The unused
    /// successor is then replaced, so that of any number of attempts, parallel or not, exactly one successor is valid.
    ///
    /// # Errors
    /// [`PortError`] when it cannot be written.
    async fn rotate(
        &self,
        presented: &RefreshDigest,
        next: &RefreshDigest,
        now: DateTime<Utc>,
        next_until: DateTime<Utc>,
    ) -> Result<Rotation, PortError>;

    /// Ends a session.
    ///
    /// # Errors
    /// [`PortError`] when it cannot be written.
    async fn revoke(&self, session: SessionId, now: DateTime<Utc>) -> Result<(), PortError>;

    /// Ends all sessions of a user.
    ///
    /// # Errors
    /// [`PortError`] when it cannot be written.
    async fn revoke_all(&self, user: UserId, now: DateTime<Utc>) -> Result<(), PortError>;
}

/// Validates sessions. Answers may be cached for at most five seconds.
#[async_trait]
pub trait Standings: Send + Sync {
    /// The user's role, if the session has not ended and the user may sign in.
    ///
    /// # Errors
    /// [`PortError`] when the lookup fails.
    async fn of(&self, user: UserId, session: SessionId, now: DateTime<Utc>)
    -> Result<Option<PlatformRole>, PortError>;

    /// Drops the cached answer of a session that has just ended.
    fn forget(&self, session: SessionId);
}

/// The claims of an access token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccessClaims {
    /// Id of the token.
    pub id: Uuid,
    /// The user.
    pub user: UserId,
    /// The session.
    pub session: SessionId,
    /// When it was issued.
    pub issued_at: DateTime<Utc>,
    /// Its expiry.
    pub expires_at: DateTime<Utc>,
}

/// Issues and verifies signed access tokens.
#[async_trait]
pub trait AccessTokens: Send + Sync {
    /// Signs a token.
    ///
    /// # Errors
    /// [`PortError`] when there is no signing key.
    async fn issue(&self, claims: &AccessClaims) -> Result<String, PortError>;

    /// The claims of a token that is genuine and valid at that instant; otherwise `None`, without a reason.
    ///
    /// # Errors
    /// [`PortError`] when the keys cannot be read.
    async fn verify(&self, token: &str, now: DateTime<Utc>) -> Result<Option<AccessClaims>, PortError>;

    /// The public keys as a JSON Web Key Set document (RFC 7517).
    ///
    /// # Errors
    /// [`PortError`] when the keys cannot be read.
    async fn public_keys(&self) -> Result<String, PortError>;
}

/// The one-time token for the first administrator, and where the operator finds it.
#[derive(Clone, PartialEq, Eq)]
pub struct BootstrapOffer {
    /// The token.
    pub token: String,
    /// Its location, for example a file.
    pub location: String,
}

impl fmt::Debug for BootstrapOffer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BootstrapOffer").field("location", &self.location).finish_non_exhaustive()
    }
}

/// Stores the one-time token for the first administrator.
#[async_trait]
pub trait BootstrapTokens: Send + Sync {
    /// The token; generated if there is none.
    ///
    /// # Errors
    /// [`PortError`] when it can be neither read nor written.
    async fn offer(&self) -> Result<BootstrapOffer, PortError>;

    /// Whether a presented token matches; compared in constant time.
    ///
    /// # Errors
    /// [`PortError`] when it cannot be read.
    async fn matches(&self, presented: &str) -> Result<bool, PortError>;

    /// Deletes the token, if there is one.
    ///
    /// # Errors
    /// [`PortError`] when it cannot be removed.
    async fn withdraw(&self) -> Result<(), PortError>;
}
