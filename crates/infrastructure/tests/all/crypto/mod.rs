//! Keys, tokens and password hashes.

mod access_tokens;
mod bootstrap;
mod credentials;
mod forge;
mod forged_claims;
mod forged_headers;
mod forged_signatures;
mod key_rotation;
mod master_key;
mod passwords;
mod signing_key_stores;
mod world;
