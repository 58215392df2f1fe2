//! Durable subscriptions: a named reader of the log that continues where it stopped, whoever runs it.
//!
//! One process at a time holds a subscription's [`Lease`]; its fence grows with each new holder, and progress is only
//! kept for the current fence, so a holder that slept past its lease cannot move the checkpoint. A reaction may see an
//! event again after a crash and must therefore be idempotent, typically by an idempotency key made of its own name
//! and the event's id.

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
/// Longest stretch without a wanted event that is read without moving the checkpoint.
const UNKEPT: u64 = 5_000;
/// How long a lease lasts without being renewed.
const LEASE: Duration = Duration::from_secs(15);
/// Pause before asking again for a lease that another process holds: as often as that one renews it.
const CONTEST: Duration = Duration::from_secs(5);
/// First and longest pause between attempts after a failure that may pass.
const BACKOFF: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(30));
/// Attempts in a row after which a failure that may pass is recorded for people to see: about three seconds.
const RECORDED_AFTER: u32 = 5;

/// The right to run one subscription for a while.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lease {
    /// Which subscription.
    pub name: String,
    /// Grows with each new holder; only the current one may move the checkpoint.
    pub fence: u64,
    /// The last position that was dealt with when the lease was granted.
    pub position: Position,
    /// Whether the log does not hold the event that was dealt with there: it was put back to an earlier state since, and what
    /// it holds at these positions now is something else.
    pub astray: bool,
}

/// Why a line goes no further.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Halt<'a> {
    /// The failure may pass: the event is tried again and again.
    Delayed(&'a str),
    /// It is stopped.
    Stopped(&'a str),
}

/// Remembers how far each subscription got, and who may run it. All times are the store's own clock.
#[async_trait]
pub trait Checkpoints: Send + Sync {
    /// Grants the lease when nobody else holds it; `None` when somebody does.
    ///
    /// # Errors
    /// [`PortError`] when the store cannot be reached.
    async fn claim(&self, name: &str, owner: Uuid, ttl: Duration) -> Result<Option<Lease>, PortError>;

    /// Extends the lease; false when it has passed to another holder.
    ///
    /// # Errors
    /// [`PortError`] when the store cannot be reached.
    async fn renew(&self, lease: &Lease, ttl: Duration) -> Result<bool, PortError>;

    /// Moves the checkpoint forward to the event at a position with that hash, and forgets an earlier failure; false when the
    /// lease has passed to another holder, or the log does not hold that event any more.
    ///
    /// # Errors
    /// [`PortError`] when the store cannot be reached.
    async fn advance(&self, lease: &Lease, to: Position, hash: &[u8; 32]) -> Result<bool, PortError>;

    /// Records that everything before a position is dealt with and that the line goes no further, for people to see, until
    /// the checkpoint moves; false when the lease has passed on.
    ///
    /// # Errors
    /// [`PortError`] when the store cannot be reached.
    async fn halt(&self, lease: &Lease, at: Position, halt: Halt<'_>) -> Result<bool, PortError>;

    /// Gives the lease back, so that another process need not wait for its end.
    ///
    /// # Errors
    /// [`PortError`] when the store cannot be reached.
    async fn release(&self, lease: &Lease) -> Result<(), PortError>;
}

/// What a subscription is known by and what it wants to hear of, also where nobody runs it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reader {
    /// Stable name; the checkpoint is kept under it.
    pub name: &'static str,
    /// Kinds of aggregate it wants to hear of; empty for all.
    pub categories: &'static [&'static str],
}

/// What a subscription does with each event. It sees an event at least once, in order.
#[async_trait]
pub trait Reaction: Send + Sync {
    /// What it is known by, and what it wants to hear of.
    fn reader(&self) -> Reader;

    /// Stable name; the checkpoint is kept under it.
    fn name(&self) -> &'static str {
        self.reader().name
    }

    /// Deals with one event.
    ///
    /// # Errors
    /// [`Error`]: what [`passes`] is tried again, anything else stops the line.
    async fn handle(&self, event: &RecordedEvent) -> Result<(), Error>;
}

/// Whether a failure may pass by itself, so that trying again makes sense.
#[must_use]
pub const fn passes(error: &Error) -> bool {
    match error {
        // What may have been recorded is made again as what was seen before it: a reaction is idempotent.
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

/// A reaction failed for good, or what it is to deal with cannot be read: no event from this position on is dealt with until
/// somebody acts.
#[derive(Debug, thiserror::Error)]
#[error("subscription {name} stopped at position {position}")]
pub struct Stopped {
    /// Which subscription.
    pub name: &'static str,
    /// The event it could not deal with; the first that may be the one where it cannot be read.
    pub position: Position,
    /// Why.
    #[source]
    pub source: Error,
}

/// Runs reactions, each under its lease, from its checkpoint onwards.
#[derive(Clone)]
pub struct Subscription {
    store: Arc<dyn EventStore>,
    checkpoints: Arc<dyn Checkpoints>,
    clock: Arc<dyn Clock>,
    owner: Uuid,
    contested: bool,
}

impl Subscription {
    /// A runner that claims leases as `owner`, which must be fresh for each process.
    #[must_use]
    pub fn new(
        store: Arc<dyn EventStore>,
        checkpoints: Arc<dyn Checkpoints>,
        clock: Arc<dyn Clock>,
        owner: Uuid,
    ) -> Self {
        Self { store, checkpoints, clock, owner, contested: true }
    }

    /// The same for a store that only this process uses: a lease that nobody else can claim needs no renewal.
    #[must_use]
    pub fn uncontested(self) -> Self {
        Self { contested: false, ..self }
    }

    /// Runs a reaction until `shutdown` completes; claims the lease again whenever it was lost.
    ///
    /// # Errors
    /// [`Stopped`] when the reaction or the log fails for good; the checkpoint stays before that event.
    pub async fn run(&self, reaction: &dyn Reaction, shutdown: impl Future<Output = ()> + Send) -> Result<(), Stopped> {
        let work = pin!(self.keep_running(reaction));
        match select(work, pin!(shutdown)).await {
            Either::Left((Err(stopped), _)) => Err(stopped),
            Either::Left((Ok(never), _)) => match never {},
            // Dropping the work is safe at any point: whatever was not checkpointed is seen again.
            Either::Right(((), _)) => {
                self.give_back(reaction).await;
                Ok(())
            }
        }
    }

    async fn keep_running(&self, reaction: &dyn Reaction) -> Result<std::convert::Infallible, Stopped> {
        let mut pause = BACKOFF.0;
        loop {
            // Looked up before the checkpoint: a log that is put back later is noticed.
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

    /// Works while the lease is ours: the renewal runs beside the reaction, never behind it.
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

    /// Hands the reaction what it wants until the lease is lost or the log is put back.
    async fn follow(&self, line: Line<'_>, rewinds: u64) -> Result<(), Stopped> {
        if line.lease.astray {
            return self.stop(line, line.lease.position + 1, astray().into()).await;
        }
        let (mut position, mut kept, mut most) = (line.lease.position, line.lease.position, PAGE);
        loop {
            self.store.beyond(position, rewinds).await;
            let read = self.read(line, position, most).await;
            // Positions of a log that is no more say nothing about the one there is: the checkpoint says where to go on.
            if self.store.rewinds() != rewinds {
                return Ok(());
            }
            let page = match read {
                Ok(page) => page,
                // One of these events cannot be read; those before it are dealt with first.
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
            // A stretch without a wanted event is cheap to read again, so it is not worth a write of its own.
            if page.events.is_empty() && position - kept < UNKEPT {
                continue;
            }
            let Some(hash) = page.hash else { continue };
            // What took long may have been about a log that is no more.
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

    /// Moves the checkpoint; false if the lease has passed on, or the log was put back.
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

    /// Asks a port until it answers or fails for good; the lease's renewal decides when to give up.
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

    /// Pauses before another attempt, longer each time; a failure that does not pass is recorded for people to see.
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

/// One holder's turn at one subscription.
#[derive(Clone, Copy)]
struct Line<'a> {
    reaction: &'a dyn Reaction,
    lease: &'a Lease,
}

/// How often something was tried in vain, and how long to wait before it is tried again.
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

/// What may pass is worth a warning; what will not is an error.
fn complain(subscription: &str, error: &PortError, what: &str) {
    if error.retryable {
        tracing::warn!(subscription, error = ?error, "{what}");
    } else {
        tracing::error!(subscription, error = ?error, "{what}");
    }
}
