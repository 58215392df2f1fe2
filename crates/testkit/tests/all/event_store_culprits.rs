//! Logs with one flaw each. A contract that accepts one of them is useless.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
};

use async_trait::async_trait;
use chrono::TimeDelta;
use devskyy_application::{
    error::PortError,
    es::{
        AppendError, AppendRequest, Appended, Claim, ClaimChange, EventFilter, EventStore, Page, Position,
        Precondition, RecordedEvent, Rewindable, StreamId, goes_on,
    },
};
use devskyy_testkit::{
    contracts::event_store::{LogUnderTest, Request, lamp},
    fakes::InMemoryEventStore,
};
use uuid::Uuid;

/// What is wrong with a log.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Flaw {
    IgnoresVersions,
    IgnoresGuards,
    IgnoresRepeatedStreams,
    MixesCategories,
    IgnoresClaims,
    RefusesOwners,
    TrustsReleases,
    TakesBeforeReleasing,
    KeepsClaimsOfTheRefused,
    IgnoresKeys,
    MixesScopes,
    KeepsKeysOfTheRefused,
    RecordsHalf,
    LeavesGaps,
    ForgetsOnRestart,
    CountsAhead,
    TidiesData,
    TurnsTimeBack,
    LosesHashes,
    RepeatsAtPages,
    StopsAtStrangers,
    TellsAll,
    HandsOverAll,
    TakesAbsenceForFailure,
    WakesAtOnce,
    SleepsThrough,
    CriesWolf,
}

const FLAWS: [Flaw; 27] = [
    Flaw::IgnoresVersions,
    Flaw::IgnoresGuards,
    Flaw::IgnoresRepeatedStreams,
    Flaw::MixesCategories,
    Flaw::IgnoresClaims,
    Flaw::RefusesOwners,
    Flaw::TrustsReleases,
    Flaw::TakesBeforeReleasing,
    Flaw::KeepsClaimsOfTheRefused,
    Flaw::IgnoresKeys,
    Flaw::MixesScopes,
    Flaw::KeepsKeysOfTheRefused,
    Flaw::RecordsHalf,
    Flaw::LeavesGaps,
    Flaw::ForgetsOnRestart,
    Flaw::CountsAhead,
    Flaw::TidiesData,
    Flaw::TurnsTimeBack,
    Flaw::LosesHashes,
    Flaw::RepeatsAtPages,
    Flaw::StopsAtStrangers,
    Flaw::TellsAll,
    Flaw::HandsOverAll,
    Flaw::TakesAbsenceForFailure,
    Flaw::WakesAtOnce,
    Flaw::SleepsThrough,
    Flaw::CriesWolf,
];

/// A log that passes wrong requests to a correct one, or returns its results wrongly.
struct Flawed {
    honest: InMemoryEventStore,
    flaw: Flaw,
    owners: Mutex<HashMap<Claim, Uuid>>,
}

impl Flawed {
    fn new(flaw: Flaw) -> Arc<Self> {
        Arc::new(Self { honest: InMemoryEventStore::default(), flaw, owners: Mutex::default() })
    }

    fn named(&self, stream: StreamId) -> StreamId {
        if self.flaw == Flaw::MixesCategories { StreamId { category: "lamp", ..stream } } else { stream }
    }

    /// The request that is made instead.
    fn misread(&self, request: &mut AppendRequest) {
        request.writes.iter_mut().for_each(|write| write.stream = self.named(write.stream));
        match self.flaw {
            Flaw::IgnoresVersions => request.writes.iter_mut().for_each(|it| it.precondition = Precondition::Any),
            Flaw::IgnoresGuards => request.writes.retain(|write| !write.events.is_empty()),
            Flaw::IgnoresRepeatedStreams => request.writes.dedup_by_key(|write| write.stream),
            Flaw::IgnoresClaims => request.claims.clear(),
            Flaw::TakesBeforeReleasing => {
                request.claims.sort_by_key(|change| matches!(change, ClaimChange::Release { .. }));
            }
            Flaw::TrustsReleases => request.claims.iter_mut().for_each(|change| self.trust(change)),
            Flaw::IgnoresKeys => request.idempotency = None,
            Flaw::MixesScopes => request.idempotency.iter_mut().for_each(|key| key.scope = Uuid::nil()),
            _ => {}
        }
    }

    fn trust(&self, change: &mut ClaimChange) {
        let mut owners = self.owners.lock().unwrap();
        match change {
            ClaimChange::Take { claim, owner } => drop(owners.insert(claim.clone(), *owner)),
            ClaimChange::Release { claim, owner } => *owner = owners.get(claim).copied().unwrap_or(*owner),
        }
    }

    /// The first value of a request that was ever claimed.
    fn ever_taken(&self, request: &AppendRequest) -> Option<Claim> {
        let mut owners = self.owners.lock().unwrap();
        request.claims.iter().find_map(|change| match change {
            ClaimChange::Take { claim, owner } => owners.insert(claim.clone(), *owner).map(|_| claim.clone()),
            ClaimChange::Release { .. } => None,
        })
    }

    /// The side effect of a refusal.
    async fn botch(&self, request: AppendRequest) -> Result<(), AppendError> {
        let nothing = AppendRequest { writes: vec![], claims: vec![], idempotency: None, ..request.clone() };
        let left = match self.flaw {
            Flaw::KeepsClaimsOfTheRefused => AppendRequest { claims: request.claims, ..nothing },
            Flaw::KeepsKeysOfTheRefused => AppendRequest { idempotency: request.idempotency, ..nothing },
            Flaw::RecordsHalf => AppendRequest { writes: request.writes.into_iter().take(1).collect(), ..nothing },
            Flaw::LeavesGaps => Request::to(lamp(1_000), &["gap"]).build(),
            _ => return Ok(()),
        };
        self.honest.append(left).await.map(drop)
    }

    /// How an event is returned.
    fn garbled(&self, mut event: RecordedEvent) -> RecordedEvent {
        match self.flaw {
            Flaw::TidiesData => event.data = event.data.replace("  ", " "),
            Flaw::LosesHashes => event.hash = Default::default(),
            Flaw::TurnsTimeBack => {
                event.recorded_at -= TimeDelta::seconds(i64::try_from(event.position).unwrap());
            }
            _ => {}
        }
        event
    }

    const fn from(&self, after: u64) -> u64 {
        if matches!(self.flaw, Flaw::RepeatsAtPages) { after.saturating_sub(1) } else { after }
    }
}

impl Rewindable for Flawed {
    fn rewinds(&self) -> u64 {
        u64::from(self.flaw == Flaw::CriesWolf)
    }
}

#[async_trait]
impl EventStore for Flawed {
    async fn append(&self, mut request: AppendRequest) -> Result<Appended, AppendError> {
        // A log that ignores versions also ignores what happens meanwhile.
        tokio::task::yield_now().await;
        self.misread(&mut request);
        if let Some(claim) = self.ever_taken(&request).filter(|_| self.flaw == Flaw::RefusesOwners) {
            return Err(AppendError::ClaimTaken { claim });
        }
        let asked = self.honest.append(request.clone()).await;
        if asked.is_err() {
            // The side effect of a refusal may be refused as well.
            let _ = self.botch(request).await;
        }
        asked
    }

    async fn read_stream(&self, stream: StreamId, after: u64, max: usize) -> Result<Vec<RecordedEvent>, PortError> {
        let mut read = self.honest.read_stream(self.named(stream), self.from(after), max).await?;
        while self.flaw == Flaw::HandsOverAll && goes_on(&read, max) && read.len() < max {
            let last = read.last().map_or(after, |event| event.version);
            read.extend(self.honest.read_stream(stream, last, max - read.len()).await?);
        }
        if read.is_empty() && self.flaw == Flaw::TakesAbsenceForFailure {
            return Err(PortError::bug("log", "reading a stream", "there is none"));
        }
        Ok(read.into_iter().map(|event| self.garbled(event)).collect())
    }

    async fn read_all(&self, after: Position, max: usize, filter: &EventFilter) -> Result<Page, PortError> {
        let filter = EventFilter { headlines: filter.headlines && self.flaw != Flaw::TellsAll, ..filter.clone() };
        let Page { mut events, mut scanned_to, mut hash } =
            self.honest.read_all(self.from(after), max, &filter).await?;
        while self.flaw == Flaw::HandsOverAll && events.len() < max && scanned_to < self.honest.head().await? {
            let more = self.honest.read_all(scanned_to, max - events.len(), &filter).await?;
            events.extend(more.events);
            (scanned_to, hash) = (more.scanned_to, more.hash);
        }
        let events: Vec<_> = events.into_iter().map(|event| self.garbled(event)).collect();
        let last = events.last().map_or(after, |event| event.position);
        let hash = hash.filter(|_| self.flaw != Flaw::LosesHashes);
        Ok(Page { events, hash, scanned_to: if self.flaw == Flaw::StopsAtStrangers { last } else { scanned_to } })
    }

    async fn head(&self) -> Result<Position, PortError> {
        Ok(self.honest.head().await? + u64::from(self.flaw == Flaw::CountsAhead))
    }

    async fn beyond(&self, position: Position, rewinds: u64) -> Position {
        match self.flaw {
            Flaw::WakesAtOnce => position,
            Flaw::SleepsThrough => self.honest.beyond(position, 0).await,
            _ => self.honest.beyond(position, rewinds).await,
        }
    }
}

/// A log under test.
struct Suspect(Arc<Flawed>);

#[async_trait]
impl LogUnderTest for Suspect {
    fn store(&self) -> Arc<dyn EventStore> {
        self.0.clone()
    }

    async fn restart(&mut self) {
        if self.0.flaw == Flaw::ForgetsOnRestart {
            self.0 = Flawed::new(self.0.flaw);
        }
    }
}

fn flawed() -> [Suspect; 27] {
    FLAWS.map(|flaw| Suspect(Flawed::new(flaw)))
}

devskyy_testkit::event_store_contract!(each broken flawed);
