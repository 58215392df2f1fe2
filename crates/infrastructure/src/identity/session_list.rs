use async_trait::async_trait;
use chrono::{DateTime, Utc};
use devskyy_application::{
    error::PortError,
    identity::{SessionList, SessionRecord},
};
use devskyy_domain::kernel::ids::UserId;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder};
use uuid::Uuid;

use super::{
    entity::session,
    sessions::{PORT, SqlSessions},
};
use crate::sql::{instant, micros};

#[async_trait]
impl SessionList for SqlSessions {
    async fn of_user(&self, user: UserId, now: DateTime<Utc>) -> Result<Vec<SessionRecord>, PortError> {
        let rows = session::Entity::find()
            .filter(session::Column::UserId.eq(Uuid::from(user)))
            .filter(session::Column::RevokedAt.is_null())
            .filter(session::Column::EndsAt.gt(micros(now)))
            .order_by_desc(session::Column::OpenedAt)
            .order_by_desc(session::Column::Id)
            .all(&self.db().reader)
            .await
            .map_err(PORT.failed("listing a person's sessions"))?;
        let record = |row: session::Model| SessionRecord {
            id: row.id.into(),
            opened_at: instant(row.opened_at),
            last_used_at: instant(row.last_used_at),
            ends_at: instant(row.ends_at),
        };
        Ok(rows.into_iter().map(record).collect())
    }
}
