//! Responses while the log fails or is slow.

use std::{
    io,
    sync::{Arc, Mutex, PoisonError},
};

use async_trait::async_trait;
use devskyy_application::{
    error::PortError,
    es::{AppendError, AppendRequest, Appended, Claim, EventStore, Precondition},
};
use devskyy_testkit::{contracts::event_store::lamp, fakes::InMemoryEventStore, reads_through};
use serde_json::json;
use tokio::sync::watch;

use crate::world::World;

type Mood = fn() -> AppendError;

/// A log that can be made to refuse or delay appends.
pub(crate) struct Moody {
    honest: Arc<InMemoryEventStore>,
    mood: Mutex<Option<Mood>>,
    awake: watch::Sender<bool>,
}

impl Moody {
    /// A log that works.
    pub(crate) fn over(honest: Arc<InMemoryEventStore>) -> Self {
        Self { honest, mood: Mutex::default(), awake: watch::Sender::new(true) }
    }

    /// Delays all appends until `let_go`.
    pub(crate) fn hold(&self) {
        self.awake.send_replace(false);
    }

    /// Accepts the delayed appends, and all later ones.
    pub(crate) fn let_go(&self) {
        self.awake.send_replace(true);
    }

    fn refuse_with(&self, mood: Mood) {
        *self.mood.lock().unwrap_or_else(PoisonError::into_inner) = Some(mood);
    }
}

impl devskyy_application::es::Rewindable for Moody {}

#[async_trait]
impl EventStore for Moody {
    async fn append(&self, request: AppendRequest) -> Result<Appended, AppendError> {
        self.awake.subscribe().wait_for(|awake| *awake).await.map_err(|gone| PortError::bug("log", "waking", gone))?;
        let mood = *self.mood.lock().unwrap_or_else(PoisonError::into_inner);
        match mood {
            Some(refusal) => Err(refusal()),
            None => self.honest.append(request).await,
        }
    }

    reads_through!(honest);
}

/// Renames a project while the log responds like that.
async fn is_answered(mood: Mood, status: u16, code: &str, retry_after: &str) {
    let world = World::new();
    let ada = world.person("ada").await;
    let project = world.project(&ada).await;
    world.moody.refuse_with(mood);
    let rename = world.call(actix_web::http::Method::PATCH, &format!("/api/v1/projects/{project}"));
    let answer = rename.by(&ada).json(&json!({"name": "Renamed"})).send().await;
    answer.refused(status, code);
    assert_eq!(answer.header("retry-after"), retry_after);
}

#[actix_web::test]
async fn a_log_that_is_full_of_work_is_asked_again_later() {
    is_answered(|| AppendError::Overloaded, 503, "overloaded", "1").await;
}

#[actix_web::test]
async fn a_log_that_is_away_is_asked_again_later() {
    let away = || PortError::transient("log", "appending", io::Error::from(io::ErrorKind::ConnectionReset)).into();
    is_answered(away, 503, "unavailable", "2").await;
}

#[actix_web::test]
async fn a_log_that_does_not_know_what_became_of_a_change_says_so() {
    let gone = || AppendError::Unknown(PortError::transient("log", "appending", "it broke off"));
    is_answered(gone, 504, "outcome_unknown", "").await;
}

#[actix_web::test]
async fn a_race_that_is_lost_too_often_is_told() {
    let conflict = || AppendError::Conflict { stream: lamp(1), expected: Precondition::Version(1), actual: 2 };
    is_answered(conflict, 409, "contended", "1").await;
}

#[actix_web::test]
async fn a_value_that_is_taken_meanwhile_is_told() {
    let taken = || AppendError::ClaimTaken { claim: Claim { scope: "lamp.name".to_owned(), value: "ada".to_owned() } };
    is_answered(taken, 409, "claim_taken", "").await;
}
