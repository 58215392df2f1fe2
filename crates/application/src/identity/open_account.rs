use devskyy_domain::identity::{DisplayName, Email, Password, PasswordPolicy, PlatformRole};

use super::{
    enrolment::{Enrolled, Enrolment},
    register::Register,
    views::UserView,
};
use crate::{
    access::{Access, PlatformPermission},
    context::Actor,
    error::Error,
};

/// Asks for somebody's account.
#[derive(Debug)]
pub struct OpenAccount {
    /// The e-mail to sign in with.
    pub email: Email,
    /// The password to sign in with.
    pub password: Password,
    /// The name to go by.
    pub name: DisplayName,
    /// What they may do on the platform.
    pub role: PlatformRole,
}

impl OpenAccount {
    /// Checks raw values, all of them.
    ///
    /// # Errors
    /// [`Error::Invalid`] with a refusal per wrong member.
    pub fn parse(
        email: &str,
        password: &str,
        name: &str,
        role: PlatformRole,
        policy: PasswordPolicy,
    ) -> Result<Self, Error> {
        let Register { email, password, name, .. } = Register::parse(email, password, name, policy)?;
        Ok(Self { email, password, name, role })
    }
}

/// Opens accounts for whoever runs the platform already, by hand on the machine or by role; also where registration is
/// closed.
pub struct OpenAccountHandler {
    pub(super) enrolment: Enrolment,
}

impl OpenAccountHandler {
    /// Opens the account and returns it.
    ///
    /// # Errors
    /// [`Error::Forbidden`] for everybody else, and as registration.
    #[tracing::instrument(name = "identity.open_account", skip_all, err(Debug, level = "debug"))]
    pub async fn handle(&self, actor: &Actor, command: OpenAccount) -> Result<UserView, Error> {
        Access::require_on_platform(actor, PlatformPermission::UsersWrite)?;
        let OpenAccount { email, password, name, role } = command;
        let person = Enrolled { email, password, name, role, claim: None, idempotency: None };
        self.enrolment.enrol(actor, person).await
    }
}
