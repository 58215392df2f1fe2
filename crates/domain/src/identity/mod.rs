//! People who sign in: who they are to the platform, and what makes an e-mail or a password acceptable.
//!
//! E-mail, name and password never enter an event; events carry the user's id only.

mod common_passwords;
mod error;
mod event;
mod keys;
mod roster;
mod user;
mod values;

#[cfg(test)]
mod tests;

pub use error::IdentityError;
pub use event::{
    PasswordChanged, PlatformRoleChanged, UserDisabled, UserEnabled, UserErased, UserEvent, UserRegistered,
};
pub use keys::{
    ApiKey, ApiKeyDetails, ApiKeyError, ApiKeyEvent, ApiKeyIssued, ApiKeyRevoked, ApiKeyRotated, KeyName, KeyRequest,
    KeyScope, LONGEST_LIFE, LONGEST_OVERLAP, Renewal,
};
pub use roster::{AdministratorLeft, Roster, RosterEvent};
pub use user::{User, UserDetails};
pub use values::{DisplayName, Email, Password, PasswordPolicy, PlatformRole};
