use std::sync::Arc;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use devskyy_application::{
    error::PortError,
    identity::{AccountChanges, Credentials, PasswordChange, Unrecorded, UnrecordedChange},
};
use devskyy_domain::{
    identity::DisplayName,
    kernel::ids::{SessionId, UserId},
};

/// Reports every change of a password as unrecorded, including the first password.
pub(crate) struct Unforgetting(pub(crate) Arc<dyn AccountChanges>);

#[async_trait]
impl AccountChanges for Unforgetting {
    async fn credentials(&self, user: UserId) -> Result<Option<Credentials>, PortError> {
        self.0.credentials(user).await
    }

    async fn set_password(&self, change: &PasswordChange) -> Result<Option<Vec<SessionId>>, PortError> {
        self.0.set_password(change).await
    }

    async fn unrecorded(&self, which: Unrecorded) -> Result<Vec<UnrecordedChange>, PortError> {
        let found = self.0.unrecorded(Unrecorded::Before(DateTime::<Utc>::MAX_UTC)).await?;
        Ok(match which {
            Unrecorded::Of(user) if found.is_empty() => vec![UnrecordedChange { user, at: DateTime::UNIX_EPOCH }],
            _ => found,
        })
    }

    async fn recorded(&self, _: UserId, _: DateTime<Utc>) -> Result<(), PortError> {
        Ok(())
    }

    async fn rename(&self, user: UserId, from: Option<&str>, to: &DisplayName) -> Result<bool, PortError> {
        self.0.rename(user, from, to).await
    }
}
