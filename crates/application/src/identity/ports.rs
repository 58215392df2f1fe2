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

/// A slow hash of a password, with its salt and cost, as text; never printed.
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
    /// Too many passwords are waiting; nothing was done.
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

/// Hashes passwords slowly, a bounded number at a time.
#[async_trait]
pub trait PasswordHasher: Send + Sync {
    /// Hashes a new password with a salt of its own.
    ///
    /// # Errors
    /// [`HashError::Overloaded`] when too many wait.
    async fn hash(&self, password: &Password) -> Result<PasswordHash, HashError>;

    /// Whether a presented password is the one that was hashed. Without a hash it costs the same and the answer is no.
    /// Use cases ask through [`PresentedPassword::is_right`].
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
    /// Bytes that are looked at; a valid password has at most 128 characters of four bytes.
    const LONGEST: usize = 512;

    /// The password of a request.
    #[must_use]
    pub fn new(text: &'a str) -> Self {
        let looked_at = text.get(..text.floor_char_boundary(Self::LONGEST)).unwrap_or_default();
        Self { looked_at, whole: looked_at.len() == text.len() }
    }

    /// Whether it is the password that was hashed. One that is longer than any valid password is not, whatever it begins with;
    /// it costs one hash like every other.
    ///
    /// # Errors
    /// [`HashError::Overloaded`] when too many passwords wait.
    pub async fn is_right(&self, hasher: &dyn PasswordHasher, hash: Option<&PasswordHash>) -> Result<bool, HashError> {
        hasher.verify(self.looked_at, hash.filter(|_| self.whole)).await
    }
}

/// Random and keyed values that nobody outside can foresee or recompute.
pub trait TokenMint: Send + Sync {
    /// A fresh opaque token of 256 random bits, safe in URLs.
    ///
    /// # Errors
    /// [`PortError`] when the system has no randomness to give.
    fn token(&self) -> Result<String, PortError>;

    /// One-way digest of an opaque token; only the digest is ever stored.
    fn digest(&self, token: &str) -> [u8; 32];

    /// Keyed digest of a guessable value (an e-mail), under the platform's master key; purposes never meet.
    fn keyed(&self, purpose: &str, value: &[u8]) -> [u8; 32];
}

/// The private rows of one person, as registration writes them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PrivateAccount {
    /// Who.
    pub user: UserId,
    /// Their e-mail.
    pub email: Email,
    /// Its keyed digest, by which it is found.
    pub email_digest: [u8; 32],
    /// The name they go by.
    pub name: DisplayName,
    /// Their password's hash.
    pub password: PasswordHash,
    /// When the rows were written.
    pub created_at: DateTime<Utc>,
}

/// What a password is checked against.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Credentials {
    /// Whose.
    pub user: UserId,
    /// The password's hash.
    pub password: PasswordHash,
}

/// What is personal about a person.
#[derive(Clone, PartialEq, Eq)]
pub struct Profile {
    /// Their e-mail.
    pub email: String,
    /// The name they go by.
    pub name: String,
}

impl fmt::Debug for Profile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Profile(…)")
    }
}

/// Keeps what is personal, outside the log. A row means nothing until an event refers to its user.
#[async_trait]
pub trait Accounts: Send + Sync {
    /// Writes the private rows of a person who is about to be registered.
    ///
    /// # Errors
    /// [`PortError`] when they cannot be written.
    async fn save(&self, account: &PrivateAccount) -> Result<(), PortError>;

    /// Everybody who ever wrote rows with this e-mail; at most one of them is registered.
    ///
    /// # Errors
    /// [`PortError`] when the answer cannot be had.
    async fn find_by_email(&self, digest: &[u8; 32]) -> Result<Vec<Credentials>, PortError>;

    /// What is personal about people; those without rows are left out.
    ///
    /// # Errors
    /// [`PortError`] when the answer cannot be had.
    async fn profiles(&self, users: &[UserId]) -> Result<Vec<(UserId, Profile)>, PortError>;

    /// Deletes a person's private rows.
    ///
    /// # Errors
    /// [`PortError`] when they cannot be deleted.
    async fn remove(&self, user: UserId) -> Result<(), PortError>;

    /// Deletes the rows no event refers to that were written before an instant, and says how many.
    ///
    /// # Errors
    /// [`PortError`] when they cannot be deleted.
    async fn sweep(&self, before: DateTime<Utc>) -> Result<u64, PortError>;
}

/// Answers questions about users as the log tells.
#[async_trait]
pub trait UserViews: Send + Sync {
    /// Finds one user.
    ///
    /// # Errors
    /// [`PortError`] when the answer cannot be had.
    async fn find(&self, user: UserId) -> Result<Option<UserRecord>, PortError>;

    /// Whether anybody runs the platform yet.
    ///
    /// # Errors
    /// [`PortError`] when the answer cannot be had.
    async fn has_admin(&self) -> Result<bool, PortError>;

    /// How many people run the platform and may sign in.
    ///
    /// # Errors
    /// [`PortError`] when the answer cannot be had.
    async fn active_administrators(&self) -> Result<u64, PortError>;

    /// Lists users, the oldest first, erased ones too.
    ///
    /// # Errors
    /// [`PortError`] when the answer cannot be had.
    async fn list(&self, filter: UserFilter, part: &Part) -> Result<PageOf<UserRecord>, PortError>;
}

/// SHA-256 of a refresh token.
pub type RefreshDigest = [u8; 32];

/// A sign-in about to begin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewSession {
    /// Its id.
    pub id: SessionId,
    /// Who signs in.
    pub user: UserId,
    /// When.
    pub opened_at: DateTime<Utc>,
    /// When it ends, whatever is refreshed.
    pub ends_at: DateTime<Utc>,
    /// Digest of its first refresh token.
    pub refresh: RefreshDigest,
    /// Until when that token can be used.
    pub refresh_until: DateTime<Utc>,
    /// Sign-ins that the person may have at a time, this one included.
    pub at_once: u32,
}

/// What came of presenting a refresh token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Rotation {
    /// It counted, is used up now, and the next one is the only one that counts.
    Rotated {
        /// The sign-in it belongs to.
        session: SessionId,
        /// Who signed in.
        user: UserId,
    },
    /// It had been replaced, and what replaced it is in use or was replaced itself: somebody has a copy. The whole sign-in
    /// has been ended.
    Reused {
        /// The sign-in it belonged to.
        session: SessionId,
    },
    /// It is unknown, expired, or its sign-in has ended.
    Refused,
}

/// Keeps sign-ins and their refresh tokens; every step is atomic.
#[async_trait]
pub trait Sessions: Send + Sync {
    /// Begins a sign-in. Of a person who has more than they may, those used longest ago are forgotten in the same step,
    /// ended ones first; says which.
    ///
    /// # Errors
    /// [`PortError`] when it cannot be written.
    async fn open(&self, session: &NewSession) -> Result<Vec<SessionId>, PortError>;

    /// Uses up a refresh token and puts the next one in its place, which never outlives the sign-in.
    ///
    /// A token may be presented again for as long as its successor has not been: the answer may have been lost. The
    /// unanswered successor is then replaced, so that of any number of attempts, in parallel or not, exactly one
    /// successor counts.
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

    /// Ends a sign-in.
    ///
    /// # Errors
    /// [`PortError`] when it cannot be written.
    async fn revoke(&self, session: SessionId, now: DateTime<Utc>) -> Result<(), PortError>;

    /// Ends every sign-in of a person.
    ///
    /// # Errors
    /// [`PortError`] when it cannot be written.
    async fn revoke_all(&self, user: UserId, now: DateTime<Utc>) -> Result<(), PortError>;
}

/// Tells whether a sign-in still counts; may remember an answer for a few seconds, never for more than five.
#[async_trait]
pub trait Standings: Send + Sync {
    /// The person's role where their sign-in has not ended and they may sign in, and nothing otherwise.
    ///
    /// # Errors
    /// [`PortError`] when the answer cannot be had.
    async fn of(&self, user: UserId, session: SessionId, now: DateTime<Utc>)
    -> Result<Option<PlatformRole>, PortError>;

    /// Forgets what is remembered of a sign-in that has just ended.
    fn forget(&self, session: SessionId);
}

/// What an access token says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccessClaims {
    /// Identity of the token.
    pub id: Uuid,
    /// Who.
    pub user: UserId,
    /// Their sign-in.
    pub session: SessionId,
    /// When it was issued.
    pub issued_at: DateTime<Utc>,
    /// Until when it counts.
    pub expires_at: DateTime<Utc>,
}

/// Issues and checks signed access tokens.
#[async_trait]
pub trait AccessTokens: Send + Sync {
    /// Signs a token.
    ///
    /// # Errors
    /// [`PortError`] when there is no key to sign with.
    async fn issue(&self, claims: &AccessClaims) -> Result<String, PortError>;

    /// What a token says, where it is genuine and counts at that instant; nothing otherwise, and never why.
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

/// The one-time token of the first administrator, and where the operator finds it.
#[derive(Clone, PartialEq, Eq)]
pub struct BootstrapOffer {
    /// The token itself.
    pub token: String,
    /// Where it is kept, for example a file.
    pub location: String,
}

impl fmt::Debug for BootstrapOffer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BootstrapOffer").field("location", &self.location).finish_non_exhaustive()
    }
}

/// Keeps the one-time token that makes the first administrator.
#[async_trait]
pub trait BootstrapTokens: Send + Sync {
    /// The token, made now where there is none.
    ///
    /// # Errors
    /// [`PortError`] when it can be neither read nor written.
    async fn offer(&self) -> Result<BootstrapOffer, PortError>;

    /// Whether a presented token is the one on offer; compared in constant time.
    ///
    /// # Errors
    /// [`PortError`] when it cannot be read.
    async fn matches(&self, presented: &str) -> Result<bool, PortError>;

    /// Withdraws the token; fine when there is none.
    ///
    /// # Errors
    /// [`PortError`] when it cannot be removed.
    async fn withdraw(&self) -> Result<(), PortError>;
}
