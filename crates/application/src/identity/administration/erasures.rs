use std::{collections::BTreeSet, sync::Arc};

use devskyy_domain::{identity::User, kernel::ids::UserId};

use super::{
    super::{
        ports::{Sessions, UserViews},
        views::{UserFilter, UserStatus},
    },
    personal_data::PersonalData,
};
use crate::{
    context::Actor,
    error::Error,
    es::{EventStore, Repository},
    paging::{Beyond, KeysetRequest, Part},
    ports::Clock,
};

/// Page size of the list of users.
const PORTION: u64 = 100;

/// Keeps erased users erased, after a crash and after a backup is restored.
pub struct ErasuresHandler {
    pub(super) store: Arc<dyn EventStore>,
    pub(super) users: Arc<dyn UserViews>,
    pub(super) sessions: Arc<dyn Sessions>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) personal: PersonalData,
}

impl ErasuresHandler {
    /// Erases users again after an older backup was restored. Returns how many.
    ///
    /// # Errors
    /// A failing port.
    pub async fn replay(&self, actor: &Actor) -> Result<u64, Error> {
        let mut replayed = 0;
        for user in self.personal.erasures.all().await? {
            let Some(record) = self.users.find(user).await? else { continue };
            let known = self.personal.is_kept(user).await?;
            if record.status != UserStatus::Erased {
                let claims = self.personal.released(user).await?;
                // The erasure was allowed when it happened, even if the restored platform has no other administrator.
                let decide = User::erase;
                let users = Repository::<User>::new(self.store.clone());
                users.update_claiming(actor.event_context(None), user, None, decide, |_, _| claims.clone()).await?;
            }
            if known {
                self.personal.remove(user).await?;
                self.sessions.revoke_all(user, self.clock.now()).await?;
            }
            replayed += u64::from(known);
        }
        Ok(replayed)
    }

    /// Adds erased users to the list of erasures that are missing there, because a process ended between the two steps.
    /// Returns how many.
    ///
    /// # Errors
    /// A failing port.
    pub async fn complete(&self) -> Result<u64, Error> {
        let listed: BTreeSet<UserId> = self.personal.erasures.all().await?.into_iter().collect();
        let filter = UserFilter { status: Some(UserStatus::Erased), ..UserFilter::default() };
        let (mut added, mut after) = (0, None);
        loop {
            let found = self.users.list(filter, &Part::Keyset(KeysetRequest { after, limit: PORTION })).await?;
            for erased in found.items.iter().filter(|record| !listed.contains(&record.id)) {
                self.personal.forget(erased.id).await?;
                added += 1;
            }
            match found.beyond {
                Beyond::Next(Some(key)) => after = Some(key),
                _ => return Ok(added),
            }
        }
    }
}
