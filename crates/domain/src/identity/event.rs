use serde::{Deserialize, Serialize};

use super::values::PlatformRole;
use crate::kernel::ids::ProjectId;

/// An account was registered.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct UserRegistered {
    /// Their role on the platform.
    pub role: PlatformRole,
    /// The personal project, so that the first agent needs no setup.
    pub personal_project: ProjectId,
}

/// The account was disabled: the person can no longer sign in.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct UserDisabled {}

/// The account was enabled again.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct UserEnabled {}

/// The person's role on the platform was changed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PlatformRoleChanged {
    /// The new role.
    pub role: PlatformRole,
}

/// The password was changed; passwords themselves are never in events.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PasswordChanged {}

/// The account was erased; only the id remains.
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
        /// The account was registered.
        Registered(UserRegistered),
        /// It was disabled.
        Disabled(UserDisabled),
        /// It was enabled again.
        Enabled(UserEnabled),
        /// The role on the platform was changed.
        RoleChanged(PlatformRoleChanged),
        /// The password was changed.
        PasswordChanged(PasswordChanged),
        /// It was erased.
        Erased(UserErased),
    }
}
