use super::{
    error::IdentityError,
    event::{PasswordChanged, PlatformRoleChanged, UserDisabled, UserEnabled, UserErased, UserEvent, UserRegistered},
    values::PlatformRole,
};
use crate::kernel::{
    Aggregate, Decision,
    ids::{ProjectId, UserId},
};

/// The properties of a registered account; personal data is stored outside the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UserDetails {
    /// Their role on the platform.
    pub role: PlatformRole,
    /// The personal project.
    pub personal_project: ProjectId,
}

/// One account. The variants are the states of its life cycle.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum User {
    /// Nothing has been recorded yet.
    #[default]
    Unregistered,
    /// The person may sign in.
    Active(UserDetails),
    /// The person may not sign in until the account is enabled again.
    Disabled(UserDetails),
    /// Erased.
    Erased,
}

impl User {
    /// Registers an account together with its personal project.
    ///
    /// # Errors
    /// [`IdentityError::AlreadyRegistered`] when the id is in use.
    pub fn register(&self, role: PlatformRole, personal_project: ProjectId) -> Decision<Self> {
        match self {
            Self::Unregistered => Ok(vec![UserRegistered { role, personal_project }.into()]),
            Self::Active(_) | Self::Disabled(_) | Self::Erased => Err(IdentityError::AlreadyRegistered),
        }
    }

    /// Disables the account, so that the person cannot sign in.
    ///
    /// # Errors
    /// [`IdentityError::NotRegistered`] when there is no such account.
    pub fn disable(&self) -> Decision<Self> {
        match self {
            Self::Active(_) => Ok(vec![UserDisabled {}.into()]),
            Self::Disabled(_) => Ok(vec![]),
            Self::Erased => Err(IdentityError::Erased),
            Self::Unregistered => Err(IdentityError::NotRegistered),
        }
    }

    /// Enables the account again.
    ///
    /// # Errors
    /// [`IdentityError::NotRegistered`] when there is no such account.
    pub fn enable(&self) -> Decision<Self> {
        match self {
            Self::Disabled(_) => Ok(vec![UserEnabled {}.into()]),
            Self::Active(_) => Ok(vec![]),
            Self::Erased => Err(IdentityError::Erased),
            Self::Unregistered => Err(IdentityError::NotRegistered),
        }
    }

    /// Changes the person's role on the platform.
    ///
    /// # Errors
    /// [`IdentityError::NotRegistered`] when there is no such account.
    pub fn change_role(&self, to: PlatformRole) -> Decision<Self> {
        match self {
            Self::Active(details) | Self::Disabled(details) if details.role == to => Ok(vec![]),
            Self::Active(_) | Self::Disabled(_) => Ok(vec![PlatformRoleChanged { role: to }.into()]),
            Self::Erased => Err(IdentityError::Erased),
            Self::Unregistered => Err(IdentityError::NotRegistered),
        }
    }

    /// Records that the password was changed.
    ///
    /// # Errors
    /// When there is no such account, or it was erased.
    pub fn change_password(&self) -> Decision<Self> {
        match self {
            Self::Active(_) | Self::Disabled(_) => Ok(vec![PasswordChanged {}.into()]),
            Self::Erased => Err(IdentityError::Erased),
            Self::Unregistered => Err(IdentityError::NotRegistered),
        }
    }

    /// Erases the account.
    ///
    /// # Errors
    /// [`IdentityError::NotRegistered`] when there is no such account.
    pub fn erase(&self) -> Decision<Self> {
        match self {
            Self::Active(_) | Self::Disabled(_) => Ok(vec![UserErased {}.into()]),
            Self::Erased => Ok(vec![]),
            Self::Unregistered => Err(IdentityError::NotRegistered),
        }
    }

    /// Whether the person is an active administrator.
    #[must_use]
    pub const fn is_active_administrator(&self) -> bool {
        matches!(self, Self::Active(UserDetails { role: PlatformRole::Admin, .. }))
    }

    /// The account's properties, once registered.
    #[must_use]
    pub const fn details(&self) -> Option<UserDetails> {
        match self {
            Self::Active(details) | Self::Disabled(details) => Some(*details),
            Self::Unregistered | Self::Erased => None,
        }
    }
}

impl Aggregate for User {
    const CATEGORY: &'static str = "user";
    type Id = UserId;
    type Event = UserEvent;
    type Error = IdentityError;

    fn apply(&mut self, event: &UserEvent) {
        *self = match (&*self, event) {
            (_, UserEvent::Registered(it)) => {
                Self::Active(UserDetails { role: it.role, personal_project: it.personal_project })
            }
            (Self::Active(details), UserEvent::Disabled(_)) => Self::Disabled(*details),
            (Self::Disabled(details), UserEvent::Enabled(_)) => Self::Active(*details),
            (Self::Active(details), UserEvent::RoleChanged(it)) => {
                Self::Active(UserDetails { role: it.role, ..*details })
            }
            (Self::Disabled(details), UserEvent::RoleChanged(it)) => {
                Self::Disabled(UserDetails { role: it.role, ..*details })
            }
            (Self::Active(_) | Self::Disabled(_), UserEvent::Erased(_)) => Self::Erased,
            (same, _) => same.clone(),
        };
    }
}
