//! Invitations in memory keep the contract, and the contract detects adapters that break a promise.

use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use devskyy_application::{
    error::PortError,
    identity::{Mentions, Perishable},
    projects::{Addressed, Addressees, InvitationRecord, InvitationStatus, InvitationViews},
};
use devskyy_domain::{
    identity::Email,
    kernel::ids::{InvitationId, ProjectId},
    projects::ProjectRole,
};
use devskyy_testkit::{contracts::invitations::InvitationsUnderTest, fakes::SequentialIds};

async fn in_memory() -> InvitationsUnderTest {
    InvitationsUnderTest::in_memory()
}

devskyy_testkit::invitations_contract!(in_memory);

/// Views with one flaw.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Blind {
    /// Shows every role as the highest.
    Role,
    /// Shows every invitation ever issued as open.
    Expiry,
    /// Shows a project the invitations of all projects.
    Project,
    /// Does not notice that they end.
    End,
}

struct Views(Arc<dyn InvitationViews>, Blind);

#[async_trait]
impl InvitationViews for Views {
    async fn find(&self, ids: &[InvitationId]) -> Result<Vec<InvitationRecord>, PortError> {
        let mut found = self.0.find(ids).await?;
        for record in &mut found {
            match self.1 {
                Blind::Role => record.role = ProjectRole::Owner,
                Blind::End => record.status = InvitationStatus::Open,
                Blind::Expiry | Blind::Project => {}
            }
        }
        Ok(found)
    }

    async fn open(&self, project: ProjectId, now: DateTime<Utc>) -> Result<Vec<InvitationRecord>, PortError> {
        match self.1 {
            Blind::Expiry => self.0.open(project, DateTime::UNIX_EPOCH).await,
            Blind::Project => {
                let mut all = self.0.open(project, now).await?;
                all.extend(self.0.open(SequentialIds::nth(11).into(), now).await?);
                Ok(all)
            }
            Blind::Role | Blind::End => self.0.open(project, now).await,
        }
    }
}

fn blind(to: Blind) -> InvitationsUnderTest {
    let honest = InvitationsUnderTest::in_memory();
    InvitationsUnderTest { views: Arc::new(Views(honest.views.clone(), to)), ..honest }
}

/// Stores of e-mails with one flaw.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Flaw {
    /// Accepts any token.
    Token,
    /// Finds nothing by e-mail.
    Lost,
    /// Deletes nothing.
    Kept,
    /// Lists everything at once.
    Endless,
    /// Deletes everything at once.
    Eager,
}

struct Flawed {
    honest: InvitationsUnderTest,
    flaw: Flaw,
    saved: Mutex<Vec<InvitationId>>,
}

impl Flawed {
    fn saved(&self) -> Vec<InvitationId> {
        self.saved.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

#[async_trait]
impl Addressees for Flawed {
    async fn save(&self, invitation: InvitationId, email: &Email, now: DateTime<Utc>) -> Result<String, PortError> {
        self.saved.lock().unwrap_or_else(PoisonError::into_inner).push(invitation);
        self.honest.addressees.save(invitation, email, now).await
    }

    async fn addressed(&self, id: InvitationId, email: &Email, token: Option<&str>) -> Result<Addressed, PortError> {
        let answer = self.honest.addressees.addressed(id, email, token).await?;
        let taken = self.flaw == Flaw::Token && answer == Addressed::ByEmail && token.is_some();
        Ok(if taken { Addressed::ByToken } else { answer })
    }

    async fn invitations(&self, email: &Email) -> Result<Vec<InvitationId>, PortError> {
        match self.flaw {
            Flaw::Lost => Ok(vec![]),
            Flaw::Endless => Ok(self.saved()),
            Flaw::Token | Flaw::Kept | Flaw::Eager => self.honest.addressees.invitations(email).await,
        }
    }

    async fn emails(&self, invitations: &[InvitationId]) -> Result<Vec<(InvitationId, String)>, PortError> {
        self.honest.addressees.emails(invitations).await
    }

    async fn remove(&self, invitation: InvitationId) -> Result<(), PortError> {
        if self.flaw == Flaw::Kept { Ok(()) } else { self.honest.addressees.remove(invitation).await }
    }
}

#[async_trait]
impl Mentions for Flawed {
    async fn forget(&self, email: &Email) -> Result<(), PortError> {
        if self.flaw == Flaw::Kept { Ok(()) } else { self.honest.mentions.forget(email).await }
    }
}

#[async_trait]
impl Perishable for Flawed {
    async fn sweep(&self, before: DateTime<Utc>) -> Result<u64, PortError> {
        let before = if self.flaw == Flaw::Eager { DateTime::<Utc>::MAX_UTC } else { before };
        self.honest.perishable.sweep(before).await
    }
}

fn flawed(flaw: Flaw) -> InvitationsUnderTest {
    let keeper = Arc::new(Flawed { honest: InvitationsUnderTest::in_memory(), flaw, saved: Mutex::default() });
    InvitationsUnderTest {
        addressees: keeper.clone(),
        perishable: keeper.clone(),
        mentions: keeper,
        ..InvitationsUnderTest::in_memory()
    }
}

fn culprits() -> Vec<InvitationsUnderTest> {
    let blind = [Blind::Role, Blind::Expiry, Blind::Project, Blind::End].map(blind);
    let flawed = [Flaw::Token, Flaw::Lost, Flaw::Kept, Flaw::Endless, Flaw::Eager].map(flawed);
    blind.into_iter().chain(flawed).collect()
}

mod caught {
    use super::culprits;

    devskyy_testkit::invitations_contract!(each broken culprits);
}
