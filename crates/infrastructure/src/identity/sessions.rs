use async_trait::async_trait;
use chrono::{DateTime, Utc};
use devskyy_application::{
    error::PortError,
    identity::{NewSession, Perishable, RefreshDigest, Rotation, Sessions, Standings, UserStatus},
};
use devskyy_domain::{
    identity::PlatformRole,
    kernel::ids::{SessionId, UserId},
};
use sea_orm::{
    ColumnTrait, Condition, DatabaseTransaction, DbErr, EntityTrait, IntoActiveModel, Order, QueryFilter, QueryOrder,
    QuerySelect, QueryTrait, sea_query::Expr,
};
use uuid::Uuid;

use super::entity::{credential, refresh_token, session, user};
use crate::sql::{AT_ONCE, Database, Port, micros};

pub(super) const PORT: Port = Port("sessions");

/// Sessions and refresh tokens in tables of their own, beside the log.
#[derive(Debug, Clone)]
pub struct SqlSessions(Database);

impl SqlSessions {
    /// Uses the sessions of a database.
    #[must_use]
    pub const fn new(db: Database) -> Self {
        Self(db)
    }

    pub(super) const fn db(&self) -> &Database {
        &self.0
    }

    async fn insert(&self, new: &NewSession) -> Result<Vec<SessionId>, DbErr> {
        let opened = session::Model {
            id: new.id.into(),
            user_id: new.user.into(),
            opened_at: micros(new.opened_at),
            ends_at: micros(new.ends_at),
            revoked_at: None,
            current_token: Some(new.refresh.to_vec()),
            previous_token: None,
            last_used_at: micros(new.opened_at),
        };
        let tx = self.0.begin().await?;
        // Serializes concurrent sign-ins of a user, and a password change, which ends the sessions opened before it.
        credential::Entity::find_by_id(Uuid::from(new.user)).lock_exclusive().one(&tx).await?;
        session::Entity::insert(opened.into_active_model()).exec_without_returning(&tx).await?;
        put(&tx, &new.refresh, new.id.into(), micros(new.refresh_until)).await?;
        let ended = crowd_out(&tx, new).await?;
        tx.commit().await?;
        Ok(ended.into_iter().map(Into::into).collect())
    }

    async fn exchange(&self, presented: &[u8], next: &[u8], now: i64, until: i64) -> Result<Rotation, DbErr> {
        // A token that was never issued must not take the write lock.
        if refresh_token::Entity::find_by_id(presented.to_vec()).one(&self.0.reader).await?.is_none() {
            return Ok(Rotation::Refused);
        }
        let tx = self.0.begin().await?;
        let replaced = replace(&tx, presented, next, now).await?;
        let rotation = match owner(&tx, presented).await? {
            Some(session) if replaced => {
                put(&tx, next, session.id, until.min(session.ends_at)).await?;
                Rotation::Rotated { session: session.id.into(), user: session.user_id.into() }
            }
            Some(session) if is_spent(&session, presented) => {
                end(session::Column::Id.eq(session.id), now).exec(&tx).await?;
                Rotation::Reused { session: session.id.into() }
            }
            Some(_) | None => Rotation::Refused,
        };
        tx.commit().await?;
        Ok(rotation)
    }

    async fn delete_ended(&self, before: i64) -> Result<u64, DbErr> {
        let mut deleted = 0;
        loop {
            let tx = self.0.begin().await?;
            let ended: Vec<Uuid> = session::Entity::find()
                .select_only()
                .column(session::Column::Id)
                .filter(session::Column::EndsAt.lt(before))
                .order_by_asc(session::Column::EndsAt)
                .limit(AT_ONCE)
                .into_tuple()
                .all(&tx)
                .await?;
            let portion = delete(&tx, &ended).await?;
            tx.commit().await?;
            deleted += portion;
            if portion < AT_ONCE {
                return Ok(deleted);
            }
        }
    }

    async fn live_role(&self, user: Uuid, session: Uuid, now: i64) -> Result<Option<String>, DbErr> {
        let live = session::Entity::find()
            .select_only()
            .column(session::Column::UserId)
            .filter(session::Column::Id.eq(session))
            .filter(session::Column::UserId.eq(user))
            .filter(session::Column::RevokedAt.is_null())
            .filter(session::Column::EndsAt.gt(now));
        user::Entity::find()
            .select_only()
            .column(user::Column::Role)
            .filter(user::Column::Id.in_subquery(live.into_query()))
            .filter(user::Column::Status.eq(UserStatus::Active.as_str()))
            .into_tuple()
            .one(&self.0.reader)
            .await
    }
}

/// Deletes a user's sessions beyond the limit. Returns their ids.
async fn crowd_out(tx: &DatabaseTransaction, new: &NewSession) -> Result<Vec<Uuid>, DbErr> {
    let beyond: Vec<Uuid> = session::Entity::find()
        .select_only()
        .column(session::Column::Id)
        .filter(session::Column::UserId.eq(Uuid::from(new.user)))
        .filter(session::Column::Id.ne(Uuid::from(new.id)))
        .order_by(session::Column::RevokedAt.is_null(), Order::Desc)
        .order_by_desc(session::Column::LastUsedAt)
        .order_by_desc(session::Column::Id)
        .offset(u64::from(new.at_once.saturating_sub(1)))
        .limit(AT_ONCE)
        .into_tuple()
        .all(tx)
        .await?;
    if !beyond.is_empty() {
        delete(tx, &beyond).await?;
    }
    Ok(beyond)
}

/// Deletes sessions with all their tokens. Returns how many.
async fn delete(tx: &DatabaseTransaction, which: &[Uuid]) -> Result<u64, DbErr> {
    let tokens = refresh_token::Column::SessionId.is_in(which.iter().copied());
    refresh_token::Entity::delete_many().filter(tokens).exec(tx).await?;
    let sessions = session::Column::Id.is_in(which.iter().copied());
    Ok(session::Entity::delete_many().filter(sessions).exec(tx).await?.rows_affected)
}

/// The single step that decides between parallel attempts. A session has one live token, so there are never two. The
/// previous token is accepted as well until the live one has been presented.
async fn replace(tx: &DatabaseTransaction, presented: &[u8], next: &[u8], now: i64) -> Result<bool, DbErr> {
    let holder = refresh_token::Entity::find()
        .select_only()
        .column(refresh_token::Column::SessionId)
        .filter(refresh_token::Column::Digest.eq(presented.to_vec()))
        .filter(refresh_token::Column::ValidUntil.gt(now));
    let known = Condition::any()
        .add(session::Column::CurrentToken.eq(presented.to_vec()))
        .add(session::Column::PreviousToken.eq(presented.to_vec()));
    let replaced = session::Entity::update_many()
        .col_expr(session::Column::PreviousToken, Expr::value(presented.to_vec()))
        .col_expr(session::Column::CurrentToken, Expr::value(next.to_vec()))
        .col_expr(session::Column::LastUsedAt, Expr::value(now))
        .filter(session::Column::Id.in_subquery(holder.into_query()))
        .filter(session::Column::RevokedAt.is_null())
        .filter(session::Column::EndsAt.gt(now))
        .filter(known)
        .exec(tx)
        .await?;
    Ok(replaced.rows_affected == 1)
}

/// Whether a token of the session was used up, or replaced before its answer is known to have arrived.
fn is_spent(session: &session::Model, digest: &[u8]) -> bool {
    ![&session.current_token, &session.previous_token].into_iter().any(|kept| kept.as_deref() == Some(digest))
}

async fn owner(tx: &DatabaseTransaction, digest: &[u8]) -> Result<Option<session::Model>, DbErr> {
    let Some(token) = refresh_token::Entity::find_by_id(digest.to_vec()).one(tx).await? else { return Ok(None) };
    session::Entity::find_by_id(token.session_id).one(tx).await
}

async fn put(tx: &DatabaseTransaction, digest: &[u8], session: Uuid, valid_until: i64) -> Result<(), DbErr> {
    let token = refresh_token::Model { digest: digest.to_vec(), session_id: session, valid_until };
    refresh_token::Entity::insert(token.into_active_model()).exec_without_returning(tx).await.map(|_| ())
}

/// Ends sessions that have not ended yet.
pub(super) fn end(which: sea_orm::sea_query::SimpleExpr, now: i64) -> sea_orm::UpdateMany<session::Entity> {
    session::Entity::update_many()
        .col_expr(session::Column::RevokedAt, Expr::value(now))
        .filter(which)
        .filter(session::Column::RevokedAt.is_null())
}

#[async_trait]
impl Sessions for SqlSessions {
    async fn open(&self, session: &NewSession) -> Result<Vec<SessionId>, PortError> {
        self.insert(session).await.map_err(PORT.failed("opening a session"))
    }

    async fn rotate(
        &self,
        presented: &RefreshDigest,
        next: &RefreshDigest,
        now: DateTime<Utc>,
        next_until: DateTime<Utc>,
    ) -> Result<Rotation, PortError> {
        let rotated = self.exchange(presented, next, micros(now), micros(next_until)).await;
        rotated.map_err(PORT.failed("exchanging a refresh token"))
    }

    async fn revoke(&self, session: SessionId, now: DateTime<Utc>) -> Result<(), PortError> {
        let ended = end(session::Column::Id.eq(Uuid::from(session)), micros(now)).exec(&self.0.writer).await;
        ended.map(|_| ()).map_err(PORT.failed("ending a session"))
    }

    async fn revoke_all(&self, user: UserId, now: DateTime<Utc>) -> Result<(), PortError> {
        let ended = end(session::Column::UserId.eq(Uuid::from(user)), micros(now)).exec(&self.0.writer).await;
        ended.map(|_| ()).map_err(PORT.failed("ending a person's sessions"))
    }
}

#[async_trait]
impl Standings for SqlSessions {
    async fn of(
        &self,
        user: UserId,
        session: SessionId,
        now: DateTime<Utc>,
    ) -> Result<Option<PlatformRole>, PortError> {
        let role = self
            .live_role(user.into(), session.into(), micros(now))
            .await
            .map_err(PORT.failed("checking a session"))?;
        Ok(role.as_deref().and_then(PlatformRole::from_name))
    }

    fn forget(&self, _session: SessionId) {}
}

#[async_trait]
impl Perishable for SqlSessions {
    async fn sweep(&self, before: DateTime<Utc>) -> Result<u64, PortError> {
        self.delete_ended(micros(before)).await.map_err(PORT.failed("sweeping sessions"))
    }
}
