use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use devskyy_application::{
    error::PortError,
    es::{Checkpoints, EventFilter, EventStore, Halt, Lease, Position},
    ports::Clock,
};
use uuid::Uuid;

/// Checkpoints and leases in memory, on a clock the test controls.
pub struct InMemoryCheckpoints {
    clock: Arc<dyn Clock>,
    log: Option<Arc<dyn EventStore>>,
    rows: Mutex<HashMap<String, Row>>,
}

struct Row {
    position: Position,
    fence: u64,
    owner: Option<Uuid>,
    until: DateTime<Utc>,
    failure: Option<(Position, String)>,
    delay: Option<(Position, String)>,
    astray: bool,
}

impl InMemoryCheckpoints {
    /// No subscription has run yet.
    #[must_use]
    pub fn with_clock(clock: Arc<dyn Clock>) -> Self {
        Self { clock, log: None, rows: Mutex::default() }
    }

    /// The same next to a log, against which positions are checked.
    #[must_use]
    pub fn beside(self, log: Arc<dyn EventStore>) -> Self {
        Self { log: Some(log), ..self }
    }

    async fn holds(&self, position: Position, hash: &[u8; 32]) -> Result<bool, PortError> {
        let (Some(log), Some(before)) = (&self.log, position.checked_sub(1)) else { return Ok(true) };
        Ok(log.read_all(before, 1, &EventFilter::default()).await?.hash.as_ref() == Some(hash))
    }

    /// The position at which a subscription has stopped, and the error.
    #[must_use]
    pub fn failure(&self, name: &str) -> Option<(Position, String)> {
        self.rows().get(name).and_then(|row| row.failure.clone())
    }

    /// The position that a subscription retries, and the error.
    #[must_use]
    pub fn delayed(&self, name: &str) -> Option<(Position, String)> {
        self.rows().get(name).and_then(|row| row.delay.clone())
    }

    /// Simulates a rewind of the log below the subscription's position.
    pub fn lead_astray(&self, name: &str) {
        if let Some(row) = self.rows().get_mut(name) {
            row.astray = true;
        }
    }

    /// The position of a subscription.
    #[must_use]
    pub fn position(&self, name: &str) -> Position {
        self.rows().get(name).map_or(0, |row| row.position)
    }

    fn rows(&self) -> MutexGuard<'_, HashMap<String, Row>> {
        self.rows.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn change(&self, lease: &Lease, change: impl FnOnce(&mut Row)) -> bool {
        match self.rows().get_mut(&lease.name) {
            Some(row) if row.fence == lease.fence && row.owner.is_some() => {
                change(row);
                true
            }
            Some(_) | None => false,
        }
    }
}

#[async_trait]
impl Checkpoints for InMemoryCheckpoints {
    async fn claim(&self, name: &str, owner: Uuid, ttl: Duration) -> Result<Option<Lease>, PortError> {
        let now = self.clock.now();
        let mut rows = self.rows();
        let fresh = Row { position: 0, fence: 0, owner: None, until: now, failure: None, delay: None, astray: false };
        let row = rows.entry(name.to_owned()).or_insert(fresh);
        if row.owner.is_some_and(|holder| holder != owner) && row.until > now {
            return Ok(None);
        }
        row.fence += 1;
        row.owner = Some(owner);
        row.until = now + ttl;
        Ok(Some(Lease { name: name.to_owned(), fence: row.fence, position: row.position, astray: row.astray }))
    }

    async fn renew(&self, lease: &Lease, ttl: Duration) -> Result<bool, PortError> {
        let until = self.clock.now() + ttl;
        Ok(self.change(lease, |row| row.until = until))
    }

    async fn advance(&self, lease: &Lease, to: Position, hash: &[u8; 32]) -> Result<bool, PortError> {
        Ok(self.holds(to, hash).await?
            && self.change(lease, |row| {
                row.position = row.position.max(to);
                (row.failure, row.delay) = (None, None);
            }))
    }

    async fn halt(&self, lease: &Lease, at: Position, halt: Halt<'_>) -> Result<bool, PortError> {
        Ok(self.change(lease, |row| {
            row.position = row.position.max(at.saturating_sub(1));
            match halt {
                Halt::Delayed(why) => row.delay = Some((at, why.to_owned())),
                Halt::Stopped(why) => (row.failure, row.delay) = (Some((at, why.to_owned())), None),
            }
        }))
    }

    async fn release(&self, lease: &Lease) -> Result<(), PortError> {
        self.change(lease, |row| row.owner = None);
        Ok(())
    }
}
