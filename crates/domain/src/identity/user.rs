use super::{
    error::IdentityError,
    event::{PasswordChanged, PlatformRoleChanged, UserDisabled, UserEnabled, UserErased, UserEvent, UserRegistered},
    values::PlatformRole,
};
use crate::kernel::{
    Aggregate, Decision,
    ids::{ProjectId, UserId},
};

/// What the platform knows of a registered person; everything personal lives outside the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UserDetails {
    /// Their role on the platform.
    pub role: PlatformRole,
    /// The project made for them.
    pub personal_project: ProjectId,
}

/// One person's account. The variants are its life.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum User {
    /// Nothing has been recorded yet.
    #[default]
    Unregistered,
    /// May sign in.
    Active(UserDetails),
    /// May not sign in until enabled again.
    Disabled(UserDetails),
    /// Forgotten.
    Erased,
}

impl User {
    /// Registers a person together with the project made for them.
    ///
    /// # Errors
    /// [`IdentityError::AlreadyRegistered`] when the id is in use.
    pub fn register(&self, role: PlatformRole, personal_project: ProjectId) -> Decision<Self> {
        match self {
            Self::Unregistered => Ok(vec![UserRegistered { role, personal_project }.into()]),
            Self::Active(_) | Self::Disabled(_) | Self::Erased => Err(IdentityError::AlreadyRegistered),
        }
    }

    /// Keeps a person from signing in.
    ///
    /// # Errors
    /// [`IdentityError::NotRegistered`] when there is no such person.
    pub fn disable(&self) -> Decision<Self> {
        match self {
            Self::Active(_) => Ok(vec![UserDisabled {}.into()]),
            Self::Disabled(_) => Ok(vec![]),
            Self::Erased => Err(IdentityError::Erased),
            Self::Unregistered => Err(IdentityError::NotRegistered),
        }
    }

    /// Lets a person sign in again.
    ///
    /// # Errors
    /// [`IdentityError::NotRegistered`] when there is no such person.
    pub fn enable(&self) -> Decision<Self> {
        match self {
            Self::Disabled(_) => Ok(vec![UserEnabled {}.into()]),
            Self::Active(_) => Ok(vec![]),
            Self::Erased => Err(IdentityError::Erased),
            Self::Unregistered => Err(IdentityError::NotRegistered),
        }
    }

    /// Gives a person another role on the platform.
    ///
    /// # Errors
    /// [`IdentityError::NotRegistered`] when there is no such person.
    pub fn change_role(&self, to: PlatformRole) -> Decision<Self> {
        match self {
            Self::Active(details) | Self::Disabled(details) if details.role == to => Ok(vec![]),
            Self::Active(_) | Self::Disabled(_) => Ok(vec![PlatformRoleChanged { role: to }.into()]),
            Self::Erased => Err(IdentityError::Erased),
            Self::Unregistered => Err(IdentityError::NotRegistered),
        }
    }

    /// Notes that a person has another password.
    ///
    /// # Errors
    /// When there is no such person, or no more.
    pub fn change_password(&self) -> Decision<Self> {
        match self {
            Self::Active(_) | Self::Disabled(_) => Ok(vec![PasswordChanged {}.into()]),
            Self::Erased => Err(IdentityError::Erased),
            Self::Unregistered => Err(IdentityError::NotRegistered),
        }
    }

    /// Forgets a person.
    ///
    /// # Errors
    /// [`IdentityError::NotRegistered`] when there is no such person.
    pub fn erase(&self) -> Decision<Self> {
        match self {
            Self::Active(_) | Self::Disabled(_) => Ok(vec![UserErased {}.into()]),
            Self::Erased => Ok(vec![]),
            Self::Unregistered => Err(IdentityError::NotRegistered),
        }
    }

    /// Whether the person runs the platform at present.
    #[must_use]
    pub const fn is_active_administrator(&self) -> bool {
        matches!(self, Self::Active(UserDetails { role: PlatformRole::Admin, .. }))
    }

    /// What is known of the person, once registered.
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
