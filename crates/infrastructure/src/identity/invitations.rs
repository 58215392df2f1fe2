use async_trait::async_trait;
use chrono::{DateTime, Utc};
use devskyy_application::{
    error::PortError,
    identity::{Invitations, Perishable},
};
use sea_orm::{ColumnTrait, EntityTrait, IntoActiveModel, QueryFilter, sea_query::OnConflict};

use super::entity::invitation;
use crate::sql::{Database, Port, instant, micros};

const PORT: Port = Port("invitations");

/// Invitations in a table of their own, beside the log.
#[derive(Debug, Clone)]
pub struct SqlInvitations(Database);

impl SqlInvitations {
    /// Uses the invitations of a database.
    #[must_use]
    pub const fn new(db: Database) -> Self {
        Self(db)
    }
}

#[async_trait]
impl Invitations for SqlInvitations {
    async fn save(&self, digest: &[u8; 32], expires_at: DateTime<Utc>) -> Result<DateTime<Utc>, PortError> {
        let row = invitation::Model { digest: digest.to_vec(), expires_at: micros(expires_at) };
        let kept = OnConflict::column(invitation::Column::Digest).do_nothing().to_owned();
        let insert = invitation::Entity::insert(row.into_active_model()).on_conflict(kept).try_insert();
        let saved = insert.exec_without_returning(&self.0.writer).await;
        saved.map_err(PORT.failed("keeping an invitation"))?;
        Ok(self.expiry(digest).await?.unwrap_or(expires_at))
    }

    async fn expiry(&self, digest: &[u8; 32]) -> Result<Option<DateTime<Utc>>, PortError> {
        let found = invitation::Entity::find_by_id(digest.to_vec()).one(&self.0.reader).await;
        let row = found.map_err(PORT.failed("finding an invitation"))?;
        Ok(row.map(|row| instant(row.expires_at)))
    }
}

#[async_trait]
impl Perishable for SqlInvitations {
    async fn sweep(&self, before: DateTime<Utc>) -> Result<u64, PortError> {
        let ended = invitation::Column::ExpiresAt.lt(micros(before));
        let swept = invitation::Entity::delete_many().filter(ended).exec(&self.0.writer).await;
        swept.map(|it| it.rows_affected).map_err(PORT.failed("sweeping invitations"))
    }
}
