use async_trait::async_trait;
use chrono::{DateTime, Utc};
use devskyy_application::{
    error::PortError,
    identity::{AccountChanges, Credentials, PasswordHash},
};
use devskyy_domain::{identity::DisplayName, kernel::ids::UserId};
use sea_orm::{ColumnTrait, DbErr, EntityTrait, QueryFilter, QueryTrait as _, sea_query::Expr};
use uuid::Uuid;

use super::{
    accounts::SqlAccounts,
    entity::{credential, profile},
};
use crate::sql::{micros, port_error};

fn failed(doing: &'static str) -> impl Fn(DbErr) -> PortError {
    move |error| port_error("accounts", doing, error)
}

#[async_trait]
impl AccountChanges for SqlAccounts {
    async fn credentials(&self, user: UserId) -> Result<Option<Credentials>, PortError> {
        let found = credential::Entity::find_by_id(Uuid::from(user)).one(&self.db().reader).await;
        let row = found.map_err(failed("reading a password's hash"))?;
        Ok(row.map(|row| Credentials { user, password: PasswordHash(row.password_hash) }))
    }

    async fn set_password(
        &self,
        user: UserId,
        from: &PasswordHash,
        to: &PasswordHash,
        now: DateTime<Utc>,
    ) -> Result<bool, PortError> {
        let changed = credential::Entity::update_many()
            .col_expr(credential::Column::PasswordHash, Expr::value(to.0.clone()))
            .col_expr(credential::Column::ChangedAt, Expr::value(micros(now)))
            .filter(credential::Column::UserId.eq(Uuid::from(user)))
            .filter(credential::Column::PasswordHash.eq(from.0.clone()))
            .exec(&self.db().writer)
            .await;
        changed.map(|changed| changed.rows_affected > 0).map_err(failed("changing a password's hash"))
    }

    async fn rename(&self, user: UserId, from: Option<&str>, to: &DisplayName) -> Result<bool, PortError> {
        let changed = profile::Entity::update_many()
            .col_expr(profile::Column::Name, Expr::value(to.as_str()))
            .filter(profile::Column::UserId.eq(Uuid::from(user)))
            .apply_if(from, |rename, from| rename.filter(profile::Column::Name.eq(from)))
            .exec(&self.db().writer)
            .await;
        changed.map(|changed| changed.rows_affected > 0).map_err(failed("changing a name"))
    }
}
