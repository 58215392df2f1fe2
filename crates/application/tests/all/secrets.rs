//! Secrets are decrypted with their current value, and earlier values are gone.

use std::sync::Arc;

use devskyy_application::{
    access::Access,
    context::Actor,
    secrets::{
        AddSecret, OpenedSecrets, ProjectSecrets, ProjectSecretsPorts, RawSecret, RemoveSecret, ReplaceSecret,
        SecretView,
    },
    workflow::ToolSecrets as _,
};
use devskyy_domain::{
    kernel::ids::ProjectId,
    secrets::{SecretHosts, SecretValue},
};
use devskyy_testkit::fakes::{FixedClock, InMemoryEventStore, InMemoryProjects, InMemorySecrets, SequentialIds};
use uuid::Uuid;

struct World {
    secrets: ProjectSecrets,
    opened: OpenedSecrets,
    kept: Arc<InMemorySecrets>,
    system: Actor,
}

fn project() -> ProjectId {
    Uuid::from_u128(7).into()
}

impl World {
    fn new() -> Self {
        let store = Arc::new(InMemoryEventStore::default());
        let kept = InMemorySecrets::following(&store);
        let ports = ProjectSecretsPorts {
            access: Access::new(InMemoryProjects::following(&store)),
            store,
            views: kept.clone(),
            vault: kept.clone(),
            clock: Arc::new(FixedClock::default()),
            ids: Arc::new(SequentialIds::default()),
        };
        let opened = OpenedSecrets::new(kept.clone(), kept.clone());
        Self { secrets: ProjectSecrets::new(ports), opened, kept, system: Actor::system("test", Uuid::nil()) }
    }

    async fn added(&self) -> SecretView {
        let raw = RawSecret {
            name: "tracker".to_owned(),
            hosts: vec!["tracker.example.org".to_owned()],
            value: "first-value".to_owned(),
        };
        self.secrets.add.handle(&self.system, AddSecret::parse(project(), &raw).unwrap()).await.unwrap()
    }

    fn replacing(secret: &SecretView, value: &str) -> ReplaceSecret {
        let value = SecretValue::parse(value).unwrap();
        let hosts = Some(SecretHosts::parse(&["other.example.org"]).unwrap());
        ReplaceSecret { project: project(), secret: secret.id, value, hosts, expected: Some(secret.version) }
    }

    async fn value(&self, of: ProjectId) -> Option<String> {
        let opened = self.opened.open(of, "tracker").await.unwrap();
        opened.map(|secret| secret.value.expose().to_owned())
    }
}

#[tokio::test]
async fn a_secret_is_opened_for_its_project() {
    let world = World::new();
    world.added().await;
    assert_eq!(world.value(project()).await.as_deref(), Some("first-value"));
}

#[tokio::test]
async fn a_secret_of_another_project_is_unknown() {
    let world = World::new();
    world.added().await;
    assert_eq!(world.value(Uuid::from_u128(8).into()).await, None);
}

#[tokio::test]
async fn a_replaced_secret_is_opened_as_it_is_now() {
    let world = World::new();
    let secret = world.added().await;
    world.secrets.replace.handle(&world.system, World::replacing(&secret, "second-value")).await.unwrap();
    assert_eq!(world.value(project()).await.as_deref(), Some("second-value"));
}

#[tokio::test]
async fn a_value_that_was_replaced_is_not_kept() {
    let world = World::new();
    let secret = world.added().await;
    world.secrets.replace.handle(&world.system, World::replacing(&secret, "second-value")).await.unwrap();
    assert_eq!(world.kept.values(), 1);
}

#[tokio::test]
async fn a_value_that_came_too_late_is_not_kept() {
    let world = World::new();
    let secret = world.added().await;
    world.secrets.replace.handle(&world.system, World::replacing(&secret, "second-value")).await.unwrap();
    world.secrets.replace.handle(&world.system, World::replacing(&secret, "third-value")).await.unwrap_err();
    assert_eq!((world.kept.values(), world.value(project()).await.as_deref()), (1, Some("second-value")));
}

#[tokio::test]
async fn the_value_of_a_removed_secret_is_not_kept() {
    let world = World::new();
    let secret = world.added().await;
    let removal = RemoveSecret { project: project(), secret: secret.id, expected: None };
    world.secrets.remove.handle(&world.system, removal).await.unwrap();
    assert_eq!((world.kept.values(), world.opened.knows(project(), "tracker").await.unwrap()), (0, false));
}
