use std::sync::Arc;

use devskyy_domain::identity::DisplayName;

use super::{change_ports::AccountChanges, get_profile::GetProfileHandler, views::UserView};
use crate::{context::Actor, error::Error};

/// Asks to be called something else.
#[derive(Debug)]
pub struct UpdateProfile {
    /// The name to go by from now on.
    pub name: DisplayName,
    /// The name they must still go by, where that matters.
    pub from: Option<String>,
}

/// Changes what is personal about whoever asks.
pub struct UpdateProfileHandler {
    pub(super) changes: Arc<dyn AccountChanges>,
    pub(super) profile: GetProfileHandler,
}

impl UpdateProfileHandler {
    /// Changes the name and returns the account. Names are personal, so no event tells of them.
    ///
    /// # Errors
    /// [`Error::Unauthenticated`], [`Error::Forbidden`] for programs, [`Error::Stale`] when the name has changed
    /// meanwhile, or a failing port.
    #[tracing::instrument(name = "identity.update_profile", skip_all, err(Debug, level = "debug"))]
    pub async fn handle(&self, actor: &Actor, command: UpdateProfile) -> Result<UserView, Error> {
        let UpdateProfile { name, from } = command;
        let renamed = self.changes.rename(actor.person()?, from.as_deref(), &name).await?;
        if from.is_some() && !renamed {
            return Err(Error::Stale);
        }
        self.profile.handle(actor).await
    }
}
