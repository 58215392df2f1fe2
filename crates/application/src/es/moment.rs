//! Aggregates as they were at an earlier point.

use std::ops::ControlFlow;

use chrono::{DateTime, Utc};
use devskyy_domain::kernel::{Aggregate, Version};

use super::{
    recorded::{RecordedEvent, StreamId},
    repository::Repository,
    walk::walk,
};
use crate::error::{Error, PortError};

/// A point in an aggregate's history.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moment {
    /// After this many of its events.
    Version(Version),
    /// After everything recorded up to this time.
    Instant(DateTime<Utc>),
}

impl Moment {
    /// Whether an event was recorded after this moment.
    #[must_use]
    pub fn precedes(self, recorded: &RecordedEvent) -> bool {
        match self {
            Self::Version(version) => recorded.version > version,
            Self::Instant(instant) => recorded.recorded_at > instant,
        }
    }

    /// Whether a fold that ended at this version has reached the moment. An instant is always reached.
    #[must_use]
    pub const fn is_reached_at(self, version: Version) -> bool {
        match self {
            Self::Version(wanted) => wanted == version,
            Self::Instant(_) => true,
        }
    }

    /// The error if the aggregate did not exist yet or has not reached that version.
    pub(crate) fn absent(self, thing: &str) -> Error {
        Error::NotFound(match self {
            Self::Version(version) => format!("version {version} of {thing}"),
            Self::Instant(instant) => format!("{thing} at {}", instant.to_rfc3339()),
        })
    }
}

/// An aggregate as it was at a moment.
#[derive(Debug, Clone, PartialEq)]
pub struct Recalled<A> {
    /// The folded state.
    pub state: A,
    /// Its version at that moment.
    pub version: Version,
    /// When its first event was recorded.
    pub begun_at: DateTime<Utc>,
    /// When its last event up to the moment was recorded.
    pub changed_at: DateTime<Utc>,
}

impl<A: Aggregate> Recalled<A> {
    fn begin(recorded: &RecordedEvent) -> Self {
        let at = recorded.recorded_at;
        Self { state: A::default(), version: 0, begun_at: at, changed_at: at }
    }

    fn apply(&mut self, recorded: &RecordedEvent) -> Result<(), PortError> {
        self.state.apply(&recorded.decode::<A::Event>()?);
        self.version = recorded.version;
        self.changed_at = recorded.recorded_at;
        Ok(())
    }
}

impl<A: Aggregate> Repository<A> {
    /// Folds an aggregate's events up to and including a moment. Returns `None` if it did not exist yet or never
    /// reached that version.
    ///
    /// # Errors
    /// [`PortError`] when the log cannot be read or holds an event this program does not know.
    pub async fn recall(&self, id: A::Id, moment: Moment) -> Result<Option<Recalled<A>>, PortError> {
        let mut recalled: Option<Recalled<A>> = None;
        walk(self.store.as_ref(), StreamId::of::<A>(id), 0, |recorded| {
            if moment.precedes(recorded) {
                return Ok(ControlFlow::Break(()));
            }
            recalled.get_or_insert_with(|| Recalled::begin(recorded)).apply(recorded)?;
            Ok(ControlFlow::Continue(()))
        })
        .await?;
        Ok(recalled.filter(|it| moment.is_reached_at(it.version)))
    }
}
