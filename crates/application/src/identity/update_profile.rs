use std::sync::Arc;

use devskyy_domain::identity::DisplayName;

use super::{change_ports::AccountChanges, get_profile::GetProfileHandler, views::UserView};
use crate::{context::Actor, error::Error};

/// Asks to be called something else.
#[derive(Debug)]
pub struct UpdateProfile {
    /// The name to go by from now on.
    pub name: DisplayName,
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
    /// [`Error::Unauthenticated`], [`Error::Forbidden`] for programs, or a failing port.
    #[tracing::instrument(name = "identity.update_profile", skip_all, err(Debug, level = "debug"))]
    pub async fn handle(&self, actor: &Actor, command: UpdateProfile) -> Result<UserView, Error> {
        self.changes.rename(actor.person()?, &command.name).await?;
        self.profile.handle(actor).await
    }
}
