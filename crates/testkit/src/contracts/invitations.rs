//! The contract of invitations into projects. `invitations_contract!` creates one test per promise; it takes an async
//! function that returns an [`InvitationsUnderTest`] over an empty log.

#![expect(clippy::unwrap_used, reason = "a promise that is broken stops its test")]

use std::{any::Any, sync::Arc};

use chrono::{DateTime, TimeDelta, Utc};
use devskyy_application::{
    context::Actor,
    es::{EventStore, Repository},
    identity::{Mentions, Perishable},
    projects::{Addressed, Addressees, InvitationStatus, InvitationViews, LISTED},
};
use devskyy_domain::{
    identity::Email,
    kernel::ids::{InvitationId, ProjectId},
    projects::{Invitation, InvitationError, InvitationEvent, ProjectRole},
};
use uuid::Uuid;

use crate::fakes::{
    InMemoryAddressees, InMemoryEventStore, InMemoryProjectInvitations, SequentialIds, SequentialTokenMint,
};

/// Invitations over one log.
pub struct InvitationsUnderTest {
    /// The log.
    pub store: Arc<dyn EventStore>,
    /// The read model of invitations.
    pub views: Arc<dyn InvitationViews>,
    /// The recipients.
    pub addressees: Arc<dyn Addressees>,
    /// The recipients, for the sweep.
    pub perishable: Arc<dyn Perishable>,
    /// The recipients, for erasing people.
    pub mentions: Arc<dyn Mentions>,
    /// Resources that must live as long.
    pub keep: Box<dyn Any + Send + Sync>,
}

impl InvitationsUnderTest {
    /// The in-memory adapters.
    #[must_use]
    pub fn in_memory() -> Self {
        let store = Arc::new(InMemoryEventStore::default());
        let addressees = Arc::new(InMemoryAddressees::new(Arc::new(SequentialTokenMint::default())));
        Self {
            views: InMemoryProjectInvitations::following(&store),
            perishable: addressees.clone(),
            mentions: addressees.clone(),
            addressees,
            store,
            keep: Box::new(()),
        }
    }

    async fn decide(
        &self,
        n: u64,
        decide: impl Fn(&Invitation) -> Result<Vec<InvitationEvent>, InvitationError> + Send + Sync,
    ) {
        let context = Actor::system("contract", SequentialIds::nth(9_999)).event_context(None);
        Repository::<Invitation>::new(self.store.clone()).update(context, id(n), None, decide).await.unwrap();
    }

    async fn issue(&self, n: u64, project: u64) {
        self.decide(n, |it| it.issue(id(project), ProjectRole::Viewer, 0, noon())).await;
    }

    async fn open(&self, project: u64, now: DateTime<Utc>) -> Vec<InvitationId> {
        let project: ProjectId = id(project);
        self.views.open(project, now).await.unwrap().into_iter().map(|record| record.id).collect()
    }
}

fn id<T: From<Uuid>>(n: u64) -> T {
    SequentialIds::nth(n).into()
}

fn noon() -> DateTime<Utc> {
    DateTime::from_timestamp(1_800_000_000, 0).unwrap()
}

fn email(name: &str) -> Email {
    Email::parse(&format!("{name}@example.org")).unwrap()
}

/// An issued invitation is found with its data.
pub async fn an_issued_invitation_is_found(it: &InvitationsUnderTest) {
    it.issue(1, 10).await;
    let found = it.views.find(&[id(1), id(2)]).await.unwrap();
    let record = found.first().unwrap();
    assert_eq!((found.len(), record.id, record.project, record.role), (1, id(1), id(10), ProjectRole::Viewer));
    assert_eq!((record.status, record.expires_at), (InvitationStatus::Open, noon() + TimeDelta::days(7)));
    assert_eq!(record.invited_by, "system:contract");
}

/// Only unanswered invitations are open, and only in their project.
pub async fn open_invitations_are_those_that_wait(it: &InvitationsUnderTest) {
    for n in 1..=4 {
        it.issue(n, 10).await;
    }
    it.issue(5, 11).await;
    it.decide(1, |it| it.accept(id(70), noon())).await;
    it.decide(2, |it| it.decline(id(70))).await;
    it.decide(3, Invitation::withdraw).await;
    assert_eq!(it.open(10, noon()).await, [id::<InvitationId>(4)]);
}

/// An expired invitation is not open.
pub async fn an_expired_invitation_is_not_open(it: &InvitationsUnderTest) {
    it.issue(1, 10).await;
    assert_eq!(it.open(10, noon() + TimeDelta::days(7)).await, []);
}

/// An ended invitation has its outcome.
pub async fn an_ended_invitation_shows_how_it_ended(it: &InvitationsUnderTest) {
    for n in 1..=3 {
        it.issue(n, 10).await;
    }
    it.decide(1, |it| it.accept(id(70), noon())).await;
    it.decide(2, |it| it.decline(id(70))).await;
    it.decide(3, Invitation::withdraw).await;
    let found = it.views.find(&[id(1), id(2), id(3)]).await.unwrap();
    let statuses: Vec<_> = found.iter().map(|record| record.status).collect();
    let expected = [InvitationStatus::Accepted, InvitationStatus::Declined, InvitationStatus::Withdrawn];
    assert_eq!(statuses, expected);
}

/// An invitation matches its e-mail, with more proof its token, and nothing else.
pub async fn an_invitation_is_for_its_email_alone(it: &InvitationsUnderTest) {
    let token = it.addressees.save(id(1), &email("ada"), noon()).await.unwrap();
    let other = it.addressees.save(id(2), &email("ada"), noon()).await.unwrap();
    for (name, presented, expected) in [
        ("ada", None, Addressed::ByEmail),
        ("ada", Some(&other), Addressed::ByEmail),
        ("ada", Some(&token), Addressed::ByToken),
        ("eve", Some(&token), Addressed::No),
    ] {
        let answer = it.addressees.addressed(id(1), &email(name), presented.map(String::as_str)).await.unwrap();
        assert_eq!(answer, expected, "{name} {presented:?}");
    }
}

/// Invitations are found by e-mail, and e-mails by invitation.
pub async fn invitations_and_emails_find_each_other(it: &InvitationsUnderTest) {
    it.addressees.save(id(1), &email("ada"), noon()).await.unwrap();
    it.addressees.save(id(2), &email("eve"), noon()).await.unwrap();
    assert_eq!(it.addressees.invitations(&email("ada")).await.unwrap(), [id::<InvitationId>(1)]);
    let emails = it.addressees.emails(&[id(2), id(3)]).await.unwrap();
    assert_eq!(emails, [(id(2), "eve@example.org".to_owned())]);
}

/// A removed recipient matches nobody.
pub async fn a_removed_addressee_is_forgotten(it: &InvitationsUnderTest) {
    it.addressees.save(id(1), &email("ada"), noon()).await.unwrap();
    it.addressees.remove(id(1)).await.unwrap();
    assert_eq!(it.addressees.addressed(id(1), &email("ada"), None).await.unwrap(), Addressed::No);
    assert_eq!(it.addressees.emails(&[id(1)]).await.unwrap(), []);
}

/// The list of invitations of an e-mail is limited to the newest.
pub async fn only_the_newest_invitations_are_listed(it: &InvitationsUnderTest) {
    let most = u64::try_from(LISTED).unwrap();
    for n in 0..=most {
        it.addressees.save(id(n), &email("ada"), noon() + TimeDelta::seconds(n.cast_signed())).await.unwrap();
    }
    let mut listed = it.addressees.invitations(&email("ada")).await.unwrap();
    listed.sort();
    assert_eq!(listed, (1..=most).map(id::<InvitationId>).collect::<Vec<_>>());
}

/// An erased person's e-mail is removed from all invitations, and no other e-mail is.
pub async fn an_erased_e_mail_is_forgotten(it: &InvitationsUnderTest) {
    for (n, name) in [(1, "ada"), (2, "ada"), (3, "eve")] {
        it.addressees.save(id(n), &email(name), noon()).await.unwrap();
    }
    it.mentions.forget(&email("ada")).await.unwrap();
    let emails = it.addressees.emails(&[id(1), id(2), id(3)]).await.unwrap();
    assert_eq!(emails, [(id(3), "eve@example.org".to_owned())]);
}

/// A sweep removes only old recipients.
pub async fn a_sweep_forgets_old_addressees(it: &InvitationsUnderTest) {
    it.addressees.save(id(1), &email("ada"), noon()).await.unwrap();
    it.addressees.save(id(2), &email("ada"), noon() + TimeDelta::days(1)).await.unwrap();
    assert_eq!(it.perishable.sweep(noon() + TimeDelta::hours(1)).await.unwrap(), 1);
    assert_eq!(it.addressees.invitations(&email("ada")).await.unwrap(), [id::<InvitationId>(2)]);
}

/// Creates a test for each promise about invitations into projects.
#[macro_export]
macro_rules! invitations_contract {
    ($($how:tt)+) => {
        $crate::promises! { [$($how)+] [(&) invitations] =>
            an_issued_invitation_is_found,
            open_invitations_are_those_that_wait,
            an_expired_invitation_is_not_open,
            an_ended_invitation_shows_how_it_ended,
            an_invitation_is_for_its_email_alone,
            invitations_and_emails_find_each_other,
            a_removed_addressee_is_forgotten,
            only_the_newest_invitations_are_listed,
            an_erased_e_mail_is_forgotten,
            a_sweep_forgets_old_addressees,
        }
    };
}
