use std::sync::Arc;

use devskyy_domain::{identity::Email, kernel::ids::UserId};

use super::{
    ports::{Accounts, Credentials, PasswordHasher, Secrets, UserViews},
    sessions::{SignIns, Tokens},
    views::UserStatus,
};
use crate::{context::Actor, error::Error};

/// Bytes of a presented password that are looked at; a valid one has at most 128 characters of four bytes.
const LONGEST_PASSWORD: usize = 512;

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
    pub(super) secrets: Arc<dyn Secrets>,
    pub(super) sign_ins: SignIns,
}

impl LogInHandler {
    /// Begins a sign-in. An unknown e-mail, a wrong password and a disabled account cost and answer the same.
    ///
    /// # Errors
    /// [`Error::BadCredentials`], [`Error::Overloaded`] or a failing port.
    #[tracing::instrument(name = "identity.log_in", skip_all, err(Debug, level = "debug"))]
    pub async fn handle(&self, _actor: &Actor, command: LogIn) -> Result<Tokens, Error> {
        let known = self.find(&command.email).await?;
        let hash = known.as_ref().map(|(credentials, _)| &credentials.password);
        let hash = hash.filter(|_| command.password.len() <= LONGEST_PASSWORD);
        let presented = command.password.get(..LONGEST_PASSWORD).unwrap_or(&command.password);
        let right = self.hasher.verify(presented, hash).await?;
        match known {
            Some((Credentials { user, .. }, UserStatus::Active)) if right => self.sign_ins.begin(user).await,
            _ => Err(Error::BadCredentials),
        }
    }

    async fn find(&self, email: &str) -> Result<Option<(Credentials, UserStatus)>, Error> {
        let Ok(email) = Email::parse(email) else { return Ok(None) };
        let digest = self.secrets.keyed("user.email", email.as_str().as_bytes());
        for credentials in self.accounts.find_by_email(&digest).await? {
            if let Some(status) = self.status(credentials.user).await? {
                return Ok(Some((credentials, status)));
            }
        }
        Ok(None)
    }

    async fn status(&self, user: UserId) -> Result<Option<UserStatus>, Error> {
        Ok(self.users.find(user).await?.map(|record| record.status))
    }
}
