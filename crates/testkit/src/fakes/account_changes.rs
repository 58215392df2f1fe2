use std::{
    collections::{BTreeSet, HashMap},
    sync::Mutex,
};

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use devskyy_application::{
    error::PortError,
    identity::{
        AccountChanges, Credentials, Erasures, Invitations, PasswordChange, Perishable, SessionList, SessionRecord,
        Unrecorded, UnrecordedChange,
    },
};
use devskyy_domain::{
    identity::DisplayName,
    kernel::ids::{SessionId, UserId},
};

use super::identity::{InMemoryAccounts, InMemorySessions, lock};

#[async_trait]
impl AccountChanges for InMemoryAccounts {
    async fn credentials(&self, user: UserId) -> Result<Option<Credentials>, PortError> {
        let rows = lock(&self.rows);
        let row = rows.iter().find(|row| row.user == user);
        Ok(row.map(|row| Credentials { user, password: row.password.clone() }))
    }

    async fn set_password(&self, change: &PasswordChange) -> Result<Option<Vec<SessionId>>, PortError> {
        let mut rows = lock(&self.rows);
        let meant = rows.iter_mut().find(|row| row.user == change.user && row.password == change.from);
        let Some(row) = meant else { return Ok(None) };
        row.password = change.to.clone();
        lock(&self.unrecorded).insert(change.user, change.at);
        let mut state = lock(&self.sessions.state);
        let others = state.sessions.iter_mut().filter(|(id, it)| it.user == change.user && **id != change.keep);
        let live = others.filter(|(_, it)| !it.revoked);
        Ok(Some(live.map(|(id, session)| (session.revoked = true, *id).1).collect()))
    }

    async fn unrecorded(&self, which: Unrecorded) -> Result<Vec<UnrecordedChange>, PortError> {
        let found = lock(&self.unrecorded);
        let all = found.iter().map(|(user, at)| UnrecordedChange { user: *user, at: *at });
        let wanted = |change: &UnrecordedChange| match which {
            Unrecorded::Of(user) => change.user == user,
            Unrecorded::Before(instant) => change.at < instant,
        };
        Ok(all.filter(wanted).collect())
    }

    async fn recorded(&self, user: UserId, at: DateTime<Utc>) -> Result<(), PortError> {
        lock(&self.unrecorded).retain(|whose, when| *whose != user || *when != at);
        Ok(())
    }

    async fn rename(&self, user: UserId, from: Option<&str>, to: &DisplayName) -> Result<bool, PortError> {
        let mut rows = lock(&self.rows);
        let mut meant = rows.iter_mut().filter(|row| row.user == user);
        let meant = meant.find(|row| from.is_none_or(|from| row.name.as_str() == from));
        Ok(meant.map(|row| row.name = to.clone()).is_some())
    }
}

#[async_trait]
impl SessionList for InMemorySessions {
    async fn of_user(&self, user: UserId, now: DateTime<Utc>) -> Result<Vec<SessionRecord>, PortError> {
        let state = lock(&self.state);
        let live = state.sessions.iter().filter(|(_, it)| it.user == user && !it.revoked && it.ends_at > now);
        let record = |(id, it): (&SessionId, &super::identity::OpenSession)| SessionRecord {
            id: *id,
            opened_at: it.opened_at,
            last_used_at: it.last_used_at,
            ends_at: it.ends_at,
        };
        let mut all: Vec<_> = live.map(record).collect();
        all.sort_by_key(|it| std::cmp::Reverse((it.opened_at, it.id)));
        Ok(all)
    }
}

/// Erasures in memory.
#[derive(Debug, Default)]
pub struct InMemoryErasures(Mutex<BTreeSet<UserId>>);

#[async_trait]
impl Erasures for InMemoryErasures {
    async fn record(&self, user: UserId, _at: DateTime<Utc>) -> Result<(), PortError> {
        lock(&self.0).insert(user);
        Ok(())
    }

    async fn all(&self) -> Result<Vec<UserId>, PortError> {
        Ok(lock(&self.0).iter().copied().collect())
    }
}

/// Invitations in memory.
#[derive(Debug, Default)]
pub struct InMemoryInvitations(Mutex<HashMap<[u8; 32], DateTime<Utc>>>);

#[async_trait]
impl Invitations for InMemoryInvitations {
    async fn save(&self, digest: &[u8; 32], expires_at: DateTime<Utc>) -> Result<DateTime<Utc>, PortError> {
        Ok(*lock(&self.0).entry(*digest).or_insert(expires_at))
    }

    async fn expiry(&self, digest: &[u8; 32]) -> Result<Option<DateTime<Utc>>, PortError> {
        Ok(lock(&self.0).get(digest).copied())
    }
}

#[async_trait]
impl Perishable for InMemoryInvitations {
    async fn sweep(&self, before: DateTime<Utc>) -> Result<u64, PortError> {
        let mut kept = lock(&self.0);
        let present = kept.len();
        kept.retain(|_, expires_at| *expires_at >= before);
        Ok((present - kept.len()) as u64)
    }
}
