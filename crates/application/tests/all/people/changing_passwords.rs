//! A password change and its event, if the log fails between the two.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU8, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use devskyy_application::{
    context::Actor,
    error::{Error, PortError},
    es::{AppendError, AppendRequest, Appended, EventStore, RecordedEvent, Rewindable},
    identity::{ChangePassword, LogIn},
};
use devskyy_testkit::{fakes::InMemoryEventStore, reads_through};

use super::world::{PASSWORD, World, anonymous, email};

const SECOND: &str = "Other-Horse-8";
const THIRD: &str = "Third-Horse-9";

/// A log that works.
const SOUND: u8 = 0;
/// A log that records nothing.
const AWAY: u8 = 1;
/// A log that records, but whose responses are lost.
const MUTE: u8 = 2;

struct Frail {
    log: Arc<InMemoryEventStore>,
    state: AtomicU8,
}

impl Rewindable for Frail {}

#[async_trait]
impl EventStore for Frail {
    async fn append(&self, request: AppendRequest) -> Result<Appended, AppendError> {
        let lost = || PortError::transient("event store", "appending", "the connection was lost");
        match self.state.load(Ordering::Relaxed) {
            AWAY => Err(lost().into()),
            MUTE => {
                self.log.append(request).await?;
                Err(AppendError::Unknown(lost()))
            }
            _ => self.log.append(request).await,
        }
    }

    reads_through!(log);
}

/// Ada, and a log whose state the test controls.
struct Case {
    world: World,
    log: Arc<Frail>,
    ada: Actor,
}

impl Case {
    async fn new() -> Self {
        let mut kept = None;
        let world = World::with_log(|log| {
            let frail = Arc::new(Frail { log, state: AtomicU8::new(SOUND) });
            kept = Some(frail.clone());
            frail
        });
        let (ada, _) = world.person("ada").await;
        Self { world, log: kept.unwrap(), ada }
    }

    /// Changes the password while the log is in this state.
    async fn change(&self, state: u8, current: &str, new: &str) -> Result<(), Error> {
        self.log.state.store(state, Ordering::Relaxed);
        let command = ChangePassword { current: current.to_owned(), new: new.to_owned() };
        let outcome = self.world.identity.change_password.handle(&self.ada, command).await;
        self.log.state.store(SOUND, Ordering::Relaxed);
        outcome
    }

    /// Records missing events, after the time a request may take.
    async fn complete(&self) -> u64 {
        self.world.clock.advance(Duration::from_secs(61));
        self.world.identity.password_recording.complete().await.unwrap()
    }

    fn changes(&self) -> Vec<RecordedEvent> {
        let all = self.world.store.events().into_iter();
        all.filter(|event| event.event_type == "user.password_changed").collect()
    }

    async fn signs_in_with(&self, password: &str) -> bool {
        let command = LogIn { email: email("ada"), password: password.to_owned() };
        self.world.identity.log_in.handle(&anonymous(), command).await.is_ok()
    }
}

#[tokio::test]
async fn a_password_that_changed_while_the_log_was_away_has_changed() {
    let case = Case::new().await;
    let outcome = case.change(AWAY, PASSWORD, SECOND).await;
    assert!(outcome.is_ok() && case.signs_in_with(SECOND).await, "{outcome:?}");
}

#[tokio::test]
async fn a_change_the_log_missed_is_recorded_later_as_the_persons() {
    let case = Case::new().await;
    case.change(AWAY, PASSWORD, SECOND).await.unwrap();
    let before = case.changes().len();
    let recorded = case.complete().await;
    let actors: Vec<_> = case.changes().into_iter().map(|event| event.context.actor).collect();
    assert_eq!((before, recorded, actors), (0, 1, vec![case.ada.event_context(None).actor]));
}

#[tokio::test]
async fn a_change_that_was_recorded_at_once_is_not_recorded_later() {
    let case = Case::new().await;
    case.change(SOUND, PASSWORD, SECOND).await.unwrap();
    assert_eq!((case.complete().await, case.changes().len()), (0, 1));
}

#[tokio::test]
async fn a_change_whose_event_was_recorded_without_an_answer_is_recorded_once() {
    let case = Case::new().await;
    case.change(MUTE, PASSWORD, SECOND).await.unwrap();
    assert_eq!((case.complete().await, case.changes().len()), (1, 1));
}

#[tokio::test]
async fn a_change_the_log_missed_is_recorded_before_the_next() {
    let case = Case::new().await;
    case.change(AWAY, PASSWORD, SECOND).await.unwrap();
    case.world.clock.advance(Duration::from_secs(1));
    case.change(SOUND, SECOND, THIRD).await.unwrap();
    assert_eq!((case.changes().len(), case.complete().await), (2, 0));
}

#[tokio::test]
async fn while_the_log_misses_a_change_there_is_no_other() {
    let case = Case::new().await;
    case.change(AWAY, PASSWORD, SECOND).await.unwrap();
    let outcome = case.change(AWAY, SECOND, THIRD).await;
    assert!(outcome.is_err() && case.signs_in_with(SECOND).await, "{outcome:?}");
}

#[tokio::test]
async fn a_change_of_somebody_who_was_erased_since_is_not_recorded() {
    let case = Case::new().await;
    case.change(AWAY, PASSWORD, SECOND).await.unwrap();
    let users = devskyy_application::es::Repository::<devskyy_domain::identity::User>::new(case.world.store.clone());
    let context = case.ada.event_context(None);
    users.update(context, case.ada.user().unwrap(), None, devskyy_domain::identity::User::erase).await.unwrap();
    assert_eq!((case.complete().await, case.changes().len()), (1, 0));
}
