use std::sync::Arc;

use devskyy_domain::{identity::Email, kernel::ids::UserId};
use uuid::Uuid;

use super::{
    ports::{Accounts, Credentials, PasswordHasher, PresentedPassword, TokenMint, UserViews},
    sessions::{SignIns, Tokens},
    throttle::Throttle,
    views::UserStatus,
};
use crate::{audit::SecurityLog, context::Actor, error::Error};

/// Asks to sign in. Raw values: what breaks a rule is simply wrong.
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

/// Trades e-mail and password for tokens.
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
    /// Begins a sign-in, and records that or why not. An unknown e-mail, a wrong password and a disabled account cost and
    /// answer the same; whoever has tried too much waits before anything is looked up or hashed.
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
        // A change of the password ends the sign-ins there are. One that was opened since must not outlive it either.
        let (known, _) = self.find(&command.email).await?;
        if known.is_none_or(|known| known.password != proved.password) {
            self.sign_ins.end(session).await?;
            return Err(self.refused(actor, Some(proved.user)));
        }
        self.sign_ins.tokens(proved.user, session, refresh_token).await
    }

    /// The one refusal; only the trail knows whose account it was about.
    fn refused(&self, actor: &Actor, account: Option<UserId>) -> Error {
        self.security.not_signed_in(actor, account);
        Error::BadCredentials
    }

    /// Whose sign-in it is, and by which password; nobody's where e-mail and password do not belong together or the account
    /// may not sign in, and then whose e-mail it is.
    async fn judge(&self, command: &LogIn) -> Result<Result<Credentials, Option<UserId>>, Error> {
        let (known, status) = self.find(&command.email).await?;
        let hash = known.as_ref().map(|credentials| &credentials.password);
        let presented = PresentedPassword::new(&command.password);
        let right = presented.is_right(self.hasher.as_ref(), hash).await? && status == Some(UserStatus::Active);
        let account = known.as_ref().map(|credentials| credentials.user);
        Ok(known.filter(|_| right).ok_or(account))
    }

    /// What the password is checked against. As many questions are asked about an unknown e-mail as about a known one.
    async fn find(&self, email: &str) -> Result<(Option<Credentials>, Option<UserStatus>), Error> {
        let text = Email::parse(email).map_or_else(|_| String::new(), |email| email.as_str().to_owned());
        let digest = self.mint.keyed("user.email", text.as_bytes());
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
