use std::{collections::HashMap, sync::Arc};

use devskyy_domain::{identity::Email, kernel::ids::UserId};
use uuid::Uuid;

use super::super::{
    enrolment::email_digest,
    ports::{Accounts, TokenMint, UserViews},
    views::{AccountView, UserFilter},
};
use crate::{
    access::{Access, PlatformPermission},
    context::Actor,
    error::Error,
    paging::{PageOf, Part},
};

/// Lists accounts.
pub struct ListAccountsHandler {
    pub(super) users: Arc<dyn UserViews>,
    pub(super) accounts: Arc<dyn Accounts>,
    pub(super) mint: Arc<dyn TokenMint>,
}

impl ListAccountsHandler {
    /// Lists accounts; with an e-mail, the only account that has it.
    ///
    /// # Errors
    /// [`Error::Unauthenticated`], [`Error::Forbidden`] or a failing port.
    #[tracing::instrument(name = "identity.list_users", skip_all, err(Debug, level = "debug"))]
    pub async fn handle(
        &self,
        actor: &Actor,
        filter: UserFilter,
        email: Option<&Email>,
        page: &Part,
    ) -> Result<PageOf<AccountView>, Error> {
        Access::require_on_platform(actor, PlatformPermission::UsersRead)?;
        let user = match email {
            Some(email) => Some(self.of_email(email).await?),
            None => filter.user,
        };
        let PageOf { items, beyond } = self.users.list(UserFilter { user, ..filter }, page).await?;
        let ids: Vec<_> = items.iter().map(|record| record.id).collect();
        let mut profiles: HashMap<_, _> = self.accounts.profiles(&ids).await?.into_iter().collect();
        let items = items.into_iter().map(|record| AccountView { profile: profiles.remove(&record.id), record });
        Ok(PageOf { items: items.collect(), beyond })
    }

    /// The user with an e-mail, or an id that no user has.
    async fn of_email(&self, email: &Email) -> Result<UserId, Error> {
        let digest = email_digest(self.mint.as_ref(), email);
        for candidate in self.accounts.find_by_email(&digest).await? {
            if self.users.find(candidate.user).await?.is_some() {
                return Ok(candidate.user);
            }
        }
        Ok(Uuid::nil().into())
    }
}
