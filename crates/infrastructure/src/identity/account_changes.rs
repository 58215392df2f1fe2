use async_trait::async_trait;
use chrono::{DateTime, Utc};
use devskyy_application::{
    error::PortError,
    identity::{AccountChanges, Credentials, PasswordChange, PasswordHash, Unrecorded, UnrecordedChange},
};
use devskyy_domain::{
    identity::DisplayName,
    kernel::ids::{SessionId, UserId},
};
use sea_orm::{
    ColumnTrait, DbErr, EntityTrait, QueryFilter, QuerySelect as _, QueryTrait as _,
    sea_query::{Expr, ExprTrait as _},
};
use uuid::Uuid;

use super::{
    accounts::{PORT, SqlAccounts},
    entity::{credential, profile, session},
    sessions::end,
};
use crate::sql::{instant, micros};

impl SqlAccounts {
    /// Opening a session locks the password's row, so it comes before the others end or waits for the new password.
    async fn replace_password(&self, change: &PasswordChange) -> Result<Option<Vec<SessionId>>, DbErr> {
        let (user, now) = (Uuid::from(change.user), micros(change.at));
        let tx = self.db().begin().await?;
        let replaced = credential::Entity::update_many()
            .col_expr(credential::Column::PasswordHash, Expr::value(change.to.0.clone()))
            .col_expr(credential::Column::ChangedAt, Expr::value(now))
            .col_expr(credential::Column::UnrecordedSince, Expr::value(now))
            .filter(credential::Column::UserId.eq(user))
            .filter(credential::Column::PasswordHash.eq(change.from.0.clone()))
            .exec(&tx)
            .await?;
        if replaced.rows_affected == 0 {
            tx.rollback().await?;
            return Ok(None);
        }
        let others = session::Column::UserId.eq(user).and(session::Column::Id.ne(Uuid::from(change.keep)));
        let live: Vec<Uuid> = session::Entity::find()
            .select_only()
            .column(session::Column::Id)
            .filter(others.clone())
            .filter(session::Column::RevokedAt.is_null())
            .into_tuple()
            .all(&tx)
            .await?;
        end(others, now).exec(&tx).await?;
        tx.commit().await?;
        Ok(Some(live.into_iter().map(Into::into).collect()))
    }
}

#[async_trait]
impl AccountChanges for SqlAccounts {
    async fn credentials(&self, user: UserId) -> Result<Option<Credentials>, PortError> {
        let found = credential::Entity::find_by_id(Uuid::from(user)).one(&self.db().reader).await;
        let row = found.map_err(PORT.failed("reading a password's hash"))?;
        Ok(row.map(|row| Credentials { user, password: PasswordHash(row.password_hash) }))
    }

    async fn set_password(&self, change: &PasswordChange) -> Result<Option<Vec<SessionId>>, PortError> {
        self.replace_password(change).await.map_err(PORT.failed("changing a password's hash"))
    }

    async fn unrecorded(&self, which: Unrecorded) -> Result<Vec<UnrecordedChange>, PortError> {
        let wanted = match which {
            Unrecorded::Of(user) => credential::Column::UserId.eq(Uuid::from(user)),
            Unrecorded::Before(instant) => credential::Column::UnrecordedSince.lt(micros(instant)),
        };
        let found = credential::Entity::find().filter(wanted).all(&self.db().reader).await;
        let rows = found.map_err(PORT.failed("finding unrecorded changes of passwords"))?;
        let change = |row: credential::Model| {
            Some(UnrecordedChange { user: row.user_id.into(), at: instant(row.unrecorded_since?) })
        };
        Ok(rows.into_iter().filter_map(change).collect())
    }

    async fn recorded(&self, user: UserId, at: DateTime<Utc>) -> Result<(), PortError> {
        let noted = credential::Entity::update_many()
            .col_expr(credential::Column::UnrecordedSince, Expr::value(None::<i64>))
            .filter(credential::Column::UserId.eq(Uuid::from(user)))
            .filter(credential::Column::UnrecordedSince.eq(micros(at)))
            .exec(&self.db().writer)
            .await;
        noted.map(|_| ()).map_err(PORT.failed("noting that the change of a password is recorded"))
    }

    async fn rename(&self, user: UserId, from: Option<&str>, to: &DisplayName) -> Result<bool, PortError> {
        let changed = profile::Entity::update_many()
            .col_expr(profile::Column::Name, Expr::value(to.as_str()))
            .filter(profile::Column::UserId.eq(Uuid::from(user)))
            .apply_if(from, |rename, from| rename.filter(profile::Column::Name.eq(from)))
            .exec(&self.db().writer)
            .await;
        changed.map(|changed| changed.rows_affected > 0).map_err(PORT.failed("changing a name"))
    }
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;
    use devskyy_application::identity::{
        AccountChanges as _, Accounts as _, PasswordChange, PasswordHash, PrivateAccount,
    };
    use devskyy_domain::identity::{DisplayName, Email};
    use sea_orm::ConnectionTrait as _;
    use uuid::Uuid;

    use super::SqlAccounts;
    use crate::sql::{Database, tests::on_both_engines};

    on_both_engines!(a_password_stays_where_the_other_sign_ins_cannot_be_ended);

    async fn a_password_stays_where_the_other_sign_ins_cannot_be_ended(db: &Database) {
        let (accounts, user) = (SqlAccounts::new(db.clone()), Uuid::from_u128(1).into());
        let account = PrivateAccount {
            user,
            email: Email::parse("ada@example.org").unwrap(),
            email_digest: [1; 32],
            name: DisplayName::parse("Ada").unwrap(),
            password: PasswordHash("before".to_owned()),
            created_at: DateTime::UNIX_EPOCH,
        };
        accounts.save(&account).await.unwrap();
        db.writer.execute_unprepared("ALTER TABLE sessions RENAME TO elsewhere").await.unwrap();
        let (from, to) = (account.password.clone(), PasswordHash("after".to_owned()));
        let change = PasswordChange { user, from, to, keep: Uuid::from_u128(2).into(), at: DateTime::UNIX_EPOCH };
        accounts.set_password(&change).await.unwrap_err();
        assert_eq!(accounts.credentials(user).await.unwrap().unwrap().password, account.password);
    }
}
