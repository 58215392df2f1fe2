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

/// A request to open an account for another person.
#[derive(Debug)]
pub struct OpenAccount {
    /// The e-mail.
    pub email: Email,
    /// The password.
    pub password: Password,
    /// The display name.
    pub name: DisplayName,
    /// The platform role.
    pub role: PlatformRole,
}

impl OpenAccount {
    /// Parses raw values and reports all that are invalid.
    ///
    /// # Errors
    /// [`Error::Invalid`] with a refusal per invalid member.
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

/// Opens accounts on behalf of the command line or an administrator, even if registration is closed.
pub struct OpenAccountHandler {
    pub(super) enrolment: Enrolment,
}

impl OpenAccountHandler {
    /// Opens the account and returns it.
    ///
    /// # Errors
    /// [`Error::Forbidden`] for other actors, and the errors of registration.
    #[tracing::instrument(name = "identity.open_account", skip_all, err(Debug, level = "debug"))]
    pub async fn handle(&self, actor: &Actor, command: OpenAccount) -> Result<UserView, Error> {
        Access::require_on_platform(actor, PlatformPermission::UsersWrite)?;
        let OpenAccount { email, password, name, role } = command;
        let person = Enrolled { email, password, name, role, claim: None, idempotency: None };
        self.enrolment.enrol(actor, person).await
    }
}
