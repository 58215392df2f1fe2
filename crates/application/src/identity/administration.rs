//! What administrators do to accounts. Whoever would leave the platform without an administrator is refused, however
//! many try at once: leaving writes to the one roster, so the second of two counts again.

use std::{collections::BTreeSet, sync::Arc};

use devskyy_domain::{
    identity::{Email, PlatformRole, Roster, User},
    kernel::{
        Aggregate, Decision, Version,
        ids::{RosterId, UserId},
    },
};
use uuid::Uuid;

use super::{
    change_ports::{Erasures, Mentions, SessionList},
    enrolment::{EMAIL_SCOPE, email_claim},
    ports::{Accounts, Secrets, Sessions, Standings, UserViews},
    views::{AccountView, UserFilter, UserStatus},
};
use crate::{
    access::{Access, PlatformPermission},
    context::Actor,
    error::Error,
    es::{AppendError, AppendRequest, ClaimChange, EventStore, Precondition, Repository},
    paging::{Beyond, KeysetRequest, PageOf, Part},
    ports::Clock,
};

/// How often a lost race is run again before the caller is asked to.
const ATTEMPTS: usize = 5;

/// Most users listed in one go.
const PORTION: u64 = 100;

/// The one roster.
const ROSTER: Uuid = Uuid::from_u128(0x0193_0000_0000_7000_8000_0000_0000_0001);

/// What can be done to an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AccountChange {
    /// Gives another role on the platform.
    Role(PlatformRole),
    /// Keeps the person from signing in.
    Disable,
    /// Lets the person sign in again.
    Enable,
    /// Forgets the person.
    Erase,
}

/// Asks for an account to change.
#[derive(Debug)]
pub struct ChangeAccount {
    /// Whose.
    pub user: UserId,
    /// How.
    pub change: AccountChange,
    /// The account's version the caller last saw, if it cares.
    pub expected: Option<Version>,
}

/// Shows, lists and changes accounts, for administrators.
pub struct Administration {
    pub(super) store: Arc<dyn EventStore>,
    pub(super) users: Arc<dyn UserViews>,
    pub(super) accounts: Arc<dyn Accounts>,
    pub(super) erasures: Arc<dyn Erasures>,
    pub(super) mentions: Arc<dyn Mentions>,
    pub(super) secrets: Arc<dyn Secrets>,
    pub(super) sessions: Arc<dyn Sessions>,
    pub(super) list: Arc<dyn SessionList>,
    pub(super) standings: Arc<dyn Standings>,
    pub(super) clock: Arc<dyn Clock>,
}

impl Administration {
    /// Lists accounts; with an e-mail the one account that has it.
    ///
    /// # Errors
    /// [`Error::Unauthenticated`], [`Error::Forbidden`] or a failing port.
    #[tracing::instrument(name = "identity.list_users", skip_all, err(Debug, level = "debug"))]
    pub async fn list(
        &self,
        actor: &Actor,
        filter: UserFilter,
        email: Option<&Email>,
        page: &Part,
    ) -> Result<PageOf<AccountView>, Error> {
        Access::require_on_platform(actor, PlatformPermission::UsersRead)?;
        let user = match email {
            Some(email) => Some(self.of_email(email).await?),
            None => filter.user,
        };
        let PageOf { items, beyond } = self.users.list(UserFilter { user, ..filter }, page).await?;
        let ids: Vec<_> = items.iter().map(|record| record.id).collect();
        let mut profiles: std::collections::HashMap<_, _> = self.accounts.profiles(&ids).await?.into_iter().collect();
        let items = items.into_iter().map(|record| AccountView { profile: profiles.remove(&record.id), record });
        Ok(PageOf { items: items.collect(), beyond })
    }

    /// Who has an e-mail; an id of nobody where nobody has it.
    async fn of_email(&self, email: &Email) -> Result<UserId, Error> {
        let digest = self.secrets.keyed(EMAIL_SCOPE, email.as_str().as_bytes());
        for candidate in self.accounts.find_by_email(&digest).await? {
            if self.users.find(candidate.user).await?.is_some() {
                return Ok(candidate.user);
            }
        }
        Ok(Uuid::nil().into())
    }

    /// Shows one account.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::Unauthenticated`], [`Error::Forbidden`] or a failing port.
    #[tracing::instrument(name = "identity.get_user", skip_all, err(Debug, level = "debug"))]
    pub async fn get(&self, actor: &Actor, user: UserId) -> Result<AccountView, Error> {
        Access::require_on_platform(actor, PlatformPermission::UsersRead)?;
        self.view(user).await
    }

    /// Changes an account and shows it. What a person loses by it bites within five seconds.
    ///
    /// # Errors
    /// [`devskyy_domain::identity::IdentityError`], [`Error::NotFound`], [`Error::StaleVersion`],
    /// [`Error::Unauthenticated`], [`Error::Forbidden`] or a failing port.
    #[tracing::instrument(name = "identity.change_account", skip_all, fields(user = %command.user), err(Debug, level = "debug"))]
    pub async fn change(&self, actor: &Actor, command: ChangeAccount) -> Result<AccountView, Error> {
        Access::require_on_platform(actor, PlatformPermission::UsersWrite)?;
        let ChangeAccount { user, change, expected } = command;
        let before = self.view(user).await?.record.status;
        if change == AccountChange::Enable && before == UserStatus::Disabled {
            // Whatever kept their sign-ins from ending when they were disabled: none comes back with them.
            self.sessions.revoke_all(user, self.clock.now()).await?;
        }
        let claims = if change == AccountChange::Erase { self.released(user).await? } else { vec![] };
        self.record(actor, user, change, expected, &claims).await?;
        if change == AccountChange::Erase {
            self.forget(user).await?;
        }
        let known = self.list.of_user(user, self.clock.now()).await?;
        if matches!(change, AccountChange::Erase | AccountChange::Disable) {
            self.sessions.revoke_all(user, self.clock.now()).await?;
        }
        known.iter().for_each(|session| self.standings.forget(session.id));
        self.view(user).await
    }

    /// Forgets again whoever was erased, after a backup from before was restored. Says how many were.
    ///
    /// # Errors
    /// A failing port.
    pub async fn replay_erasures(&self, actor: &Actor) -> Result<u64, Error> {
        let mut replayed = 0;
        for user in self.erasures.all().await? {
            let Some(record) = self.users.find(user).await? else { continue };
            let known = !self.accounts.profiles(&[user]).await?.is_empty();
            if record.status != UserStatus::Erased {
                let claims = self.released(user).await?;
                // It was allowed when it happened; that the restored platform has nobody else does not undo it.
                let decide = User::erase;
                let users = Repository::<User>::new(self.store.clone());
                users.update_claiming(actor.event_context(None), user, None, decide, |_, _| claims.clone()).await?;
            }
            if known {
                self.remove(user).await?;
                self.sessions.revoke_all(user, self.clock.now()).await?;
            }
            replayed += u64::from(known);
        }
        Ok(replayed)
    }

    /// Adds to the list of erasures whoever was erased and is not on it: of a process that ended between the two, nothing
    /// else tells. Says how many were added.
    ///
    /// # Errors
    /// A failing port.
    pub async fn complete_erasures(&self) -> Result<u64, Error> {
        let listed: BTreeSet<UserId> = self.erasures.all().await?.into_iter().collect();
        let filter = UserFilter { status: Some(UserStatus::Erased), ..UserFilter::default() };
        let (mut added, mut after) = (0, None);
        loop {
            let found = self.users.list(filter, &Part::Keyset(KeysetRequest { after, limit: PORTION })).await?;
            for erased in found.items.iter().filter(|record| !listed.contains(&record.id)) {
                self.forget(erased.id).await?;
                added += 1;
            }
            match found.beyond {
                Beyond::Next(Some(key)) => after = Some(key),
                _ => return Ok(added),
            }
        }
    }

    async fn record(
        &self,
        actor: &Actor,
        user: UserId,
        change: AccountChange,
        expected: Option<Version>,
        claims: &[ClaimChange],
    ) -> Result<(), Error> {
        let users = Repository::<User>::new(self.store.clone());
        let rosters = Repository::<Roster>::new(self.store.clone());
        let roster = RosterId::from(ROSTER);
        for _ in 0..ATTEMPTS {
            // The roster is read before the count: whoever leaves in between makes this append fail.
            let guard = rosters.load(roster).await?;
            let loaded = users.load(user).await?;
            if let Some(expected) = expected.filter(|expected| *expected != loaded.version) {
                return Err(Error::StaleVersion { expected, actual: loaded.version });
            }
            let events = decide(&loaded.state, change)?;
            if events.is_empty() {
                return Ok(());
            }
            let mut writes = vec![Repository::<User>::write(user, Precondition::Version(loaded.version), &events)?];
            let leaves = loaded.state.is_active_administrator()
                && !loaded.state.clone().evolved(&events).is_active_administrator();
            if leaves {
                let left = Roster.let_go(user, self.users.active_administrators().await?)?;
                writes.push(Repository::<Roster>::write(roster, Precondition::Version(guard.version), &left)?);
            }
            let context = actor.event_context(None);
            let request = AppendRequest { writes, claims: claims.to_vec(), idempotency: None, context };
            match self.store.append(request).await {
                Ok(_) => return Ok(()),
                Err(AppendError::Conflict { .. }) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(Error::Contended)
    }

    /// Gives the e-mail back, so that a person who was forgotten may come again as somebody new.
    async fn released(&self, user: UserId) -> Result<Vec<ClaimChange>, Error> {
        let profile = self.accounts.profiles(&[user]).await?.pop();
        let digest = profile.map(|(_, profile)| self.secrets.keyed(EMAIL_SCOPE, profile.email.as_bytes()));
        let claim = digest.map(|digest| email_claim(&digest));
        Ok(claim.into_iter().map(|claim| ClaimChange::Release { claim, owner: user.into() }).collect())
    }

    /// Remembers outside the database that somebody was erased, then deletes what is personal.
    async fn forget(&self, user: UserId) -> Result<(), Error> {
        self.erasures.record(user, self.clock.now()).await?;
        self.remove(user).await
    }

    /// The account goes last: while it is there, the next start knows that something is left to forget.
    async fn remove(&self, user: UserId) -> Result<(), Error> {
        for (_, profile) in self.accounts.profiles(&[user]).await? {
            self.mentions.forget(&Email::parse(&profile.email)?).await?;
        }
        Ok(self.accounts.remove(user).await?)
    }

    async fn view(&self, user: UserId) -> Result<AccountView, Error> {
        let record = self.users.find(user).await?.ok_or_else(|| Error::NotFound(format!("user {user}")))?;
        let profile = self.accounts.profiles(&[user]).await?.pop().map(|(_, profile)| profile);
        Ok(AccountView { record, profile })
    }
}

fn decide(user: &User, change: AccountChange) -> Decision<User> {
    match change {
        AccountChange::Role(role) => user.change_role(role),
        AccountChange::Disable => user.disable(),
        AccountChange::Enable => user.enable(),
        AccountChange::Erase => user.erase(),
    }
}
