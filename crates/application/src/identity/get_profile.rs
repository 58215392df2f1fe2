use std::sync::Arc;

use super::{
    ports::{Accounts, Profile, UserViews},
    views::{UserRecord, UserView},
};
use crate::{context::Actor, error::Error};

/// Returns the signed-in user's account.
pub struct GetProfileHandler {
    pub(super) users: Arc<dyn UserViews>,
    pub(super) accounts: Arc<dyn Accounts>,
}

impl GetProfileHandler {
    /// The actor's account.
    ///
    /// # Errors
    /// [`Error::Unauthenticated`] without a person, or a failing port.
    #[tracing::instrument(name = "identity.profile", skip_all, err(Debug, level = "debug"))]
    pub async fn handle(&self, actor: &Actor) -> Result<UserView, Error> {
        let user = actor.person()?;
        let record = self.users.find(user).await?.ok_or(Error::Unauthenticated)?;
        let profiles = self.accounts.profiles(&[user]).await?;
        let (_, profile) = profiles.into_iter().next().ok_or(Error::Unauthenticated)?;
        Ok(user_view(record, profile))
    }
}

pub(super) fn user_view(record: UserRecord, profile: Profile) -> UserView {
    let UserRecord { id, role, status, personal_project, created_at, version } = record;
    let Profile { email, name } = profile;
    UserView { id, email, name, role, status, created_at, personal_project_id: personal_project, version }
}
