use async_trait::async_trait;
use chrono::{DateTime, Utc};
use devskyy_application::{
    error::PortError,
    identity::{Accounts, Credentials, PasswordHash, PrivateAccount, Profile, UserStatus},
};
use devskyy_domain::kernel::ids::UserId;
use sea_orm::{
    ColumnTrait, DbErr, EntityTrait, IntoActiveModel, QueryFilter, QuerySelect, QueryTrait, sea_query::SelectStatement,
};
use uuid::Uuid;

use super::entity::{credential, profile, user};
use crate::sql::{Database, Port, micros, naming, none};

pub(super) const PORT: Port = Port("accounts");

/// Private rows in `user_profiles` and `credentials`, which neither events nor projections contain.
#[derive(Debug, Clone)]
pub struct SqlAccounts(Database);

impl SqlAccounts {
    /// Uses the private rows of a database.
    #[must_use]
    pub const fn new(db: Database) -> Self {
        Self(db)
    }

    pub(super) const fn db(&self) -> &Database {
        &self.0
    }

    async fn insert(&self, account: &PrivateAccount) -> Result<(), DbErr> {
        let (user_id, created_at) = (Uuid::from(account.user), micros(account.created_at));
        let personal = profile::Model {
            user_id,
            email: account.email.as_str().to_owned(),
            email_digest: account.email_digest.to_vec(),
            name: account.name.as_str().to_owned(),
            created_at,
        };
        let password_hash = account.password.0.clone();
        let secret = credential::Model { user_id, password_hash, changed_at: created_at, unrecorded_since: None };
        let tx = self.0.begin().await?;
        profile::Entity::insert(personal.into_active_model()).exec_without_returning(&tx).await?;
        credential::Entity::insert(secret.into_active_model()).exec_without_returning(&tx).await?;
        tx.commit().await
    }

    async fn by_digest(&self, digest: &[u8; 32]) -> Result<Vec<credential::Model>, DbErr> {
        let users = profile::Entity::find()
            .select_only()
            .column(profile::Column::UserId)
            .filter(profile::Column::EmailDigest.eq(digest.to_vec()));
        credential::Entity::find()
            .filter(credential::Column::UserId.in_subquery(users.into_query()))
            .all(&self.0.reader)
            .await
    }

    async fn delete(&self, user: Uuid) -> Result<(), DbErr> {
        let tx = self.0.begin().await?;
        credential::Entity::delete_by_id(user).exec(&tx).await?;
        profile::Entity::delete_by_id(user).exec(&tx).await?;
        tx.commit().await
    }

    async fn delete_orphans(&self, before: i64) -> Result<u64, DbErr> {
        let tx = self.0.begin().await?;
        credential::Entity::delete_many()
            .filter(none(registered(credential::Column::UserId)))
            .filter(credential::Column::ChangedAt.lt(before))
            .exec(&tx)
            .await?;
        let swept = profile::Entity::delete_many()
            .filter(none(registered(profile::Column::UserId)))
            .filter(profile::Column::CreatedAt.lt(before))
            .exec(&tx)
            .await?;
        tx.commit().await?;
        Ok(swept.rows_affected)
    }
}

fn registered(own: impl ColumnTrait) -> SelectStatement {
    // Rows of erased users count as orphans, if they were not deleted at once.
    naming(own, user::Column::Id).and_where(user::Column::Status.ne(UserStatus::Erased.as_str())).to_owned()
}

#[async_trait]
impl Accounts for SqlAccounts {
    async fn save(&self, account: &PrivateAccount) -> Result<(), PortError> {
        self.insert(account).await.map_err(PORT.failed("saving private rows"))
    }

    async fn find_by_email(&self, digest: &[u8; 32]) -> Result<Vec<Credentials>, PortError> {
        let rows = self.by_digest(digest).await.map_err(PORT.failed("finding credentials"))?;
        let credentials = |row: credential::Model| Credentials {
            user: row.user_id.into(),
            password: PasswordHash(row.password_hash),
        };
        Ok(rows.into_iter().map(credentials).collect())
    }

    async fn profiles(&self, users: &[UserId]) -> Result<Vec<(UserId, Profile)>, PortError> {
        let ids = users.iter().map(|user| Uuid::from(*user));
        let found = profile::Entity::find().filter(profile::Column::UserId.is_in(ids)).all(&self.0.reader).await;
        let rows = found.map_err(PORT.failed("reading profiles"))?;
        Ok(rows.into_iter().map(|row| (row.user_id.into(), Profile { email: row.email, name: row.name })).collect())
    }

    async fn remove(&self, user: UserId) -> Result<(), PortError> {
        self.delete(user.into()).await.map_err(PORT.failed("removing private rows"))
    }

    async fn sweep(&self, before: DateTime<Utc>) -> Result<u64, PortError> {
        self.delete_orphans(micros(before)).await.map_err(PORT.failed("sweeping private rows"))
    }
}
