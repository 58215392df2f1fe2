//! Durable subscriptions: named readers of the log that resume from their checkpoint, in whatever process.
//!
//! A subscription's [`Lease`] is held by one process at a time. Its fence grows with each new holder, and only the
//! current fence may move the checkpoint, so a holder that slept past its lease cannot. After a crash a reaction may
//! see an event again and must therefore be idempotent, typically by an idempotency key made of its own name and the
//! event's id.

use std::{fmt::Debug, pin::pin, sync::Arc, time::Duration};

use async_trait::async_trait;
use futures_util::future::{Either, select};
use uuid::Uuid;

use super::{
    recorded::{Page, Position, RecordedEvent},
    store::{EventFilter, EventStore},
};
use crate::{
    error::{Error, PortError},
    ports::Clock,
};

/// Most events read per round trip.
const PAGE: usize = 500;
/// Most positions without a wanted event that are read without moving the checkpoint.
const UNKEPT: u64 = 5_000;
/// Duration of a lease that is not renewed.
const LEASE: Duration = Duration::from_secs(15);
/// Pause before the next attempt to claim a lease that another process holds; the holder renews it as often.
const CONTEST: Duration = Duration::from_secs(5);
/// First and longest backoff after a failure that may pass.
const BACKOFF: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(30));
/// Consecutive failures after which a retried failure is recorded for operators: about three seconds.
const RECORDED_AFTER: u32 = 5;

/// The right to run one subscription for a limited time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lease {
    /// Which subscription.
    pub name: String,
    /// Grows with each new holder; only the current holder may move the checkpoint.
    pub fence: u64,
    /// The last position that was processed when the lease was granted.
    pub position: Position,
    /// Whether the log no longer holds the event at that position: it was rewound to an earlier state since, and now
    /// holds other events there.
    pub astray: bool,
}

/// Why a subscription makes no progress.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Halt<'a> {
    /// The failure may pass: the event is retried indefinitely.
    Delayed(&'a str),
    /// The subscription has stopped.
    Stopped(&'a str),
}

/// Stores the checkpoint and the lease of each subscription. All times are on the store's clock.
#[async_trait]
pub trait Checkpoints: Send + Sync {
    /// Grants the lease, or returns `None` if another owner holds it.
    ///
    /// # Errors
    /// [`PortError`] when the store cannot be reached.
    async fn claim(&self, name: &str, owner: Uuid, ttl: Duration) -> Result<Option<Lease>, PortError>;

    /// Extends the lease. Returns false if another holder has it.
    ///
    /// # Errors
    /// [`PortError`] when the store cannot be reached.
    async fn renew(&self, lease: &Lease, ttl: Duration) -> Result<bool, PortError>;

    /// Advances the checkpoint to the event with that position and hash, and clears an earlier failure. Returns false
    /// if another holder has the lease or the log no longer holds that event.
    ///
    /// # Errors
    /// [`PortError`] when the store cannot be reached.
    async fn advance(&self, lease: &Lease, to: Position, hash: &[u8; 32]) -> Result<bool, PortError>;

    /// Records, for operators, that everything before a position is processed and the subscription makes no progress
    /// until the checkpoint moves. Returns false if another holder has the lease.
    ///
    /// # Errors
    /// [`PortError`] when the store cannot be reached.
    async fn halt(&self, lease: &Lease, at: Position, halt: Halt<'_>) -> Result<bool, PortError>;

    /// Releases the lease, so that another process need not wait until it lapses.
    ///
    /// # Errors
    /// [`PortError`] when the store cannot be reached.
    async fn release(&self, lease: &Lease) -> Result<(), PortError>;
}

/// The name of a subscription and the events it reads. Known even if no process runs it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reader {
    /// Stable name; the checkpoint is kept under it.
    pub name: &'static str,
    /// Kinds of aggregate it reads; empty for all.
    pub categories: &'static [&'static str],
}

/// How a subscription processes each event. It sees an event at least once, in order.
#[async_trait]
pub trait Reaction: Send + Sync {
    /// Its name and the events it reads.
    fn reader(&self) -> Reader;

    /// Stable name; the checkpoint is kept under it.
    fn name(&self) -> &'static str {
        self.reader().name
    }

    /// Processes one event.
    ///
    /// # Errors
    /// If [`passes`] returns true for the error, the event is retried; otherwise the subscription stops.
    async fn handle(&self, event: &RecordedEvent) -> Result<(), Error>;
}

/// Whether a failure may pass by itself, so that a retry makes sense.
#[must_use]
pub const fn passes(error: &Error) -> bool {
    match error {
        // After an unknown outcome the event is processed again. A reaction is idempotent.
        Error::Contended | Error::Overloaded | Error::StaleVersion { .. } | Error::Stale | Error::Unknown(_) => true,
        Error::Port(error) => error.retryable,
        Error::Refused(_)
        | Error::Invalid(_)
        | Error::Unauthenticated
        | Error::BadCredentials
        | Error::Forbidden
        | Error::Denied
        | Error::PeopleOnly
        | Error::NotFound(_)
        | Error::ClaimTaken(_)
        | Error::KeyReused
        | Error::TooManyAttempts { .. } => false,
    }
}

/// A reaction failed permanently, or the log or checkpoint did: no event from this position on is processed until an
/// operator intervenes.
#[derive(Debug, thiserror::Error)]
#[error("subscription {name} stopped at position {position}")]
pub struct Stopped {
    /// Which subscription.
    pub name: &'static str,
    /// The event that failed, or the first that may be the unreadable one.
    pub position: Position,
    /// Why.
    #[source]
    pub source: Error,
}

/// Runs reactions, each under its lease, from its checkpoint on.
#[derive(Clone)]
pub struct Subscription {
    store: Arc<dyn EventStore>,
    checkpoints: Arc<dyn Checkpoints>,
    clock: Arc<dyn Clock>,
    owner: Uuid,
    contested: bool,
}

impl Subscription {
    /// A runner that claims leases as `owner`, which must be unique to the process.
    #[must_use]
    pub fn new(
        store: Arc<dyn EventStore>,
        checkpoints: Arc<dyn Checkpoints>,
        clock: Arc<dyn Clock>,
        owner: Uuid,
    ) -> Self {
        Self { store, checkpoints, clock, owner, contested: true }
    }

    /// The same for a store that only this process uses: no other process can claim the lease, so it is never renewed.
    #[must_use]
    pub fn uncontested(self) -> Self {
        Self { contested: false, ..self }
    }

    /// Runs a reaction until `shutdown` completes; if the lease is lost, claims it again.
    ///
    /// # Errors
    /// [`Stopped`] when the reaction or the log fails permanently; the checkpoint stays before that event.
    pub async fn run(&self, reaction: &dyn Reaction, shutdown: impl Future<Output = ()> + Send) -> Result<(), Stopped> {
        let work = pin!(self.keep_running(reaction));
        match select(work, pin!(shutdown)).await {
            Either::Left((Err(stopped), _)) => Err(stopped),
            Either::Left((Ok(never), _)) => match never {},
            // Dropping the work is safe at any point: events after the checkpoint are processed again.
            Either::Right(((), _)) => {
                self.give_back(reaction).await;
                Ok(())
            }
        }
    }

    async fn keep_running(&self, reaction: &dyn Reaction) -> Result<std::convert::Infallible, Stopped> {
        let mut pause = BACKOFF.0;
        loop {
            // Read before the checkpoint, so that a later rewind of the log is noticed.
            let rewinds = self.store.rewinds();
            match self.checkpoints.claim(reaction.name(), self.owner, LEASE).await {
                Ok(Some(lease)) => {
                    pause = BACKOFF.0;
                    self.hold(reaction, lease, rewinds).await?;
                }
                Ok(None) => self.clock.sleep(CONTEST).await,
                Err(error) => {
                    complain(reaction.name(), &error, "cannot claim the lease");
                    self.clock.sleep(pause).await;
                    pause = (pause * 2).min(BACKOFF.1);
                }
            }
        }
    }

    /// Processes events while the lease is held. The renewal runs concurrently, so a slow reaction does not delay it.
    async fn hold(&self, reaction: &dyn Reaction, lease: Lease, rewinds: u64) -> Result<(), Stopped> {
        let line = Line { reaction, lease: &lease };
        match select(pin!(self.follow(line, rewinds)), pin!(self.renewing(&lease))).await {
            Either::Left((outcome, _)) => outcome,
            Either::Right((_, _)) => {
                tracing::warn!(subscription = reaction.name(), fence = lease.fence, "the lease passed to another");
                Ok(())
            }
        }
    }

    /// Renews the lease until another process holds it.
    async fn renewing(&self, lease: &Lease) {
        if !self.contested {
            std::future::pending::<()>().await;
        }
        loop {
            self.clock.sleep(LEASE / 3).await;
            match self.checkpoints.renew(lease, LEASE).await {
                Ok(true) => {}
                Ok(false) => return,
                Err(error) => complain(&lease.name, &error, "cannot renew the lease"),
            }
        }
    }

    /// Passes events to the reaction until the lease is lost or the log is rewound.
    async fn follow(&self, line: Line<'_>, rewinds: u64) -> Result<(), Stopped> {
        if line.lease.astray {
            return self.stop(line, line.lease.position + 1, astray().into()).await;
        }
        let (mut position, mut kept, mut most) = (line.lease.position, line.lease.position, PAGE);
        loop {
            self.store.beyond(position, rewinds).await;
            let read = self.read(line, position, most).await;
            // After a rewind, positions of the old log are meaningless. The checkpoint decides where to resume.
            if self.store.rewinds() != rewinds {
                return Ok(());
            }
            let page = match read {
                Ok(page) => page,
                // One of these events cannot be read; process those before it first.
                Err(_) if most > 1 => {
                    most = 1;
                    continue;
                }
                Err(error) => return self.stop(line, position + 1, error.into()).await,
            };
            for event in &page.events {
                self.deal_with(line, event).await?;
            }
            position = page.scanned_to;
            most = if page.events.is_empty() { PAGE } else { most };
            // Positions without a wanted event are cheap to read again and not worth a write.
            if page.events.is_empty() && position - kept < UNKEPT {
                continue;
            }
            let Some(hash) = page.hash else { continue };
            // The log may have been rewound while the events were processed.
            if self.store.rewinds() != rewinds || !self.keep(line, position, &hash).await? {
                return Ok(());
            }
            kept = position;
        }
    }

    async fn read(&self, line: Line<'_>, after: Position, most: usize) -> Result<Page, PortError> {
        let filter = EventFilter::categories(line.reaction.reader().categories);
        self.patiently(line, after + 1, || self.store.read_all(after, most, &filter)).await
    }

    /// Advances the checkpoint. Returns false if the lease was lost or the log was rewound.
    async fn keep(&self, line: Line<'_>, position: Position, hash: &[u8; 32]) -> Result<bool, Stopped> {
        let next = position + 1;
        match self.patiently(line, next, || self.checkpoints.advance(line.lease, position, hash)).await {
            Ok(kept) => Ok(kept),
            Err(error) => self.stop(line, next, error.into()).await.map(|()| false),
        }
    }

    async fn deal_with(&self, line: Line<'_>, event: &RecordedEvent) -> Result<(), Stopped> {
        let mut patience = Patience::default();
        loop {
            match line.reaction.handle(event).await {
                Ok(()) => return Ok(()),
                Err(error) if passes(&error) => self.wait(line, event.position, &error, &mut patience).await,
                Err(source) => return self.stop(line, event.position, source).await,
            }
        }
    }

    async fn stop(&self, line: Line<'_>, at: Position, source: Error) -> Result<(), Stopped> {
        let (name, failure) = (line.reaction.name(), format!("{source:?}"));
        tracing::error!(subscription = name, position = at, failure, "the line is stopped");
        let recorded =
            self.patiently(line, at, || self.checkpoints.halt(line.lease, at, Halt::Stopped(&failure))).await;
        if let Err(error) = recorded {
            tracing::error!(subscription = name, error = ?error, "cannot record that the line is stopped");
        }
        Err(Stopped { name, position: at, source })
    }

    /// Calls a port until it succeeds or fails permanently. The lease's renewal bounds the time.
    async fn patiently<T, F: Future<Output = Result<T, PortError>>>(
        &self,
        line: Line<'_>,
        at: Position,
        ask: impl Fn() -> F,
    ) -> Result<T, PortError> {
        let mut patience = Patience::default();
        loop {
            match ask().await {
                Err(error) if error.retryable => self.wait(line, at, &error, &mut patience).await,
                answer => return answer,
            }
        }
    }

    /// Waits before the next attempt, longer each time. A failure that lasts is recorded for operators.
    async fn wait(&self, line: Line<'_>, at: Position, error: &(impl Debug + Sync), patience: &mut Patience) {
        tracing::warn!(subscription = line.reaction.name(), position = at, error = ?error, "will retry");
        patience.attempts += 1;
        if patience.attempts == RECORDED_AFTER
            && let Err(error) = self.checkpoints.halt(line.lease, at, Halt::Delayed(&format!("{error:?}"))).await
        {
            complain(line.reaction.name(), &error, "cannot record that the line is held up");
        }
        self.clock.sleep(patience.pause).await;
        patience.pause = (patience.pause * 2).min(BACKOFF.1);
    }

    async fn give_back(&self, reaction: &dyn Reaction) {
        let Ok(Some(lease)) = self.checkpoints.claim(reaction.name(), self.owner, LEASE).await else { return };
        if let Err(error) = self.checkpoints.release(&lease).await {
            tracing::warn!(subscription = reaction.name(), error = ?error, "cannot give the lease back");
        }
    }
}

/// A reaction under its lease.
#[derive(Clone, Copy)]
struct Line<'a> {
    reaction: &'a dyn Reaction,
    lease: &'a Lease,
}

/// Failed attempts so far, and the pause before the next.
struct Patience {
    attempts: u32,
    pause: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self { attempts: 0, pause: BACKOFF.0 }
    }
}

fn astray() -> PortError {
    let why = "the log does not hold the event that was dealt with last: it was put back to an earlier state since";
    PortError::bug("checkpoints", "going on behind a checkpoint", why)
}

/// Logs a warning for a failure that may pass, an error for any other.
fn complain(subscription: &str, error: &PortError, what: &str) {
    if error.retryable {
        tracing::warn!(subscription, error = ?error, "{what}");
    } else {
        tracing::error!(subscription, error = ?error, "{what}");
    }
}
