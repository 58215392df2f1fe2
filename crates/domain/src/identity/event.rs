use serde::{Deserialize, Serialize};

use super::values::PlatformRole;
use crate::kernel::ids::ProjectId;

/// A person may sign in from now on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct UserRegistered {
    /// Their role on the platform.
    pub role: PlatformRole,
    /// The project made for them, so that their first agent needs no set-up.
    pub personal_project: ProjectId,
}

/// The person may not sign in any more.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct UserDisabled {}

/// The person may sign in again.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct UserEnabled {}

/// The person has another role on the platform.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PlatformRoleChanged {
    /// Their role from now on.
    pub role: PlatformRole,
}

/// The person has another password; the passwords themselves are no facts.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PasswordChanged {}

/// The person is forgotten; only the id stays.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct UserErased {}

crate::first_version! {
    UserRegistered = "user.registered",
    UserDisabled = "user.disabled",
    UserEnabled = "user.enabled",
    PlatformRoleChanged = "user.role_changed",
    PasswordChanged = "user.password_changed",
    UserErased = "user.erased",
}

crate::event_set! {
    /// What can happen to a person's account.
    pub enum UserEvent {
        /// A person may sign in from now on.
        Registered(UserRegistered),
        /// The person may not sign in any more.
        Disabled(UserDisabled),
        /// The person may sign in again.
        Enabled(UserEnabled),
        /// The person has another role on the platform.
        RoleChanged(PlatformRoleChanged),
        /// The person has another password.
        PasswordChanged(PasswordChanged),
        /// The person is forgotten.
        Erased(UserErased),
    }
}
