//! Setting events aside that a reaction cannot deal with, so that those after them need not wait.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;

use super::{
    recorded::{Position, RecordedEvent},
    store::{EventFilter, EventStore},
    subscription::{Reaction, Reader, passes},
};
use crate::error::{Error, PortError};

/// Pause before an event is tried again that was set aside just now; each further pause is twice as long.
const FIRST_PAUSE: Duration = Duration::from_secs(60);
/// Longest pause.
const LONGEST_PAUSE: Duration = Duration::from_secs(3_600);
/// Most events tried again at one look.
const AT_ONCE: u64 = 50;

/// An event a subscription set aside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Aside {
    /// Which event.
    pub position: Position,
    /// How often it failed.
    pub failures: u32,
}

/// Keeps the events that subscriptions set aside. All times are the keeper's own clock.
#[async_trait]
pub trait SetAside: Send + Sync {
    /// Notes, for people to see, that a subscription cannot deal with an event, and leaves that alone for a while.
    ///
    /// # Errors
    /// [`PortError`] when it cannot be kept.
    async fn put(&self, name: &str, at: Position, failure: &str, pause: Duration) -> Result<(), PortError>;

    /// Events of a subscription that were left alone for long enough, in the order of the log.
    ///
    /// # Errors
    /// [`PortError`] when they cannot be read.
    async fn due(&self, name: &str, most: u64) -> Result<Vec<Aside>, PortError>;

    /// Forgets an event that was dealt with in the end.
    ///
    /// # Errors
    /// [`PortError`] when it cannot be forgotten.
    async fn settle(&self, name: &str, at: Position) -> Result<(), PortError>;
}

/// A reaction whose line goes on past an event that it cannot deal with: that one is set aside and tried again later.
///
/// It is for reactions that go by what is, and not by the order in which it came about: whatever follows is dealt with first.
pub struct SettingAside {
    reaction: Arc<dyn Reaction>,
    aside: Arc<dyn SetAside>,
    store: Arc<dyn EventStore>,
}

impl SettingAside {
    /// The same reaction, past what it cannot deal with.
    #[must_use]
    pub fn new(reaction: Arc<dyn Reaction>, aside: Arc<dyn SetAside>, store: Arc<dyn EventStore>) -> Self {
        Self { reaction, aside, store }
    }

    /// Tries again what is due. Any number of processes may do so at any time: the reaction is idempotent.
    ///
    /// An event that cannot be read stays set aside, and one that the log holds no more is forgotten: neither keeps those after
    /// it waiting.
    ///
    /// # Errors
    /// [`PortError`] when what was set aside cannot be looked at, or the log does not answer.
    pub async fn try_again(&self) -> Result<(), PortError> {
        for Aside { position, failures } in self.aside.due(self.name(), AT_ONCE).await? {
            let event = match self.wanted_at(position).await {
                Ok(Some(event)) => event,
                Ok(None) => {
                    self.aside.settle(self.name(), position).await?;
                    let gone = "what was set aside is in the log no more: it was put back to an earlier state";
                    tracing::warn!(subscription = self.name(), position, "{gone}");
                    continue;
                }
                Err(error) if error.retryable => return Err(error),
                Err(error) => {
                    self.set_aside(position, failures, &error.into()).await?;
                    continue;
                }
            };
            match self.reaction.handle(&event).await {
                Ok(()) => {
                    self.aside.settle(self.name(), position).await?;
                    tracing::info!(subscription = self.name(), position, "what was set aside is dealt with");
                }
                // It is due still, and looked at again.
                Err(error) if passes(&error) => {
                    tracing::warn!(subscription = self.name(), position, error = ?error, "will retry");
                }
                Err(error) => self.set_aside(position, failures, &error).await?,
            }
        }
        Ok(())
    }

    /// The event at a position, where there is one that the reaction wants to hear of.
    async fn wanted_at(&self, position: Position) -> Result<Option<RecordedEvent>, PortError> {
        let page = self.store.read_all(position.saturating_sub(1), 1, &EventFilter::default()).await?;
        let wanted = EventFilter::categories(self.reader().categories);
        let found = page.events.into_iter().find(|event| event.position == position);
        Ok(found.filter(|event| wanted.wants(&event.category)))
    }

    async fn set_aside(&self, at: Position, failures: u32, error: &Error) -> Result<(), PortError> {
        let failure = format!("{error:?}");
        tracing::error!(subscription = self.name(), position = at, failures, failure, "the event is set aside");
        let pause = FIRST_PAUSE.saturating_mul(1_u32 << failures.min(16)).min(LONGEST_PAUSE);
        self.aside.put(self.name(), at, &failure, pause).await
    }
}

#[async_trait]
impl Reaction for SettingAside {
    fn reader(&self) -> Reader {
        self.reaction.reader()
    }

    async fn handle(&self, event: &RecordedEvent) -> Result<(), Error> {
        match self.reaction.handle(event).await {
            Err(error) if !passes(&error) => Ok(self.set_aside(event.position, 0, &error).await?),
            outcome => outcome,
        }
    }
}
