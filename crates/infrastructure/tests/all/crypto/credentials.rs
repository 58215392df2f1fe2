//! The real credentials keep the contract.

use std::sync::Arc;

use devskyy_infrastructure::crypto::{Argon2Cost, Argon2PasswordHasher, FileBootstrapTokens, KeyedTokenMint};
use devskyy_testkit::contracts::credentials::CredentialsUnderTest;

use super::world::{master, tokens};

async fn real() -> CredentialsUnderTest {
    let directory = tempfile::tempdir().unwrap();
    let cheap = Argon2Cost { memory_kib: 64, passes: 1, lanes: 1 };
    CredentialsUnderTest {
        hasher: Arc::new(Argon2PasswordHasher::start(cheap, 1, 8).unwrap()),
        mint: Arc::new(KeyedTokenMint::new(master())),
        tokens: Arc::new(tokens().await),
        bootstrap: Arc::new(FileBootstrapTokens::new(directory.path())),
        keep: Box::new(directory),
    }
}

devskyy_testkit::credentials_contract!(real);
