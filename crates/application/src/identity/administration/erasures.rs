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

/// Most users listed in one go.
const PORTION: u64 = 100;

/// Makes sure that who was erased stays erased, whenever a process ends and whatever backup is restored.
pub struct ErasuresHandler {
    pub(super) store: Arc<dyn EventStore>,
    pub(super) users: Arc<dyn UserViews>,
    pub(super) sessions: Arc<dyn Sessions>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) personal: PersonalData,
}

impl ErasuresHandler {
    /// Forgets again whoever was erased, after a backup from before was restored. Says how many were.
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
                // It was allowed when it happened; that the restored platform has nobody else does not undo it.
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

    /// Adds to the list of erasures whoever was erased and is not on it: of a process that ended between the two, nothing
    /// else tells. Says how many were added.
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
