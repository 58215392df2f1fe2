use std::sync::Arc;

use devskyy_domain::identity::DisplayName;

use super::{change_ports::AccountChanges, get_profile::GetProfileHandler, views::UserView};
use crate::{context::Actor, error::Error};

/// A request to change the display name.
#[derive(Debug)]
pub struct UpdateProfile {
    /// The new name.
    pub name: DisplayName,
    /// The expected present name, if it matters.
    pub from: Option<String>,
}

/// Changes the actor's personal data.
pub struct UpdateProfileHandler {
    pub(super) changes: Arc<dyn AccountChanges>,
    pub(super) profile: GetProfileHandler,
}

impl UpdateProfileHandler {
    /// Changes the name and returns the account. Names are personal, so no event is recorded.
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
