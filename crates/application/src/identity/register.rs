use std::sync::Arc;

use devskyy_domain::identity::{DisplayName, Email, IdentityError, Password, PasswordPolicy, PlatformRole};

use super::{
    enrolment::{Enrolled, Enrolment},
    invitations::{InviteHandler, RegistrationMode},
    ports::{BootstrapTokens, UserViews},
    throttle::Throttle,
    views::UserView,
};
use crate::{
    context::Actor,
    error::{Error, Refused},
    es::{Claim, Idempotency},
};

/// A request to register. It names no role, because users cannot choose their own.
#[derive(Debug)]
pub struct Register {
    /// The e-mail.
    pub email: Email,
    /// The password.
    pub password: Password,
    /// The display name.
    pub name: DisplayName,
    /// Registers the first administrator; can be used once.
    pub bootstrap_token: Option<String>,
    /// Admits an invited person; can be used once.
    pub invitation_token: Option<String>,
    /// Recognises a repeated request.
    pub idempotency: Option<Idempotency>,
}

impl Register {
    /// Parses raw values and reports all that are invalid.
    ///
    /// # Errors
    /// [`Error::Invalid`] with a refusal per invalid member.
    pub fn parse(email: &str, password: &str, name: &str, policy: PasswordPolicy) -> Result<Self, Error> {
        let email = Email::parse(email);
        let password = Password::parse(password, email.as_ref().ok(), policy);
        match (email, password, DisplayName::parse(name)) {
            (Ok(email), Ok(password), Ok(name)) => {
                Ok(Self { email, password, name, bootstrap_token: None, invitation_token: None, idempotency: None })
            }
            (email, password, name) => {
                let wrong = [email.err(), password.err(), name.err()];
                Err(Error::Invalid(wrong.into_iter().flatten().map(Refused::from).collect()))
            }
        }
    }
}

/// Registers people.
pub struct RegisterHandler {
    pub(super) enrolment: Enrolment,
    pub(super) bootstrap: Arc<dyn BootstrapTokens>,
    pub(super) users: Arc<dyn UserViews>,
    pub(super) invite: InviteHandler,
    pub(super) mode: RegistrationMode,
    pub(super) throttle: Throttle,
}

impl RegisterHandler {
    /// Opens an account with a personal project, and returns it.
    ///
    /// # Errors
    /// [`IdentityError::EmailTaken`], [`IdentityError::BootstrapRefused`], [`Error::TooManyAttempts`],
    /// [`Error::Overloaded`] or a failing port.
    #[tracing::instrument(name = "identity.register", skip_all, err(Debug, level = "debug"))]
    pub async fn handle(&self, actor: &Actor, command: Register) -> Result<UserView, Error> {
        let (first_admin, idempotency) = (command.bootstrap_token.is_some(), command.idempotency.clone());
        let user = match self.enrol(actor, command).await {
            Ok(user) => user,
            Err(refused) => self.enrolment.enrolled_before(actor, idempotency, refused).await?,
        };
        if first_admin && let Err(error) = self.bootstrap.withdraw().await {
            tracing::warn!(%error, "the used bootstrap token could not be removed; it no longer works");
        }
        Ok(user)
    }

    async fn enrol(&self, actor: &Actor, command: Register) -> Result<UserView, Error> {
        let Register { email, password, name, bootstrap_token, invitation_token, idempotency } = command;
        let (role, claim) = match bootstrap_token {
            Some(token) => (PlatformRole::Admin, Some(self.first_admin(&token).await?)),
            None => (PlatformRole::Member, self.invited(invitation_token).await?),
        };
        self.throttle.register(actor).await?;
        self.enrolment.enrol(actor, Enrolled { email, password, name, role, claim, idempotency }).await
    }

    /// The claim of the first administrator. It lets only one of several concurrent requests with the token succeed.
    async fn first_admin(&self, token: &str) -> Result<Claim, Error> {
        if self.users.has_admin().await? || !self.bootstrap.matches(token).await? {
            return Err(IdentityError::BootstrapRefused.into());
        }
        Ok(first_administrator())
    }

    /// The claim of an invitation; `None` if none is needed.
    async fn invited(&self, token: Option<String>) -> Result<Option<Claim>, Error> {
        match (self.mode, token) {
            (RegistrationMode::Closed, _) => Err(IdentityError::RegistrationClosed.into()),
            (RegistrationMode::Invite, None) => Err(IdentityError::InvitationRefused.into()),
            (RegistrationMode::Open, None) => Ok(None),
            (RegistrationMode::Open | RegistrationMode::Invite, Some(token)) => {
                Ok(Some(self.invite.claim(&token).await?))
            }
        }
    }
}

/// Held for ever by the user who registered with the bootstrap token.
#[must_use]
pub fn first_administrator() -> Claim {
    Claim { scope: "platform.bootstrap".to_owned(), value: "first-admin".to_owned() }
}
