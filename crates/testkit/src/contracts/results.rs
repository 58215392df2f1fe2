//! The contract of result stores. `results_contract!(factory)` creates one test per promise.
#![expect(clippy::expect_used, reason = "a broken promise is a panic")]

use std::{any::Any, sync::Arc};

use chrono::{DateTime, Utc};
use devskyy_application::{
    es::{AppendRequest, EventContext, EventStore, Precondition, Repository},
    runs::ResultStore,
};
use devskyy_domain::{
    kernel::{
        Aggregate as _, Json,
        ids::{AgentId, OperationId, ProjectId, RunId},
    },
    runs::{Allowance, MAX_VALUE, Order, Place, Priority, Progress, ResultHash, Run, StoredResult},
    workflow::Effect,
};
use uuid::Uuid;

/// A result store next to its log.
pub struct ResultsUnderTest {
    /// The log.
    pub store: Arc<dyn EventStore>,
    /// The store.
    pub results: Arc<dyn ResultStore>,
    /// Resources that must live as long as the test.
    pub keep: Box<dyn Any + Send + Sync>,
}

const TEXT: &[u8] = br#""some text""#;

fn at(second: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(1_800_000_000 + second, 0).expect("a time")
}

fn project(n: u128) -> ProjectId {
    ProjectId::from(Uuid::from_u128(0xa000 + n))
}

/// Stores get hashes and do not compute them.
const fn hash(n: u8) -> ResultHash {
    ResultHash([n; 32])
}

impl ResultsUnderTest {
    async fn kept(&self, of_project: u128, second: i64) {
        self.results.keep(project(of_project), hash(1), TEXT, at(second)).await.expect("it is kept");
    }

    async fn found(&self, of_project: u128) -> Option<Vec<u8>> {
        self.results.find(project(of_project), hash(1)).await.expect("an answer")
    }

    async fn swept(&self, second: i64) -> u64 {
        self.results.sweep(at(second)).await.expect("a number")
    }

    /// Records a tool's result with that hash in a run of a project.
    async fn referred_to(&self, of_project: u128) {
        let project = project(of_project);
        let order = Order {
            agent: AgentId::from(Uuid::from_u128(1)),
            agent_version: 1,
            project,
            parent: None,
            depth: 0,
            callers: vec![],
            allowance: Allowance::default(),
            input: Json::Null,
            priority: Priority::Normal,
            deadline: at(3_600),
        };
        let operation = OperationId::from(Uuid::from_u128(0xe000 + of_project));
        let (place, tool, arguments) = (Place::step("a"), "t".to_owned(), Json::Null);
        let stored = StoredResult { hash: hash(1), bytes: TEXT.len() as u64, preview: String::new() };
        let reports = [
            Progress::Call { place, operation, tool, effect: Effect::ReadOnly, arguments },
            Progress::Answer { operation, result: stored.into() },
        ];
        let mut events = Run::default().queue(&order, at(0)).expect("a good order");
        events.extend(Run::default().evolved(&events).claim("w", 1, at(0)).expect("a claim"));
        events.extend(Run::default().evolved(&events).record(1, &reports).expect("progress"));
        let id = RunId::from(Uuid::from_u128(0xd000 + of_project));
        let write = Repository::<Run>::write(id, Precondition::NoStream, &events);
        let context = EventContext {
            actor: "system:worker".to_owned(),
            project: Some(project),
            correlation_id: Uuid::from_u128(1),
            causation_id: Uuid::from_u128(1),
            source: None,
            traceparent: None,
        };
        let writes = vec![write.expect("an event can be written")];
        let request = AppendRequest { writes, claims: vec![], idempotency: None, context };
        self.store.append(request).await.expect("the log accepts the events");
    }
}

/// Byte by byte.
pub async fn a_text_is_found_under_its_hash(it: &ResultsUnderTest) {
    it.kept(1, 0).await;
    assert_eq!(it.found(1).await.as_deref(), Some(TEXT));
}

/// Absence is not an error.
pub async fn what_was_never_kept_is_not_found(it: &ResultsUnderTest) {
    it.kept(1, 0).await;
    assert_eq!(it.results.find(project(1), hash(2)).await.expect("an answer"), None);
}

/// Guessing a hash reveals nothing about other projects.
pub async fn a_text_of_one_project_is_not_found_in_another(it: &ResultsUnderTest) {
    it.kept(1, 0).await;
    assert_eq!(it.found(2).await, None);
}

/// A result may be stored repeatedly, for example by workers that do not know whether they had stored it.
pub async fn a_text_that_is_kept_again_is_there_once(it: &ResultsUnderTest) {
    it.kept(1, 0).await;
    it.kept(1, 1).await;
    assert_eq!((it.found(1).await.as_deref(), it.swept(60).await), (Some(TEXT), 1));
}

/// For all byte values.
pub async fn the_largest_text_is_kept_whole(it: &ResultsUnderTest) {
    let text: Vec<u8> = (0..MAX_VALUE).map(|n| n.to_le_bytes()[0]).collect();
    it.results.keep(project(1), hash(3), &text, at(0)).await.expect("it is kept");
    assert!(it.results.find(project(1), hash(3)).await.expect("an answer") == Some(text), "it is another text");
}

/// Permanently, like events.
pub async fn a_sweep_spares_what_an_event_refers_to(it: &ResultsUnderTest) {
    it.kept(1, 0).await;
    it.referred_to(1).await;
    assert_eq!((it.swept(60).await, it.found(1).await.as_deref()), (0, Some(TEXT)));
}

/// The event that refers to it may follow.
pub async fn a_sweep_spares_what_was_kept_lately(it: &ResultsUnderTest) {
    it.kept(1, 60).await;
    assert_eq!((it.swept(60).await, it.found(1).await.as_deref()), (0, Some(TEXT)));
}

/// Storing again renews the time, because another event may follow.
pub async fn a_sweep_spares_what_was_kept_again_lately(it: &ResultsUnderTest) {
    it.kept(1, 0).await;
    it.kept(1, 60).await;
    assert_eq!((it.swept(60).await, it.found(1).await.as_deref()), (0, Some(TEXT)));
}

/// Its worker vanished before the event.
pub async fn a_sweep_removes_what_no_event_refers_to(it: &ResultsUnderTest) {
    it.kept(1, 0).await;
    assert_eq!((it.swept(60).await, it.found(1).await), (1, None));
}

/// A reference in one project does not protect the result in another.
pub async fn a_sweep_tells_projects_apart(it: &ResultsUnderTest) {
    it.kept(1, 0).await;
    it.kept(2, 0).await;
    it.referred_to(1).await;
    assert_eq!((it.swept(60).await, it.found(2).await), (1, None));
}

/// Creates a test for each promise, over the adapter from the factory.
#[macro_export]
macro_rules! results_contract {
    ($($how:tt)+) => {
        $crate::promises! { [$($how)+] [(&) results] =>
            a_text_is_found_under_its_hash,
            what_was_never_kept_is_not_found,
            a_text_of_one_project_is_not_found_in_another,
            a_text_that_is_kept_again_is_there_once,
            the_largest_text_is_kept_whole,
            a_sweep_spares_what_an_event_refers_to,
            a_sweep_spares_what_was_kept_lately,
            a_sweep_spares_what_was_kept_again_lately,
            a_sweep_removes_what_no_event_refers_to,
            a_sweep_tells_projects_apart,
        }
    };
}
