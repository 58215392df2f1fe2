use std::sync::Arc;

use super::ports::{BootstrapOffer, BootstrapTokens, UserViews};
use crate::error::Error;

/// Offers the one-time token for the first administrator, while there is none.
pub struct OfferBootstrapHandler {
    pub(super) users: Arc<dyn UserViews>,
    pub(super) bootstrap: Arc<dyn BootstrapTokens>,
}

impl OfferBootstrapHandler {
    /// The token and its location; `None` once there is an administrator.
    ///
    /// # Errors
    /// A failing port.
    pub async fn handle(&self) -> Result<Option<BootstrapOffer>, Error> {
        if self.users.has_admin().await? {
            self.bootstrap.withdraw().await?;
            return Ok(None);
        }
        Ok(Some(self.bootstrap.offer().await?))
    }
}
