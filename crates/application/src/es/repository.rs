use std::{marker::PhantomData, ops::ControlFlow, sync::Arc};

use devskyy_domain::kernel::{Aggregate, Decision, Version};

use super::{
    append::{AppendError, AppendRequest, Appended, ClaimChange, Idempotency, NewEvent, Precondition, StreamWrite},
    recorded::{EventContext, RecordedEvent, StreamId},
    store::EventStore,
    walk::walk,
};
use crate::error::{Error, PortError};

/// Attempts of an update that loses a race, before the caller has to retry.
const ATTEMPTS: usize = 5;

/// An aggregate's state, and the number of events it is folded from.
#[derive(Debug, Clone, PartialEq)]
pub struct Loaded<A> {
    /// The folded state.
    pub state: A,
    /// Its version, which is also its `ETag`.
    pub version: Version,
}

/// All aggregates of one kind, loaded from and changed through the log.
#[derive(Clone)]
pub struct Repository<A> {
    pub(super) store: Arc<dyn EventStore>,
    kind: PhantomData<fn() -> A>,
}

impl<A: Aggregate> Repository<A> {
    /// A repository over a log.
    #[must_use]
    pub fn new(store: Arc<dyn EventStore>) -> Self {
        Self { store, kind: PhantomData }
    }

    /// Folds an aggregate. Without events it has version 0 and the default state.
    ///
    /// # Errors
    /// [`PortError`] when the log cannot be read or holds an event this program does not know.
    pub async fn load(&self, id: A::Id) -> Result<Loaded<A>, PortError> {
        self.load_at(id, Version::MAX).await
    }

    /// Folds an aggregate up to and including a version.
    ///
    /// # Errors
    /// [`PortError`] when the log cannot be read or holds an event this program does not know.
    pub async fn load_at(&self, id: A::Id, upto: Version) -> Result<Loaded<A>, PortError> {
        let mut loaded = Loaded { state: A::default(), version: 0 };
        self.catch_up(id, &mut loaded, upto).await?;
        Ok(loaded)
    }

    /// Folds the events recorded since into a loaded aggregate.
    ///
    /// # Errors
    /// [`PortError`] when the log cannot be read or holds an event this program does not know.
    pub async fn refresh(&self, id: A::Id, loaded: &mut Loaded<A>) -> Result<(), PortError> {
        self.catch_up(id, loaded, Version::MAX).await
    }

    async fn catch_up(&self, id: A::Id, loaded: &mut Loaded<A>, upto: Version) -> Result<(), PortError> {
        if loaded.version >= upto {
            return Ok(());
        }
        self.fold_while(id, loaded, |recorded| recorded.version <= upto).await
    }

    /// Folds the events recorded since, up to the first one that is not wanted.
    pub(super) async fn fold_while(
        &self,
        id: A::Id,
        loaded: &mut Loaded<A>,
        wanted: impl Fn(&RecordedEvent) -> bool + Send + Sync,
    ) -> Result<(), PortError> {
        walk(self.store.as_ref(), StreamId::of::<A>(id), loaded.version, |recorded| {
            if !wanted(recorded) {
                return Ok(ControlFlow::Break(()));
            }
            loaded.state.apply(&recorded.decode::<A::Event>()?);
            loaded.version = recorded.version;
            Ok(ControlFlow::Continue(()))
        })
        .await
    }

    /// Builds the write of one aggregate within a unit of work.
    ///
    /// # Errors
    /// [`PortError`] when an event cannot be encoded.
    pub fn write(id: A::Id, precondition: Precondition, events: &[A::Event]) -> Result<StreamWrite, PortError> {
        let events = events.iter().map(NewEvent::encode).collect::<Result<_, _>>()?;
        Ok(StreamWrite { stream: StreamId::of::<A>(id), precondition, events })
    }

    /// Loads, decides and records. After a lost race it decides again on the newer state, a bounded number of times.
    ///
    /// With `expected`, the update is refused unless that is the current version. Returns the state after the decision.
    ///
    /// # Errors
    /// The aggregate's refusal, [`Error::StaleVersion`], [`Error::Contended`] or a failure of the log.
    pub async fn update(
        &self,
        context: EventContext,
        id: A::Id,
        expected: Option<Version>,
        decide: impl Fn(&A) -> Decision<A> + Send + Sync,
    ) -> Result<Loaded<A>, Error>
    where
        Error: From<A::Error>,
    {
        self.update_claiming(context, id, expected, decide, |_, _| Vec::new()).await
    }

    /// Like [`Repository::update`], and takes or releases unique values in the same unit of work.
    ///
    /// # Errors
    /// As [`Repository::update`], and [`Error::ClaimTaken`] when another owner holds a value; the use case maps it to
    /// its own refusal.
    pub async fn update_claiming(
        &self,
        context: EventContext,
        id: A::Id,
        expected: Option<Version>,
        decide: impl Fn(&A) -> Decision<A> + Send + Sync,
        claims: impl Fn(&A, &[A::Event]) -> Vec<ClaimChange> + Send + Sync,
    ) -> Result<Loaded<A>, Error>
    where
        Error: From<A::Error>,
    {
        Ok(self.attempt(context, id, expected, None, decide, claims).await?.loaded)
    }

    /// Like [`Repository::update`], for a request that may be repeated: a key records once, and a repetition returns
    /// the state as the first request left it.
    ///
    /// # Errors
    /// As [`Repository::update`], and [`Error::KeyReused`].
    pub async fn update_once(
        &self,
        context: EventContext,
        id: A::Id,
        expected: Option<Version>,
        idempotency: Option<Idempotency>,
        decide: impl Fn(&A) -> Decision<A> + Send + Sync,
    ) -> Result<Updated<A>, Error>
    where
        Error: From<A::Error>,
    {
        self.attempt(context, id, expected, idempotency, decide, |_, _| Vec::new()).await
    }

    async fn attempt(
        &self,
        context: EventContext,
        id: A::Id,
        expected: Option<Version>,
        idempotency: Option<Idempotency>,
        decide: impl Fn(&A) -> Decision<A> + Send + Sync,
        claims: impl Fn(&A, &[A::Event]) -> Vec<ClaimChange> + Send + Sync,
    ) -> Result<Updated<A>, Error>
    where
        Error: From<A::Error>,
    {
        let mut loaded = Loaded { state: A::default(), version: 0 };
        for _ in 0..ATTEMPTS {
            self.refresh(id, &mut loaded).await?;
            if let Some(expected) = expected.filter(|expected| *expected != loaded.version) {
                return Err(Error::StaleVersion { expected, actual: loaded.version });
            }
            let events = decide(&loaded.state)?;
            // A decision without events is not recorded, only the use of its key.
            if events.is_empty() && idempotency.is_none() {
                return Ok(Updated { loaded, replayed: false });
            }
            let claims = claims(&loaded.state, &events);
            let writes = vec![Self::write(id, Precondition::Version(loaded.version), &events)?];
            let request = AppendRequest { writes, claims, idempotency: idempotency.clone(), context: context.clone() };
            let Some(appended) = self.unless_overtaken(request).await? else { continue };
            if appended.replayed {
                return Ok(Updated { loaded: self.as_of(id, appended.last).await?, replayed: true });
            }
            loaded.version += events.len() as Version;
            loaded.state = loaded.state.evolved(&events);
            return Ok(Updated { loaded, replayed: false });
        }
        Err(Error::Contended)
    }

    async fn unless_overtaken(&self, request: AppendRequest) -> Result<Option<Appended>, Error> {
        match self.store.append(request).await {
            Ok(appended) => Ok(Some(appended)),
            Err(AppendError::Conflict { .. }) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// Records the first events of a new aggregate, together with other writes of the same unit of work.
    ///
    /// A repeated request (same idempotency key) records nothing and returns the aggregate as the first one left it;
    /// its id is read from the log.
    ///
    /// # Errors
    /// [`Error::ClaimTaken`], [`Error::KeyReused`] or a failure of the log.
    pub async fn create(
        &self,
        context: EventContext,
        id: A::Id,
        events: &[A::Event],
        claims: Vec<ClaimChange>,
        others: Vec<StreamWrite>,
        idempotency: Option<Idempotency>,
    ) -> Result<Created<A>, Error> {
        let mut writes = vec![Self::write(id, Precondition::NoStream, events)?];
        writes.extend(others);
        let request = AppendRequest { writes, claims, idempotency, context };
        let appended = self.store.append(request).await?;
        if appended.replayed {
            return self.replayed(&appended).await;
        }
        let loaded = Loaded { state: A::default().evolved(events), version: events.len() as Version };
        Ok(Created { id, loaded, replayed: false })
    }

    pub(super) async fn replayed(&self, appended: &Appended) -> Result<Created<A>, Error> {
        let before = appended.first.saturating_sub(1);
        let page = self.store.read_all(before, 1, &super::EventFilter::default()).await?;
        let first = page
            .events
            .first()
            .filter(|event| event.category == A::CATEGORY)
            .ok_or_else(|| PortError::bug("event store", "reading a replayed request", "its events are missing"))?;
        let id = A::Id::from(first.stream_id);
        Ok(Created { id, loaded: self.as_of(id, appended.last).await?, replayed: true })
    }
}

/// A new aggregate, or the one that an earlier identical request created.
#[derive(Debug, Clone, PartialEq)]
pub struct Created<A: Aggregate> {
    /// Which one.
    pub id: A::Id,
    /// Its state as the (first) request left it.
    pub loaded: Loaded<A>,
    /// Whether an earlier identical request had already created it.
    pub replayed: bool,
}

/// An aggregate after a change, or as an earlier identical request left it.
#[derive(Debug, Clone, PartialEq)]
pub struct Updated<A> {
    /// Its state as the (first) request left it.
    pub loaded: Loaded<A>,
    /// Whether an earlier identical request had already made the change.
    pub replayed: bool,
}
