//! Accounts of people: their role on the platform, and the rules for e-mails and passwords.
//!
//! E-mail, name and password never appear in events, which only contain the user's id.

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
