//! Durable subscriptions: a named reader of the log that continues where it stopped, whoever runs it.
//!
//! One process at a time holds a subscription's [`Lease`]; its fence grows with each new holder, and progress is only
//! kept for the current fence, so a holder that slept past its lease cannot move the checkpoint. A reaction may see an
//! event again after a crash and must therefore be idempotent, typically by an idempotency key made of its own name
//! and the event's id.

use std::{pin::pin, sync::Arc, time::Duration};

use async_trait::async_trait;
use futures_util::future::{Either, select};
use uuid::Uuid;

use super::{
    recorded::{Position, RecordedEvent},
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

/// The right to run one subscription for a while.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lease {
    /// Which subscription.
    pub name: String,
    /// Grows with each new holder; only the current one may move the checkpoint.
    pub fence: u64,
    /// The last position that was dealt with when the lease was granted.
    pub position: Position,
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

    /// Moves the checkpoint forward and forgets an earlier failure; false when the lease has passed to another holder.
    ///
    /// # Errors
    /// [`PortError`] when the store cannot be reached.
    async fn advance(&self, lease: &Lease, to: Position) -> Result<bool, PortError>;

    /// Records that the line is stopped before a position, for people to see; false when the lease has passed on.
    ///
    /// # Errors
    /// [`PortError`] when the store cannot be reached.
    async fn stop(&self, lease: &Lease, at: Position, failure: &str) -> Result<bool, PortError>;

    /// Gives the lease back, so that another process need not wait for its end.
    ///
    /// # Errors
    /// [`PortError`] when the store cannot be reached.
    async fn release(&self, lease: &Lease) -> Result<(), PortError>;
}

/// What a subscription does with each event. It sees an event at least once, in order.
#[async_trait]
pub trait Reaction: Send + Sync {
    /// Stable name; the checkpoint is kept under it.
    fn name(&self) -> &'static str;

    /// Kinds of aggregate it wants to hear of; empty for all.
    fn categories(&self) -> &'static [&'static str];

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
        | Error::BadCredentials { .. }
        | Error::TokenReused { .. }
        | Error::Forbidden
        | Error::Denied
        | Error::NotFound(_)
        | Error::ClaimTaken(_)
        | Error::KeyReused
        | Error::TooManyAttempts { .. } => false,
    }
}

/// A reaction failed for good: no event after this position is dealt with until somebody acts.
#[derive(Debug, thiserror::Error)]
#[error("subscription {name} stopped at position {position}")]
pub struct Stopped {
    /// Which subscription.
    pub name: &'static str,
    /// The event it could not deal with.
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
    /// [`Stopped`] when the reaction fails for good; the checkpoint stays before that event.
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
            match self.checkpoints.claim(reaction.name(), self.owner, LEASE).await {
                Ok(Some(lease)) => {
                    pause = BACKOFF.0;
                    self.hold(reaction, lease).await?;
                }
                Ok(None) => self.clock.sleep(CONTEST).await,
                Err(error) => {
                    tracing::warn!(subscription = reaction.name(), error = ?error, "cannot claim the lease");
                    self.clock.sleep(pause).await;
                    pause = (pause * 2).min(BACKOFF.1);
                }
            }
        }
    }

    /// Works while the lease is ours: the renewal runs beside the reaction, never behind it.
    async fn hold(&self, reaction: &dyn Reaction, lease: Lease) -> Result<(), Stopped> {
        match select(pin!(self.follow(reaction, &lease)), pin!(self.renewing(&lease))).await {
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
                Err(error) => tracing::warn!(subscription = lease.name, error = ?error, "cannot renew the lease"),
            }
        }
    }

    /// Hands the reaction what it wants until the lease is lost.
    async fn follow(&self, reaction: &dyn Reaction, lease: &Lease) -> Result<(), Stopped> {
        let filter = EventFilter::categories(reaction.categories());
        let (mut position, mut kept) = (lease.position, lease.position);
        loop {
            self.store.beyond(position).await;
            let page = self.patiently(reaction.name(), || self.store.read_all(position, PAGE, &filter)).await;
            for event in &page.events {
                self.deal_with(reaction, event, lease).await?;
            }
            position = page.scanned_to;
            // A stretch without a wanted event is cheap to read again, so it is not worth a write of its own.
            if page.events.is_empty() && position - kept < UNKEPT {
                continue;
            }
            if !self.patiently(reaction.name(), || self.checkpoints.advance(lease, position)).await {
                return Ok(());
            }
            kept = position;
        }
    }

    async fn deal_with(&self, reaction: &dyn Reaction, event: &RecordedEvent, lease: &Lease) -> Result<(), Stopped> {
        let mut pause = BACKOFF.0;
        loop {
            match reaction.handle(event).await {
                Ok(()) => return Ok(()),
                Err(error) if passes(&error) => {
                    tracing::warn!(subscription = reaction.name(), position = event.position, error = ?error, "will retry");
                    self.clock.sleep(pause).await;
                    pause = (pause * 2).min(BACKOFF.1);
                }
                Err(source) => return self.stop(reaction, event, lease, source).await,
            }
        }
    }

    async fn stop(
        &self,
        reaction: &dyn Reaction,
        event: &RecordedEvent,
        lease: &Lease,
        source: Error,
    ) -> Result<(), Stopped> {
        let failure = format!("{source:?}");
        tracing::error!(subscription = reaction.name(), position = event.position, failure, "the line is stopped");
        self.patiently(reaction.name(), || self.checkpoints.stop(lease, event.position, &failure)).await;
        Err(Stopped { name: reaction.name(), position: event.position, source })
    }

    /// Asks a port until it answers; the lease's renewal decides when to give up.
    async fn patiently<T, F: Future<Output = Result<T, PortError>>>(
        &self,
        subscription: &'static str,
        ask: impl Fn() -> F,
    ) -> T {
        let mut pause = BACKOFF.0;
        loop {
            match ask().await {
                Ok(answer) => return answer,
                Err(error) => {
                    tracing::warn!(subscription, error = ?error, "will retry");
                    self.clock.sleep(pause).await;
                    pause = (pause * 2).min(BACKOFF.1);
                }
            }
        }
    }

    async fn give_back(&self, reaction: &dyn Reaction) {
        let Ok(Some(lease)) = self.checkpoints.claim(reaction.name(), self.owner, LEASE).await else { return };
        if let Err(error) = self.checkpoints.release(&lease).await {
            tracing::warn!(subscription = reaction.name(), error = ?error, "cannot give the lease back");
        }
    }
}
