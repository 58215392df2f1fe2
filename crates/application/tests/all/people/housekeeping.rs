use std::sync::Arc;

use chrono::TimeDelta;
use devskyy_application::{
    identity::{Accounts as _, Housekeeping, HousekeepingPorts, Invitations as _, KeySecret, KeyVault as _, Swept},
    ports::Clock as _,
    projects::{Addressees as _, CreateProject},
};
use devskyy_domain::{
    identity::Email,
    kernel::ids::{ApiKeyId, InvitationId, KeySecretId, UserId},
    projects::ProjectName,
};
use devskyy_testkit::{
    contracts::people::account,
    fakes::{FixedClock, InMemoryApiKeys, InMemoryInvitations, InMemoryUsers},
};
use uuid::Uuid;

use super::world::{World, key};

/// A platform on which one of everything that expires was left behind at noon, beside what is in use.
struct Household {
    clock: Arc<FixedClock>,
    housekeeping: Housekeeping,
    world: World,
}

impl Household {
    async fn new() -> Self {
        let world = World::new();
        let (ada, _) = world.person("ada").await;
        let command = CreateProject { name: ProjectName::parse("One").unwrap(), idempotency: Some(key("k", 1)) };
        world.projects.create.handle(&ada, command).await.unwrap();
        let now = world.clock.now();
        let left_behind = account(UserId::from(Uuid::from_u128(77)), 7);
        world
            .accounts
            .save(&devskyy_application::identity::PrivateAccount { created_at: now, ..left_behind })
            .await
            .unwrap();
        let vault = InMemoryApiKeys::following(&world.store, InMemoryUsers::following(&world.store));
        let (id, of) = (KeySecretId::from(Uuid::from_u128(78)), ApiKeyId::from(Uuid::from_u128(79)));
        vault.save(&KeySecret { id, key: of, digest: [1; 32], created_at: now }).await.unwrap();
        let invitations = Arc::new(InMemoryInvitations::default());
        invitations.save(&[1; 32], now + TimeDelta::days(7)).await.unwrap();
        let email = Email::parse("grace@example.org").unwrap();
        world.addressees.save(InvitationId::from(Uuid::from_u128(80)), &email, now).await.unwrap();
        let ports = HousekeepingPorts {
            accounts: world.accounts.clone(),
            vault,
            sessions: world.sessions.clone(),
            invitations,
            addressees: world.addressees.clone(),
            attempts: world.attempts.clone(),
            used_keys: world.store.clone(),
            clock: world.clock.clone(),
        };
        Self { clock: world.clock.clone(), housekeeping: Housekeeping::new(ports), world }
    }

    async fn after(&self, days: u64) -> Swept {
        self.clock.advance(std::time::Duration::from_secs(days * 86_400 + 1));
        self.housekeeping.pass().await.unwrap()
    }
}

#[tokio::test]
async fn nothing_is_swept_on_the_day_it_was_left_behind() {
    assert_eq!(Household::new().await.after(0).await, Swept::default());
}

#[tokio::test]
async fn rows_nobody_refers_to_are_swept_after_a_day() {
    let household = Household::new().await;
    let swept = household.after(1).await;
    assert_eq!(swept, Swept { accounts: 1, secrets: 1, ..Swept::default() });
    assert_eq!(household.world.accounts.count(), 1);
}

#[tokio::test]
async fn invitations_are_swept_a_day_after_their_end() {
    assert_eq!(Household::new().await.after(8).await.invitations, 1);
}

#[tokio::test]
async fn e_mails_of_invitations_into_projects_are_swept_a_day_after_these_expired() {
    let household = Household::new().await;
    assert_eq!(household.after(7).await.addressees, 0);
    assert_eq!(household.after(1).await.addressees, 1);
}

#[tokio::test]
async fn attempts_are_swept_a_day_after_their_window() {
    let household = Household::new().await;
    assert_eq!(household.after(1).await.attempts, 0);
    assert!(household.after(1).await.attempts > 0);
}

#[tokio::test]
async fn used_keys_are_forgotten_after_a_fortnight() {
    let household = Household::new().await;
    assert_eq!(household.after(13).await.used_keys, 0);
    assert_eq!(household.after(1).await.used_keys, 1);
}

#[tokio::test]
async fn sign_ins_are_swept_a_day_after_their_end() {
    let household = Household::new().await;
    assert_eq!(household.after(30).await.sessions, 0);
    assert_eq!(household.after(1).await.sessions, 1);
}

#[tokio::test]
async fn whatever_was_swept_is_not_swept_again() {
    let household = Household::new().await;
    household.after(40).await;
    assert_eq!(household.after(40).await, Swept::default());
}
