use std::sync::Arc;

use devskyy_domain::identity::{Email, IdentityError, Password, PasswordPolicy};

use super::{
    change_ports::{AccountChanges, PasswordChange},
    ports::{Accounts, PasswordHasher, PresentedPassword, Standings},
    recording::PasswordRecording,
    throttle::Throttle,
};
use crate::{
    audit::SecurityLog,
    context::{Actor, Subject},
    error::Error,
    ports::Clock,
};

/// A request to change one's own password. The values are raw, because the rules for the new one depend on the user.
pub struct ChangePassword {
    /// The current password.
    pub current: String,
    /// The new password.
    pub new: String,
}

impl std::fmt::Debug for ChangePassword {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ChangePassword(…)")
    }
}

/// Changes passwords; the current one is required.
pub struct ChangePasswordHandler {
    pub(super) recording: PasswordRecording,
    pub(super) accounts: Arc<dyn Accounts>,
    pub(super) changes: Arc<dyn AccountChanges>,
    pub(super) hasher: Arc<dyn PasswordHasher>,
    pub(super) standings: Arc<dyn Standings>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) policy: PasswordPolicy,
    pub(super) throttle: Throttle,
    pub(super) security: SecurityLog,
}

impl ChangePasswordHandler {
    /// Changes the password and ends all other sessions of the user. A wrong current password is recorded. Only one of
    /// several concurrent changes succeeds; for the others, the presented password is no longer the current one. If the
    /// log fails after the change, the change stands and its event is recorded later.
    ///
    /// # Errors
    /// [`IdentityError`], [`Error::Unauthenticated`], [`Error::Forbidden`] for programs, [`Error::TooManyAttempts`],
    /// [`Error::Overloaded`] or a failing port. The password is unchanged then, unless the database failed while the
    /// new one was saved.
    #[tracing::instrument(name = "identity.change_password", skip_all, err(Debug, level = "debug"))]
    pub async fn handle(&self, actor: &Actor, command: ChangePassword) -> Result<(), Error> {
        let user = actor.person()?;
        let Subject::User { session, .. } = actor.subject else { return Err(Error::Unauthenticated) };
        let known = self.changes.credentials(user).await?.ok_or(Error::Unauthenticated)?;
        let allowed = self.throttle.change_password(session).await;
        if matches!(allowed, Err(Error::TooManyAttempts { .. })) {
            self.security.not_let_change(actor);
        }
        allowed?;
        let presented = PresentedPassword::new(&command.current);
        if !presented.is_right(self.hasher.as_ref(), Some(&known.password)).await? {
            self.security.not_confirmed(actor);
            return Err(IdentityError::CurrentPasswordWrong.into());
        }
        let profile = self.accounts.profiles(&[user]).await?.pop();
        let email = profile.and_then(|(_, profile)| Email::parse(&profile.email).ok());
        let password = Password::parse(&command.new, email.as_ref(), self.policy)?;
        let hash = self.hasher.hash(&password).await?;
        // The row can hold only one unrecorded change.
        self.recording.catch_up(user).await?;
        let change = PasswordChange { user, from: known.password, to: hash, keep: session, at: self.clock.now() };
        let ended = self.changes.set_password(&change).await?.ok_or(IdentityError::CurrentPasswordWrong)?;
        ended.into_iter().for_each(|session| self.standings.forget(session));
        if let Err(error) = self.recording.record(actor.event_context(None), user, change.at).await {
            tracing::error!(%user, error = ?error, "a password was changed, and its event is to be recorded later");
        }
        Ok(())
    }
}
