//! Credentials in memory keep the contract, and the contract detects those that break a promise.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicU8, AtomicU64, Ordering},
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
use devskyy_testkit::{
    contracts::credentials::CredentialsUnderTest,
    fakes::{InMemoryAccessTokens, InMemoryBootstrap, InMemoryPasswordHasher, SequentialTokenMint},
};

fn fresh() -> CredentialsUnderTest {
    CredentialsUnderTest {
        hasher: Arc::new(InMemoryPasswordHasher::default()),
        mint: Arc::new(SequentialTokenMint::default()),
        tokens: Arc::new(InMemoryAccessTokens::default()),
        bootstrap: Arc::new(InMemoryBootstrap::default()),
        keep: Box::new(()),
    }
}

async fn in_memory() -> CredentialsUnderTest {
    fresh()
}

devskyy_testkit::credentials_contract!(in_memory);

/// Accepts everything, and makes everything alike.
#[derive(Default)]
struct Credulous(Mutex<Option<AccessClaims>>);

#[async_trait]
impl PasswordHasher for Credulous {
    async fn hash(&self, _: &Password) -> Result<PasswordHash, HashError> {
        Ok(PasswordHash("unsalted".to_owned()))
    }

    async fn verify(&self, _: &str, _: Option<&PasswordHash>) -> Result<bool, HashError> {
        Ok(true)
    }
}

impl TokenMint for Credulous {
    fn token(&self) -> Result<String, PortError> {
        Ok("hunter/2?".to_owned())
    }

    fn digest(&self, _: &str) -> [u8; 32] {
        [0; 32]
    }

    fn keyed(&self, _: &str, _: &[u8]) -> [u8; 32] {
        [0; 32]
    }
}

#[async_trait]
impl AccessTokens for Credulous {
    async fn issue(&self, claims: &AccessClaims) -> Result<String, PortError> {
        *self.0.lock().unwrap() = Some(claims.clone());
        Ok("token".to_owned())
    }

    async fn verify(&self, _: &str, _: DateTime<Utc>) -> Result<Option<AccessClaims>, PortError> {
        Ok(self.0.lock().unwrap().clone())
    }

    async fn public_keys(&self) -> Result<String, PortError> {
        Ok("[]".to_owned())
    }
}

#[async_trait]
impl BootstrapTokens for Credulous {
    async fn offer(&self) -> Result<BootstrapOffer, PortError> {
        Ok(BootstrapOffer { token: "always this".to_owned(), location: "memory".to_owned() })
    }

    async fn matches(&self, _: &str) -> Result<bool, PortError> {
        Ok(true)
    }

    async fn withdraw(&self) -> Result<(), PortError> {
        Ok(())
    }
}

/// Accepts nothing, and makes everything anew.
#[derive(Default)]
struct Suspicious {
    made: AtomicU64,
    digests: AtomicU8,
}

#[async_trait]
impl PasswordHasher for Suspicious {
    async fn hash(&self, password: &Password) -> Result<PasswordHash, HashError> {
        Ok(PasswordHash(password.expose().to_owned()))
    }

    async fn verify(&self, _: &str, _: Option<&PasswordHash>) -> Result<bool, HashError> {
        Ok(false)
    }
}

impl TokenMint for Suspicious {
    fn token(&self) -> Result<String, PortError> {
        Ok(self.made.fetch_add(1, Ordering::Relaxed).to_string())
    }

    fn digest(&self, _: &str) -> [u8; 32] {
        [self.digests.fetch_add(1, Ordering::Relaxed); 32]
    }

    fn keyed(&self, _: &str, _: &[u8]) -> [u8; 32] {
        self.digest("")
    }
}

#[async_trait]
impl AccessTokens for Suspicious {
    async fn issue(&self, claims: &AccessClaims) -> Result<String, PortError> {
        Ok(claims.id.to_string())
    }

    async fn verify(&self, _: &str, _: DateTime<Utc>) -> Result<Option<AccessClaims>, PortError> {
        Ok(None)
    }

    async fn public_keys(&self) -> Result<String, PortError> {
        Ok("none of your business".to_owned())
    }
}

#[async_trait]
impl BootstrapTokens for Suspicious {
    async fn offer(&self) -> Result<BootstrapOffer, PortError> {
        Ok(BootstrapOffer { token: self.token()?, location: "memory".to_owned() })
    }

    async fn matches(&self, _: &str) -> Result<bool, PortError> {
        Ok(false)
    }

    async fn withdraw(&self) -> Result<(), PortError> {
        Ok(())
    }
}

/// All ports from one adapter.
fn all_of<T>(adapter: T) -> CredentialsUnderTest
where
    T: PasswordHasher + TokenMint + AccessTokens + BootstrapTokens + 'static,
{
    let adapter = Arc::new(adapter);
    CredentialsUnderTest {
        hasher: adapter.clone(),
        mint: adapter.clone(),
        tokens: adapter.clone(),
        bootstrap: adapter,
        keep: Box::new(()),
    }
}

fn flawed() -> [CredentialsUnderTest; 2] {
    [all_of(Credulous::default()), all_of(Suspicious::default())]
}

mod caught {
    use super::flawed;

    devskyy_testkit::credentials_contract!(each broken flawed);
}
