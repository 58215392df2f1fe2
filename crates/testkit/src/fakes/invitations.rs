use std::{
    cmp::Reverse,
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use devskyy_application::{
    error::PortError,
    es::RecordedEvent,
    identity::{Mentions, Perishable, TokenMint},
    projects::{Addressed, Addressees, InvitationRecord, InvitationStatus, InvitationViews, LISTED},
};
use devskyy_domain::{
    identity::Email,
    kernel::ids::{InvitationId, ProjectId},
    projects::{Invitation, InvitationEvent},
};

use super::{
    InMemoryEventStore,
    fingerprint::{Fingerprint, of_rows},
    identity::decoded,
};

/// Invitations into projects, folded from an in-memory log.
#[derive(Debug, Default)]
pub struct InMemoryProjectInvitations(Mutex<BTreeMap<InvitationId, InvitationRecord>>);

impl InMemoryProjectInvitations {
    /// Invitations that follow a log.
    #[must_use]
    pub fn following(store: &InMemoryEventStore) -> Arc<Self> {
        let invitations = Arc::new(Self::default());
        let follower = invitations.clone();
        store.follow(move |event| follower.take_in(event));
        invitations
    }

    fn rows(&self) -> MutexGuard<'_, BTreeMap<InvitationId, InvitationRecord>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn take_in(&self, event: &RecordedEvent) {
        let Some(fact) = decoded::<Invitation>(event) else { return };
        let id = InvitationId::from(event.stream_id);
        let status = match fact {
            InvitationEvent::Issued(it) => {
                let record = InvitationRecord {
                    id,
                    project: it.project,
                    role: it.role,
                    status: InvitationStatus::Open,
                    invited_by: event.context.actor.clone(),
                    created_at: event.recorded_at,
                    expires_at: it.expires_at,
                };
                self.rows().insert(id, record);
                return;
            }
            InvitationEvent::Accepted(_) => InvitationStatus::Accepted,
            InvitationEvent::Declined(_) => InvitationStatus::Declined,
            InvitationEvent::Withdrawn(_) => InvitationStatus::Withdrawn,
        };
        if let Some(record) = self.rows().get_mut(&id) {
            record.status = status;
        }
    }

    fn chosen(&self, wanted: impl Fn(&InvitationRecord) -> bool) -> Vec<InvitationRecord> {
        let mut found: Vec<_> = self.rows().values().filter(|record| wanted(record)).cloned().collect();
        found.sort_by_key(|record| (record.created_at, record.id));
        found
    }
}

#[async_trait]
impl InvitationViews for InMemoryProjectInvitations {
    async fn find(&self, ids: &[InvitationId]) -> Result<Vec<InvitationRecord>, PortError> {
        Ok(self.chosen(|record| ids.contains(&record.id)))
    }

    async fn open(&self, project: ProjectId, now: DateTime<Utc>) -> Result<Vec<InvitationRecord>, PortError> {
        let waits = |it: &InvitationRecord| it.status == InvitationStatus::Open && it.expires_at > now;
        Ok(self.chosen(|record| record.project == project && waits(record)))
    }
}

struct Row {
    email: Email,
    token: String,
    created_at: DateTime<Utc>,
}

/// The recipients of invitations, in memory.
pub struct InMemoryAddressees {
    mint: Arc<dyn TokenMint>,
    rows: Mutex<BTreeMap<InvitationId, Row>>,
}

impl InMemoryAddressees {
    /// Without recipients.
    #[must_use]
    pub fn new(mint: Arc<dyn TokenMint>) -> Self {
        Self { mint, rows: Mutex::default() }
    }

    fn rows(&self) -> MutexGuard<'_, BTreeMap<InvitationId, Row>> {
        self.rows.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Fingerprint for InMemoryAddressees {
    fn fingerprint(&self) -> u64 {
        of_rows(self.rows().iter().map(|(id, it)| format!("{id} {} {} {}", it.email.as_str(), it.token, it.created_at)))
    }
}

#[async_trait]
impl Addressees for InMemoryAddressees {
    async fn save(&self, invitation: InvitationId, email: &Email, now: DateTime<Utc>) -> Result<String, PortError> {
        let token = self.mint.token()?;
        self.rows().insert(invitation, Row { email: email.clone(), token: token.clone(), created_at: now });
        Ok(token)
    }

    async fn addressed(
        &self,
        invitation: InvitationId,
        email: &Email,
        token: Option<&str>,
    ) -> Result<Addressed, PortError> {
        let rows = self.rows();
        Ok(match rows.get(&invitation).filter(|row| row.email == *email) {
            None => Addressed::No,
            Some(row) if token == Some(&row.token) => Addressed::ByToken,
            Some(_) => Addressed::ByEmail,
        })
    }

    async fn invitations(&self, email: &Email) -> Result<Vec<InvitationId>, PortError> {
        let rows = self.rows();
        let mut theirs: Vec<_> = rows.iter().filter(|(_, row)| row.email == *email).collect();
        theirs.sort_by_key(|(id, row)| Reverse((row.created_at, **id)));
        Ok(theirs.into_iter().take(LISTED).map(|(id, _)| *id).collect())
    }

    async fn emails(&self, invitations: &[InvitationId]) -> Result<Vec<(InvitationId, String)>, PortError> {
        let rows = self.rows();
        let kept = invitations.iter().filter_map(|id| Some((*id, rows.get(id)?.email.as_str().to_owned())));
        Ok(kept.collect())
    }

    async fn remove(&self, invitation: InvitationId) -> Result<(), PortError> {
        self.rows().remove(&invitation);
        Ok(())
    }
}

#[async_trait]
impl Perishable for InMemoryAddressees {
    async fn sweep(&self, before: DateTime<Utc>) -> Result<u64, PortError> {
        let mut rows = self.rows();
        let there = rows.len();
        rows.retain(|_, row| row.created_at >= before);
        Ok((there - rows.len()) as u64)
    }
}

#[async_trait]
impl Mentions for InMemoryAddressees {
    async fn forget(&self, email: &Email) -> Result<(), PortError> {
        self.rows().retain(|_, row| row.email != *email);
        Ok(())
    }
}
