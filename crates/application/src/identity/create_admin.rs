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

/// Asks for an administrator's account.
#[derive(Debug)]
pub struct CreateAdmin {
    /// The e-mail to sign in with.
    pub email: Email,
    /// The password to sign in with.
    pub password: Password,
    /// The name to go by.
    pub name: DisplayName,
}

impl CreateAdmin {
    /// Checks raw values, all of them.
    ///
    /// # Errors
    /// [`Error::Invalid`] with a refusal per wrong member.
    pub fn parse(email: &str, password: &str, name: &str, policy: PasswordPolicy) -> Result<Self, Error> {
        let Register { email, password, name, .. } = Register::parse(email, password, name, policy)?;
        Ok(Self { email, password, name })
    }
}

/// Opens administrators' accounts for whoever runs the platform already, by hand on the machine or by role.
pub struct CreateAdminHandler {
    pub(super) enrolment: Enrolment,
}

impl CreateAdminHandler {
    /// Opens the account and returns it.
    ///
    /// # Errors
    /// [`Error::Forbidden`] for everybody else, and as registration.
    #[tracing::instrument(name = "identity.create_admin", skip_all, err(Debug, level = "debug"))]
    pub async fn handle(&self, actor: &Actor, command: CreateAdmin) -> Result<UserView, Error> {
        Access::require_on_platform(actor, PlatformPermission::UsersWrite)?;
        let CreateAdmin { email, password, name } = command;
        let role = PlatformRole::Admin;
        let person = Enrolled { email, password, name, role, claim: None, idempotency: None };
        self.enrolment.enrol(actor, person).await
    }
}
