use std::sync::Arc;

use devskyy_domain::{identity::Email, kernel::ids::UserId};
use uuid::Uuid;

use super::{
    enrolment::EMAIL_SCOPE,
    ports::{Accounts, Credentials, PasswordHasher, PresentedPassword, TokenMint, UserViews},
    sessions::{SignIns, Tokens},
    throttle::Throttle,
    views::UserStatus,
};
use crate::{audit::SecurityLog, context::Actor, error::Error};

/// A request to sign in. The values are raw: invalid ones are simply wrong.
pub struct LogIn {
    /// The e-mail of the account.
    pub email: String,
    /// Its password.
    pub password: String,
}

impl std::fmt::Debug for LogIn {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("LogIn(…)")
    }
}

/// Exchanges e-mail and password for tokens.
pub struct LogInHandler {
    pub(super) accounts: Arc<dyn Accounts>,
    pub(super) users: Arc<dyn UserViews>,
    pub(super) hasher: Arc<dyn PasswordHasher>,
    pub(super) mint: Arc<dyn TokenMint>,
    pub(super) sign_ins: SignIns,
    pub(super) throttle: Throttle,
    pub(super) security: SecurityLog,
}

impl LogInHandler {
    /// Starts a session and records the outcome. An unknown e-mail, a wrong password and a disabled account take the
    /// same time and get the same answer. Throttling applies before anything is looked up or hashed.
    ///
    /// # Errors
    /// [`Error::BadCredentials`], [`Error::TooManyAttempts`], [`Error::Overloaded`] or a failing port.
    #[tracing::instrument(name = "identity.log_in", skip_all, err(Debug, level = "debug"))]
    pub async fn handle(&self, actor: &Actor, command: LogIn) -> Result<Tokens, Error> {
        let outcome = self.begin(actor, &command).await;
        match &outcome {
            Ok(tokens) => self.security.signed_in(actor, tokens.user),
            Err(Error::TooManyAttempts { .. }) => self.security.not_let_try(actor),
            Err(_) => {}
        }
        outcome
    }

    async fn begin(&self, actor: &Actor, command: &LogIn) -> Result<Tokens, Error> {
        let attempt = self.throttle.sign_in(actor, &command.email).await?;
        let proved = match self.judge(command).await {
            Ok(Ok(proved)) => proved,
            Ok(Err(account)) => {
                self.throttle.failed(&attempt).await;
                return Err(self.refused(actor, account));
            }
            Err(unjudged) => {
                self.throttle.withdraw(&attempt).await;
                return Err(unjudged);
            }
        };
        self.throttle.succeeded(&attempt).await?;
        let (session, refresh_token) = self.sign_ins.open(proved.user).await?;
        // A change of the password ends existing sessions, so one opened during the change must end too.
        let (known, _) = self.find(&command.email).await?;
        if known.is_none_or(|known| known.password != proved.password) {
            self.sign_ins.end(session).await?;
            return Err(self.refused(actor, Some(proved.user)));
        }
        self.sign_ins.tokens(proved.user, session, refresh_token).await
    }

    /// The only refusal; which account it concerned is recorded in the audit trail only.
    fn refused(&self, actor: &Actor, account: Option<UserId>) -> Error {
        self.security.not_signed_in(actor, account);
        Error::BadCredentials
    }

    /// The credentials of the user, if e-mail and password match and the account is active. Otherwise the user the
    /// e-mail belongs to, if any.
    async fn judge(&self, command: &LogIn) -> Result<Result<Credentials, Option<UserId>>, Error> {
        let (known, status) = self.find(&command.email).await?;
        let hash = known.as_ref().map(|credentials| &credentials.password);
        let presented = PresentedPassword::new(&command.password);
        let right = presented.is_right(self.hasher.as_ref(), hash).await? && status == Some(UserStatus::Active);
        let account = known.as_ref().map(|credentials| credentials.user);
        Ok(known.filter(|_| right).ok_or(account))
    }

    /// Finds the credentials of an e-mail, with the same number of queries whether it is known or not.
    async fn find(&self, email: &str) -> Result<(Option<Credentials>, Option<UserStatus>), Error> {
        let text = Email::parse(email).map_or_else(|_| String::new(), |email| email.as_str().to_owned());
        let digest = self.mint.keyed(EMAIL_SCOPE, text.as_bytes());
        let rows = self.accounts.find_by_email(&digest).await?;
        if rows.is_empty() {
            return Ok((None, self.status(UserId::from(Uuid::nil())).await?));
        }
        for credentials in rows {
            if let Some(status) = self.status(credentials.user).await? {
                return Ok((Some(credentials), Some(status)));
            }
        }
        Ok((None, None))
    }

    async fn status(&self, user: UserId) -> Result<Option<UserStatus>, Error> {
        Ok(self.users.find(user).await?.map(|record| record.status))
    }
}
