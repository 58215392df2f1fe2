use std::sync::Arc;

use devskyy_domain::{identity::Email, kernel::ids::UserId};

use super::super::{
    change_ports::{Erasures, Mentions},
    enrolment::{EMAIL_SCOPE, email_claim},
    ports::{Accounts, TokenMint},
};
use crate::{error::Error, es::ClaimChange, ports::Clock};

/// Deletes the personal data of erased users.
#[derive(Clone)]
pub(super) struct PersonalData {
    pub(super) accounts: Arc<dyn Accounts>,
    pub(super) erasures: Arc<dyn Erasures>,
    pub(super) mentions: Arc<dyn Mentions>,
    pub(super) mint: Arc<dyn TokenMint>,
    pub(super) clock: Arc<dyn Clock>,
}

impl PersonalData {
    /// Releases the e-mail, so that it can be registered again.
    pub(super) async fn released(&self, user: UserId) -> Result<Vec<ClaimChange>, Error> {
        let profile = self.accounts.profiles(&[user]).await?.pop();
        let digest = profile.map(|(_, profile)| self.mint.keyed(EMAIL_SCOPE, profile.email.as_bytes()));
        let claim = digest.map(|digest| email_claim(&digest));
        Ok(claim.into_iter().map(|claim| ClaimChange::Release { claim, owner: user.into() }).collect())
    }

    /// Whether the user has personal data.
    pub(super) async fn is_kept(&self, user: UserId) -> Result<bool, Error> {
        Ok(!self.accounts.profiles(&[user]).await?.is_empty())
    }

    /// Records the erasure outside the database, then deletes the personal data.
    pub(super) async fn forget(&self, user: UserId) -> Result<(), Error> {
        self.erasures.record(user, self.clock.now()).await?;
        self.remove(user).await
    }

    /// The account is deleted last: while it exists, the next start knows that something is left to delete.
    pub(super) async fn remove(&self, user: UserId) -> Result<(), Error> {
        for (_, profile) in self.accounts.profiles(&[user]).await? {
            self.mentions.forget(&Email::parse(&profile.email)?).await?;
        }
        Ok(self.accounts.remove(user).await?)
    }
}
