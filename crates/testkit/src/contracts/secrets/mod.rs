//! The contract of a project's secrets. `secrets_contract!(factory)` creates one test per promise.
#![expect(clippy::expect_used, reason = "a broken promise is a panic")]

pub mod opened;
pub mod values;
pub mod views;

use std::{any::Any, sync::Arc};

use devskyy_application::{
    es::{AppendRequest, EventContext, EventStore, Precondition, Repository},
    secrets::{SecretVault, SecretView, SecretViews},
    workflow::ToolSecrets,
};
use devskyy_domain::{
    kernel::{
        Decision,
        ids::{ProjectId, SecretId, SecretValueId},
    },
    secrets::{NewSecret, Secret, SecretHosts, SecretName},
};
use uuid::Uuid;

/// The adapters of secrets over their log.
pub struct SecretsUnderTest {
    /// The log.
    pub store: Arc<dyn EventStore>,
    /// The read model.
    pub views: Arc<dyn SecretViews>,
    /// The vault of values.
    pub vault: Arc<dyn SecretVault>,
    /// The secrets as tools see them.
    pub opened: Arc<dyn ToolSecrets>,
    /// Resources that must live as long as the test.
    pub keep: Box<dyn Any + Send + Sync>,
}

pub(super) fn project(n: u128) -> ProjectId {
    ProjectId::from(Uuid::from_u128(0xa000 + n))
}

pub(super) fn secret(n: u128) -> SecretId {
    SecretId::from(Uuid::from_u128(0xe000 + n))
}

pub(super) fn value(n: u128) -> SecretValueId {
    SecretValueId::from(Uuid::from_u128(0xf000 + n))
}

pub(super) fn hosts(raw: &[&str]) -> SecretHosts {
    SecretHosts::parse(raw).expect("good hosts")
}

impl SecretsUnderTest {
    /// Records a secret's decision.
    pub async fn decide(&self, n: u128, decide: impl FnOnce(&Secret) -> Decision<Secret>) {
        let repository = Repository::<Secret>::new(self.store.clone());
        let loaded = repository.load(secret(n)).await.expect("the log can be read");
        let events = decide(&loaded.state).expect("a good decision");
        let write = Repository::<Secret>::write(secret(n), Precondition::Version(loaded.version), &events);
        let context = EventContext {
            actor: "user:ada".to_owned(),
            project: Some(project(1)),
            correlation_id: Uuid::from_u128(1),
            causation_id: Uuid::from_u128(1),
            source: None,
            traceparent: None,
        };
        let writes = vec![write.expect("an event can be written")];
        let request = AppendRequest { writes, claims: vec![], idempotency: None, context };
        self.store.append(request).await.expect("the log accepts the events");
    }

    /// A secret of a project, with a value of the same number.
    pub async fn given(&self, n: u128, of_project: u128, name: &str) {
        let name = SecretName::parse(name).expect("a good name");
        let new = NewSecret { project: project(of_project), name, hosts: hosts(&["api.example.org"]), value: value(n) };
        self.decide(n, |it| it.add(&new)).await;
    }

    pub(super) async fn named(&self, of_project: u128, name: &str) -> Option<SecretView> {
        self.views.named(project(of_project), name).await.expect("an answer")
    }
}

/// Creates a test for each promise, over the adapter from the factory.
#[macro_export]
macro_rules! secrets_contract {
    ($($how:tt)+) => {
        $crate::promises! { [$($how)+] [(&) secrets::views] =>
            a_new_secret_shows_what_it_was_made_of,
            a_replaced_secret_shows_its_new_value_and_hosts,
            a_secret_is_found_by_name_in_its_project_only,
            a_removed_secret_is_absent,
            a_list_shows_the_newest_first_and_no_other_projects,
        }
        $crate::promises! { [$($how)+] [(&) secrets::values] =>
            a_value_opens_for_what_it_was_handed_over,
            a_value_does_not_open_for_another_host,
            a_value_does_not_open_for_another_secret,
            a_removed_value_is_gone,
            a_sweep_spares_values_that_are_held,
            a_sweep_spares_values_handed_over_lately,
            a_sweep_removes_values_nobody_refers_to,
        }
        $crate::promises! { [$($how)+] [(&) secrets::opened] =>
            a_tool_is_given_the_value_and_where_it_may_go,
            a_tool_is_given_the_value_that_took_its_place,
            a_tool_is_given_nothing_of_another_project,
            what_a_project_has_is_known,
        }
    };
}
