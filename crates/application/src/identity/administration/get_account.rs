use std::sync::Arc;

use devskyy_domain::kernel::ids::UserId;

use super::super::{
    ports::{Accounts, UserViews},
    views::AccountView,
};
use crate::{
    access::{Access, PlatformPermission},
    context::Actor,
    error::Error,
};

/// Returns one account.
#[derive(Clone)]
pub struct GetAccountHandler {
    pub(super) users: Arc<dyn UserViews>,
    pub(super) accounts: Arc<dyn Accounts>,
}

impl GetAccountHandler {
    /// Returns the account.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::Unauthenticated`], [`Error::Forbidden`] or a failing port.
    #[tracing::instrument(name = "identity.get_user", skip_all, err(Debug, level = "debug"))]
    pub async fn handle(&self, actor: &Actor, user: UserId) -> Result<AccountView, Error> {
        Access::require_on_platform(actor, PlatformPermission::UsersRead)?;
        self.view(user).await
    }

    pub(super) async fn view(&self, user: UserId) -> Result<AccountView, Error> {
        let record = self.users.find(user).await?.ok_or_else(|| Error::NotFound(format!("user {user}")))?;
        let profile = self.accounts.profiles(&[user]).await?.pop().map(|(_, profile)| profile);
        Ok(AccountView { record, profile })
    }
}
