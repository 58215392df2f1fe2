//! A quarantine for events that a reaction cannot process, so that they do not block the events after them.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;

use super::{
    recorded::{Position, RecordedEvent},
    store::{EventFilter, EventStore},
    subscription::{Reaction, Reader, passes},
};
use crate::error::{Error, PortError};

/// Backoff after the first failure; it doubles with each further one.
const FIRST_PAUSE: Duration = Duration::from_secs(60);
/// Longest backoff.
const LONGEST_PAUSE: Duration = Duration::from_secs(3_600);
/// Most events retried in one pass.
const AT_ONCE: u64 = 50;

/// A quarantined event of a subscription.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Aside {
    /// Which event.
    pub position: Position,
    /// How often it failed.
    pub failures: u32,
}

/// Stores quarantined events. All times are on the store's clock.
#[async_trait]
pub trait SetAside: Send + Sync {
    /// Quarantines an event with the failure, for operators to see, until the pause has passed.
    ///
    /// # Errors
    /// [`PortError`] when it cannot be stored.
    async fn put(&self, name: &str, at: Position, failure: &str, pause: Duration) -> Result<(), PortError>;

    /// Events of a subscription whose pause has passed, in the order of the log.
    ///
    /// # Errors
    /// [`PortError`] when they cannot be read.
    async fn due(&self, name: &str, most: u64) -> Result<Vec<Aside>, PortError>;

    /// Removes an event that was processed in the end.
    ///
    /// # Errors
    /// [`PortError`] when it cannot be removed.
    async fn settle(&self, name: &str, at: Position) -> Result<(), PortError>;
}

/// A reaction that continues past an event it cannot process: the event is quarantined and retried later.
///
/// Use it for reactions that depend on current state and not on the order of events: later events are processed first.
pub struct SettingAside {
    reaction: Arc<dyn Reaction>,
    aside: Arc<dyn SetAside>,
    store: Arc<dyn EventStore>,
}

impl SettingAside {
    /// Wraps a reaction so that it quarantines what it cannot process.
    #[must_use]
    pub fn new(reaction: Arc<dyn Reaction>, aside: Arc<dyn SetAside>, store: Arc<dyn EventStore>) -> Self {
        Self { reaction, aside, store }
    }

    /// Retries the events that are due. Any number of processes may do so at any time: the reaction is idempotent.
    ///
    /// An unreadable event stays quarantined, and one that the log no longer holds is removed. Neither blocks the
    /// others.
    ///
    /// # Errors
    /// [`PortError`] when the quarantine or the log cannot be read for a reason that may pass.
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
                // It stays due and is retried in the next pass.
                Err(error) if passes(&error) => {
                    tracing::warn!(subscription = self.name(), position, error = ?error, "will retry");
                }
                Err(error) => self.set_aside(position, failures, &error).await?,
            }
        }
        Ok(())
    }

    /// The event at a position, if there is one in the reaction's categories.
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
