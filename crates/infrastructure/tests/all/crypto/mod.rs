//! Keys, tokens and password hashes.

mod access_tokens;
mod bootstrap;
mod master_key;
mod passwords;
