//! Cryptography: the master key, password hashes, signed access tokens, one-time tokens.
//!
//! One provider (aws-lc-rs) implements everything but Argon2. Key material is never printed, logged or returned.

mod access_tokens;
mod bootstrap_file;
mod key_ring;
mod key_rotation;
mod keyed_token_mint;
mod master_key;
mod password_hasher;
mod secret_file;
mod signing_key_table;
mod verified_tokens;

pub use access_tokens::{EdDsaAccessTokens, TokenSettings};
pub use bootstrap_file::FileBootstrapTokens;
pub use key_ring::{KeyRing, SealedKey, SigningKeyStore};
pub use key_rotation::{KeyRotation, PUBLISHED_BEFORE};
pub use keyed_token_mint::KeyedTokenMint;
pub use master_key::{MasterKey, MasterKeyError};
pub use password_hasher::{Argon2Cost, Argon2PasswordHasher};
pub use secret_file::create_secret_file;
pub use signing_key_table::SqlSigningKeyStore;
