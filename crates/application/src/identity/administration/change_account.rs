use std::sync::Arc;

use devskyy_domain::{
    identity::{PlatformRole, Roster, User},
    kernel::{
        Aggregate, Decision, Version,
        ids::{RosterId, UserId},
    },
};
use uuid::Uuid;

use super::{
    super::{
        change_ports::SessionList,
        ports::{Sessions, Standings, UserViews},
        views::{AccountView, UserStatus},
    },
    get_account::GetAccountHandler,
    personal_data::PersonalData,
};
use crate::{
    access::{Access, PlatformPermission},
    context::Actor,
    error::Error,
    es::{AppendError, AppendRequest, ClaimChange, EventStore, Precondition, Repository},
    ports::Clock,
};

/// Attempts of an update that loses a race, before the caller has to retry.
const ATTEMPTS: usize = 5;

/// The id of the only roster.
const ROSTER: Uuid = Uuid::from_u128(0x0193_0000_0000_7000_8000_0000_0000_0001);

/// A change of an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AccountChange {
    /// Changes the platform role.
    Role(PlatformRole),
    /// Prevents the user from signing in.
    Disable,
    /// Allows the user to sign in again.
    Enable,
    /// Erases the user.
    Erase,
}

/// A request to change an account.
#[derive(Debug)]
pub struct ChangeAccount {
    /// The user.
    pub user: UserId,
    /// The change.
    pub change: AccountChange,
    /// The version the caller expects, if any.
    pub expected: Option<Version>,
}

/// Changes accounts. A change that would leave the platform without an active administrator is refused, also under
/// concurrency: each such change writes to the only roster, so the second of two is checked again.
pub struct ChangeAccountHandler {
    pub(super) store: Arc<dyn EventStore>,
    pub(super) users: Arc<dyn UserViews>,
    pub(super) sessions: Arc<dyn Sessions>,
    pub(super) list: Arc<dyn SessionList>,
    pub(super) standings: Arc<dyn Standings>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) personal: PersonalData,
    pub(super) get: GetAccountHandler,
}

impl ChangeAccountHandler {
    /// Changes an account and returns it. A loss of rights takes effect within five seconds.
    ///
    /// # Errors
    /// [`devskyy_domain::identity::IdentityError`], [`Error::NotFound`], [`Error::StaleVersion`],
    /// [`Error::Unauthenticated`], [`Error::Forbidden`] or a failing port.
    #[tracing::instrument(name = "identity.change_account", skip_all, fields(user = %command.user), err(Debug, level = "debug"))]
    pub async fn handle(&self, actor: &Actor, command: ChangeAccount) -> Result<AccountView, Error> {
        Access::require_on_platform(actor, PlatformPermission::UsersWrite)?;
        let ChangeAccount { user, change, .. } = command;
        let before = self.get.view(user).await?.record.status;
        match change {
            AccountChange::Role(_) | AccountChange::Disable => self.record(actor, &command, &[]).await?,
            AccountChange::Enable => {
                if before == UserStatus::Disabled {
                    // No session from before the account was disabled may become valid again.
                    self.sessions.revoke_all(user, self.clock.now()).await?;
                }
                self.record(actor, &command, &[]).await?;
            }
            AccountChange::Erase => {
                let claims = self.personal.released(user).await?;
                self.record(actor, &command, &claims).await?;
                self.personal.forget(user).await?;
            }
        }
        self.look_again(user, matches!(change, AccountChange::Erase | AccountChange::Disable)).await?;
        self.get.view(user).await
    }

    async fn record(&self, actor: &Actor, command: &ChangeAccount, claims: &[ClaimChange]) -> Result<(), Error> {
        let ChangeAccount { user, change, expected } = *command;
        let users = Repository::<User>::new(self.store.clone());
        let rosters = Repository::<Roster>::new(self.store.clone());
        let roster = RosterId::from(ROSTER);
        for _ in 0..ATTEMPTS {
            // The roster is read before the count, so that a concurrent change makes this append fail.
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

    /// Ends the user's sessions if requested, and drops their cached standings.
    async fn look_again(&self, user: UserId, ended: bool) -> Result<(), Error> {
        let known = self.list.of_user(user, self.clock.now()).await?;
        if ended {
            self.sessions.revoke_all(user, self.clock.now()).await?;
        }
        known.iter().for_each(|session| self.standings.forget(session.id));
        Ok(())
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
