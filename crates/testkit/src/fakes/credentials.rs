use std::{
    collections::{HashMap, hash_map::DefaultHasher},
    hash::{Hash, Hasher},
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
};

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use devskyy_application::{
    error::PortError,
    identity::{
        AccessClaims, AccessTokens, BootstrapOffer, BootstrapTokens, HashError, PasswordHash, PasswordHasher, TokenMint,
    },
};
use devskyy_domain::identity::Password;
use tokio::sync::{RwLock, RwLockWriteGuard};

/// A hasher without cost or security that counts its calls.
#[derive(Debug, Default)]
pub struct InMemoryPasswordHasher {
    calls: AtomicU64,
    overloaded: AtomicBool,
    turn: RwLock<()>,
}

impl InMemoryPasswordHasher {
    /// Number of passwords hashed or verified, known or not.
    #[must_use]
    pub fn calls(&self) -> u64 {
        self.calls.load(Ordering::Relaxed)
    }

    /// Sets whether the hasher is overloaded.
    pub fn overload(&self, overloaded: bool) {
        self.overloaded.store(overloaded, Ordering::Relaxed);
    }

    /// Blocks all verifications until the guard is dropped.
    pub async fn hold(&self) -> RwLockWriteGuard<'_, ()> {
        self.turn.write().await
    }

    fn count(&self) -> Result<(), HashError> {
        self.calls.fetch_add(1, Ordering::Relaxed);
        if self.overloaded.load(Ordering::Relaxed) { Err(HashError::Overloaded) } else { Ok(()) }
    }
}

#[async_trait]
impl PasswordHasher for InMemoryPasswordHasher {
    async fn hash(&self, password: &Password) -> Result<PasswordHash, HashError> {
        let salt = self.calls();
        self.count()?;
        Ok(PasswordHash(format!("{salt}${}", password.expose())))
    }

    async fn verify(&self, presented: &str, hash: Option<&PasswordHash>) -> Result<bool, HashError> {
        self.count()?;
        let _turn = self.turn.read().await;
        Ok(hash.and_then(|hash| hash.0.split_once('$')).is_some_and(|(_, password)| password == presented))
    }
}

/// Predictable secrets.
#[derive(Debug, Default)]
pub struct SequentialTokenMint(AtomicU64);

impl TokenMint for SequentialTokenMint {
    fn token(&self) -> Result<String, PortError> {
        Ok(format!("token-{:043}", self.0.fetch_add(1, Ordering::Relaxed) + 1))
    }

    fn digest(&self, token: &str) -> [u8; 32] {
        spread("digest", token.as_bytes())
    }

    fn keyed(&self, purpose: &str, value: &[u8]) -> [u8; 32] {
        spread(purpose, value)
    }
}

fn spread(purpose: &str, value: &[u8]) -> [u8; 32] {
    let mut bytes = [0; 32];
    for (round, chunk) in bytes.chunks_mut(8).enumerate() {
        let mut hasher = DefaultHasher::new();
        (round, purpose, value).hash(&mut hasher);
        chunk.copy_from_slice(&hasher.finish().to_be_bytes());
    }
    bytes
}

/// Access tokens that are keys to claims in memory.
#[derive(Debug, Default)]
pub struct InMemoryAccessTokens(Mutex<HashMap<String, AccessClaims>>);

#[async_trait]
impl AccessTokens for InMemoryAccessTokens {
    async fn issue(&self, claims: &AccessClaims) -> Result<String, PortError> {
        let token = format!("access-{}", claims.id);
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(token.clone(), claims.clone());
        Ok(token)
    }

    async fn verify(&self, token: &str, now: DateTime<Utc>) -> Result<Option<AccessClaims>, PortError> {
        let tokens = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(tokens.get(token).filter(|claims| claims.issued_at <= now && now < claims.expires_at).cloned())
    }

    async fn public_keys(&self) -> Result<String, PortError> {
        Ok(r#"{"keys":[]}"#.to_owned())
    }
}

/// The bootstrap token in memory.
#[derive(Debug, Default)]
pub struct InMemoryBootstrap {
    token: Mutex<Option<String>>,
    made: AtomicU64,
}

#[async_trait]
impl BootstrapTokens for InMemoryBootstrap {
    async fn offer(&self) -> Result<BootstrapOffer, PortError> {
        let mut token = self.token.lock().unwrap_or_else(PoisonError::into_inner);
        let made = || format!("bootstrap-{}", self.made.fetch_add(1, Ordering::Relaxed) + 1);
        let token = token.get_or_insert_with(made).clone();
        Ok(BootstrapOffer { token, location: "memory".to_owned() })
    }

    async fn matches(&self, presented: &str) -> Result<bool, PortError> {
        Ok(self.token.lock().unwrap_or_else(PoisonError::into_inner).as_deref() == Some(presented))
    }

    async fn withdraw(&self) -> Result<(), PortError> {
        *self.token.lock().unwrap_or_else(PoisonError::into_inner) = None;
        Ok(())
    }
}
