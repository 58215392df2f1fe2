use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use devskyy_application::{
    error::PortError,
    es::RecordedEvent,
    identity::{
        Accounts, Credentials, NewSession, Perishable, PrivateAccount, Profile, RefreshDigest, Rotation, Sessions,
        Standings, UserFilter, UserRecord, UserStatus, UserViews,
    },
    paging::{Key, PageOf, Part},
};
use devskyy_domain::{
    identity::{PlatformRole, User, UserEvent},
    kernel::{
        Aggregate,
        ids::{SessionId, UserId},
    },
};

use super::{
    InMemoryEventStore,
    fingerprint::{Fingerprint, of_rows},
};

pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Users, folded from an in-memory log.
#[derive(Default)]
pub struct InMemoryUsers(Mutex<HashMap<UserId, UserRecord>>);

impl InMemoryUsers {
    /// Users that follow a log.
    #[must_use]
    pub fn following(store: &InMemoryEventStore) -> Arc<Self> {
        let users = Arc::new(Self::default());
        let follower = users.clone();
        store.follow(move |event| follower.take_in(event));
        users
    }

    fn take_in(&self, event: &RecordedEvent) {
        let Some(fact) = decoded::<User>(event) else { return };
        let (mut users, id) = (lock(&self.0), UserId::from(event.stream_id));
        match fact {
            UserEvent::Registered(it) => {
                let record = UserRecord {
                    id,
                    role: it.role,
                    status: UserStatus::Active,
                    personal_project: it.personal_project,
                    created_at: event.recorded_at,
                    version: event.version,
                };
                users.insert(id, record);
            }
            UserEvent::Disabled(_) => change(&mut users, event, |user| user.status = UserStatus::Disabled),
            UserEvent::Enabled(_) => change(&mut users, event, |user| user.status = UserStatus::Active),
            UserEvent::PasswordChanged(_) => change(&mut users, event, |_| ()),
            UserEvent::Erased(_) => change(&mut users, event, |user| user.status = UserStatus::Erased),
            UserEvent::RoleChanged(it) => change(&mut users, event, |user| user.role = it.role),
        }
    }

    /// Whether this id is registered.
    #[must_use]
    pub fn knows(&self, user: UserId) -> bool {
        lock(&self.0).contains_key(&user)
    }

    fn get(&self, user: UserId) -> Option<UserRecord> {
        lock(&self.0).get(&user).cloned()
    }
}

fn change(users: &mut HashMap<UserId, UserRecord>, event: &RecordedEvent, change: impl FnOnce(&mut UserRecord)) {
    if let Some(user) = users.get_mut(&UserId::from(event.stream_id)) {
        user.version = event.version;
        change(user);
    }
}

/// The event, if it belongs to that kind of aggregate. An event that cannot be decoded fails the test.
#[expect(clippy::expect_used, reason = "an in-memory log holds only what this program wrote")]
pub(super) fn decoded<A: Aggregate>(event: &RecordedEvent) -> Option<A::Event> {
    (event.category == A::CATEGORY).then(|| event.decode::<A::Event>().expect("a fact this program wrote"))
}

#[async_trait]
impl UserViews for InMemoryUsers {
    async fn find(&self, user: UserId) -> Result<Option<UserRecord>, PortError> {
        Ok(self.get(user))
    }

    async fn has_admin(&self) -> Result<bool, PortError> {
        Ok(lock(&self.0).values().any(|user| user.role == PlatformRole::Admin))
    }

    async fn active_administrators(&self) -> Result<u64, PortError> {
        let runs = |user: &&UserRecord| user.role == PlatformRole::Admin && user.status == UserStatus::Active;
        Ok(lock(&self.0).values().filter(runs).count() as u64)
    }

    async fn list(&self, filter: UserFilter, part: &Part) -> Result<PageOf<UserRecord>, PortError> {
        let shown = |user: &&UserRecord| {
            filter.role.is_none_or(|role| user.role == role)
                && filter.status.is_none_or(|it| user.status == it)
                && filter.user.is_none_or(|it| user.id == it)
        };
        let all = lock(&self.0).values().filter(shown).copied().collect();
        Ok(PageOf::cut(all, part, filter.sort.descending, |user| Key::by_time(user.created_at, user.id)))
    }
}

/// Private rows in memory.
pub struct InMemoryAccounts {
    users: Arc<InMemoryUsers>,
    pub(super) sessions: Arc<InMemorySessions>,
    pub(super) rows: Mutex<Vec<PrivateAccount>>,
    pub(super) unrecorded: Mutex<HashMap<UserId, DateTime<Utc>>>,
}

impl InMemoryAccounts {
    /// Private rows of these users, with their sessions.
    #[must_use]
    pub fn of(users: Arc<InMemoryUsers>, sessions: Arc<InMemorySessions>) -> Self {
        Self { users, sessions, rows: Mutex::default(), unrecorded: Mutex::default() }
    }

    /// Number of people with rows.
    #[must_use]
    pub fn count(&self) -> usize {
        lock(&self.rows).len()
    }
}

impl Fingerprint for InMemoryAccounts {
    fn fingerprint(&self) -> u64 {
        let rows = lock(&self.rows);
        of_rows(rows.iter().map(|row| format!("{row:?} {} {}", row.name.as_str(), row.password.0)))
    }
}

#[async_trait]
impl Accounts for InMemoryAccounts {
    async fn save(&self, account: &PrivateAccount) -> Result<(), PortError> {
        lock(&self.rows).push(account.clone());
        Ok(())
    }

    async fn find_by_email(&self, digest: &[u8; 32]) -> Result<Vec<Credentials>, PortError> {
        let rows = lock(&self.rows);
        let found = rows.iter().filter(|row| row.email_digest == *digest);
        Ok(found.map(|row| Credentials { user: row.user, password: row.password.clone() }).collect())
    }

    async fn profiles(&self, users: &[UserId]) -> Result<Vec<(UserId, Profile)>, PortError> {
        let rows = lock(&self.rows);
        let found = rows.iter().filter(|row| users.contains(&row.user));
        let profile =
            |row: &PrivateAccount| Profile { email: row.email.as_str().to_owned(), name: row.name.as_str().to_owned() };
        Ok(found.map(|row| (row.user, profile(row))).collect())
    }

    async fn remove(&self, user: UserId) -> Result<(), PortError> {
        lock(&self.rows).retain(|row| row.user != user);
        lock(&self.unrecorded).remove(&user);
        Ok(())
    }

    async fn sweep(&self, before: DateTime<Utc>) -> Result<u64, PortError> {
        let mut rows = lock(&self.rows);
        let present = rows.len();
        let stays = |user| self.users.get(user).is_some_and(|user| user.status != UserStatus::Erased);
        rows.retain(|row| row.created_at >= before || stays(row.user));
        Ok((present - rows.len()) as u64)
    }
}

/// Sessions in memory.
pub struct InMemorySessions {
    users: Arc<InMemoryUsers>,
    pub(super) state: Mutex<SessionState>,
}

#[derive(Default)]
pub(super) struct SessionState {
    pub(super) sessions: HashMap<SessionId, OpenSession>,
    tokens: HashMap<RefreshDigest, RefreshToken>,
}

pub(super) struct OpenSession {
    pub(super) user: UserId,
    pub(super) opened_at: DateTime<Utc>,
    pub(super) last_used_at: DateTime<Utc>,
    pub(super) ends_at: DateTime<Utc>,
    pub(super) revoked: bool,
    current: RefreshDigest,
    previous: Option<RefreshDigest>,
}

struct RefreshToken {
    session: SessionId,
    until: DateTime<Utc>,
}

impl SessionState {
    /// Removes a person's sessions beyond the limit, and returns them.
    fn crowd_out(&mut self, user: UserId, newest: SessionId, at_once: usize) -> Vec<SessionId> {
        let others = self.sessions.iter().filter(|(id, it)| it.user == user && **id != newest);
        let mut others: Vec<_> = others.map(|(id, it)| (!it.revoked, it.last_used_at, *id)).collect();
        others.sort_unstable_by_key(|other| std::cmp::Reverse(*other));
        let beyond: Vec<_> = others.into_iter().skip(at_once - 1).map(|(_, _, id)| id).collect();
        self.sessions.retain(|id, _| !beyond.contains(id));
        self.tokens.retain(|_, token| !beyond.contains(&token.session));
        beyond
    }
}

impl InMemorySessions {
    /// Sessions of these users.
    #[must_use]
    pub fn of(users: Arc<InMemoryUsers>) -> Self {
        Self { users, state: Mutex::default() }
    }
}

impl Fingerprint for InMemorySessions {
    fn fingerprint(&self) -> u64 {
        let state = lock(&self.state);
        of_rows(state.sessions.iter().map(|(id, it)| {
            let OpenSession { user, last_used_at, ends_at, revoked, current, previous, .. } = it;
            format!("{id} {user} {last_used_at} {ends_at} {revoked} {current:?} {previous:?}")
        }))
    }
}

#[async_trait]
impl Sessions for InMemorySessions {
    async fn open(&self, session: &NewSession) -> Result<Vec<SessionId>, PortError> {
        let NewSession { id, user, opened_at, ends_at, refresh, refresh_until, at_once } = *session;
        let mut state = lock(&self.state);
        let opened = OpenSession {
            user,
            opened_at,
            last_used_at: opened_at,
            ends_at,
            revoked: false,
            current: refresh,
            previous: None,
        };
        state.sessions.insert(id, opened);
        state.tokens.insert(refresh, RefreshToken { session: id, until: refresh_until });
        Ok(state.crowd_out(user, id, at_once as usize))
    }

    async fn rotate(
        &self,
        presented: &RefreshDigest,
        next: &RefreshDigest,
        now: DateTime<Utc>,
        next_until: DateTime<Utc>,
    ) -> Result<Rotation, PortError> {
        let mut state = lock(&self.state);
        let SessionState { sessions, tokens } = &mut *state;
        let Some(token) = tokens.get(presented) else { return Ok(Rotation::Refused) };
        let id = token.session;
        let Some(session) = sessions.get_mut(&id) else { return Ok(Rotation::Refused) };
        if session.current != *presented && session.previous != Some(*presented) {
            session.revoked = true;
            return Ok(Rotation::Reused { session: id });
        }
        if session.revoked || session.ends_at <= now || token.until <= now {
            return Ok(Rotation::Refused);
        }
        (session.previous, session.current, session.last_used_at) = (Some(*presented), *next, now);
        let (until, user) = (next_until.min(session.ends_at), session.user);
        tokens.insert(*next, RefreshToken { session: id, until });
        Ok(Rotation::Rotated { session: id, user })
    }

    async fn revoke(&self, session: SessionId, _now: DateTime<Utc>) -> Result<(), PortError> {
        if let Some(session) = lock(&self.state).sessions.get_mut(&session) {
            session.revoked = true;
        }
        Ok(())
    }

    async fn revoke_all(&self, user: UserId, _now: DateTime<Utc>) -> Result<(), PortError> {
        let mut state = lock(&self.state);
        state.sessions.values_mut().filter(|session| session.user == user).for_each(|session| session.revoked = true);
        Ok(())
    }
}

#[async_trait]
impl Standings for InMemorySessions {
    async fn of(
        &self,
        user: UserId,
        session: SessionId,
        now: DateTime<Utc>,
    ) -> Result<Option<PlatformRole>, PortError> {
        let state = lock(&self.state);
        let lives = |it: &&OpenSession| it.user == user && !it.revoked && it.ends_at > now;
        let live = state.sessions.get(&session).filter(lives).is_some();
        let user = self.users.get(user).filter(|user| live && user.status == UserStatus::Active);
        Ok(user.map(|user| user.role))
    }

    fn forget(&self, _session: SessionId) {}
}

#[async_trait]
impl Perishable for InMemorySessions {
    async fn sweep(&self, before: DateTime<Utc>) -> Result<u64, PortError> {
        let mut state = lock(&self.state);
        let SessionState { sessions, tokens } = &mut *state;
        let present = sessions.len();
        sessions.retain(|_, session| session.ends_at >= before);
        tokens.retain(|_, token| sessions.contains_key(&token.session));
        Ok((present - sessions.len()) as u64)
    }
}
