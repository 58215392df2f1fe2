use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use devskyy_application::{
    error::PortError,
    es::{
        AppendError, AppendRequest, Appended, Claim, EventFilter, EventStore, Facts, KeyFacts, LogHead, PAGE_BYTES,
        Page, Plan, Position, Prepared, RecordedEvent, ScopedKey, StreamFacts, StreamId, Wanted, planner,
    },
    identity::Perishable,
    ports::Clock,
};
use tokio::sync::watch;
use uuid::Uuid;

use super::FixedClock;

/// A view that is updated inside the append, so that it is never stale.
type Follower = Box<dyn Fn(&RecordedEvent) + Send + Sync>;

/// The log in memory, with the same planner as the durable ones.
pub struct InMemoryEventStore {
    clock: Arc<dyn Clock>,
    log: Mutex<Log>,
    head: watch::Sender<Position>,
}

#[derive(Default)]
struct Log {
    head: LogHead,
    events: Vec<RecordedEvent>,
    streams: HashMap<StreamId, StreamFacts>,
    claims: HashMap<Claim, Uuid>,
    keys: HashMap<ScopedKey, (KeyFacts, DateTime<Utc>)>,
    followers: Vec<Follower>,
}

impl Default for InMemoryEventStore {
    fn default() -> Self {
        Self::with_clock(Arc::new(FixedClock::default()))
    }
}

impl InMemoryEventStore {
    /// An empty log with this clock.
    #[must_use]
    pub fn with_clock(clock: Arc<dyn Clock>) -> Self {
        Self { clock, log: Mutex::default(), head: watch::Sender::new(0) }
    }

    /// Everything recorded so far, in order.
    #[must_use]
    pub fn events(&self) -> Vec<RecordedEvent> {
        self.log().events.clone()
    }

    /// Passes all recorded events to an in-memory view, and then each new event before its append returns.
    ///
    /// The view must not call the log.
    pub fn follow(&self, view: impl Fn(&RecordedEvent) + Send + Sync + 'static) {
        let mut log = self.log();
        log.events.iter().for_each(&view);
        log.followers.push(Box::new(view));
    }

    fn log(&self) -> MutexGuard<'_, Log> {
        self.log.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Log {
    fn facts(&self, request: &AppendRequest) -> Facts {
        let wanted = Wanted::of([request]);
        let pick = |stream: &StreamId| Some((*stream, *self.streams.get(stream)?));
        Facts {
            head: self.head,
            streams: wanted.streams.iter().filter_map(pick).collect(),
            claims: wanted.claims.iter().filter_map(|c| Some(((*c).clone(), *self.claims.get(*c)?))).collect(),
            keys: wanted
                .keys
                .iter()
                .map(|(scope, key)| (*scope, (*key).to_owned()))
                .filter_map(|key| self.keys.get(&key).map(|(facts, _)| (key.clone(), *facts)))
                .collect(),
        }
    }

    fn write(&mut self, plan: Plan) -> Vec<Result<Appended, AppendError>> {
        for event in plan.events {
            self.followers.iter().for_each(|follower| follower(&event.recorded));
            self.events.push(event.recorded);
        }
        self.streams.extend(plan.streams);
        for (claim, owner) in plan.claims {
            match owner {
                Some(owner) => self.claims.insert(claim, owner),
                None => self.claims.remove(&claim),
            };
        }
        self.keys.extend(plan.keys.into_iter().map(|key| (key.key, (key.facts, key.recorded_at))));
        self.head = plan.head;
        plan.outcomes.into_iter().map(|outcome| outcome.map_err(AppendError::from)).collect()
    }
}

impl devskyy_application::es::Rewindable for InMemoryEventStore {}

#[async_trait]
impl EventStore for InMemoryEventStore {
    async fn append(&self, request: AppendRequest) -> Result<Appended, AppendError> {
        let prepared = Prepared::new(request)?;
        let mut log = self.log();
        let plan = planner::plan(log.facts(prepared.request()), &[&prepared], self.clock.now());
        let mut outcomes = log.write(plan);
        self.head.send_replace(log.head.position);
        outcomes.pop().unwrap_or(Err(AppendError::Overloaded))
    }

    async fn read_stream(&self, stream: StreamId, after: u64, max: usize) -> Result<Vec<RecordedEvent>, PortError> {
        let log = self.log();
        let Some(facts) = log.streams.get(&stream) else { return Ok(Vec::new()) };
        let from = usize::try_from(facts.stream_no).unwrap_or(usize::MAX).saturating_sub(1);
        let of_stream = |e: &&RecordedEvent| e.stream_id == stream.id && e.category == stream.category;
        let later = |e: &&RecordedEvent| e.version > after;
        let mut bytes = 0;
        let bounded = |e: &&RecordedEvent| {
            let room = bytes < PAGE_BYTES;
            bytes += e.data.len();
            room
        };
        let events = log.events.get(from..).unwrap_or_default().iter();
        Ok(events.filter(of_stream).filter(later).take(max).take_while(bounded).cloned().collect())
    }

    async fn read_all(&self, after: Position, max: usize, filter: &EventFilter) -> Result<Page, PortError> {
        let log = self.log();
        let mut page = Page { events: Vec::new(), scanned_to: after, hash: None };
        let from = usize::try_from(after).unwrap_or(usize::MAX);
        let mut bytes = 0;
        for event in log.events.get(from..).unwrap_or_default() {
            if page.events.len() == max || bytes >= PAGE_BYTES {
                break;
            }
            (page.scanned_to, page.hash) = (event.position, Some(event.hash));
            if filter.wants(&event.category) {
                let data = if filter.headlines { String::new() } else { event.data.clone() };
                bytes += data.len();
                page.events.push(RecordedEvent { data, ..event.clone() });
            }
        }
        Ok(page)
    }

    async fn head(&self) -> Result<Position, PortError> {
        Ok(self.log().head.position)
    }

    async fn beyond(&self, position: Position, rewinds: u64) -> Position {
        let mut head = self.head.subscribe();
        // The sender lives in `self`, so waiting cannot fail. This log is never rewound.
        head.wait_for(|head| *head > position || rewinds != 0).await.map_or(position, |head| *head)
    }
}

#[async_trait]
impl Perishable for InMemoryEventStore {
    async fn sweep(&self, before: DateTime<Utc>) -> Result<u64, PortError> {
        let mut log = self.log();
        let present = log.keys.len();
        log.keys.retain(|_, (_, used_at)| *used_at >= before);
        Ok((present - log.keys.len()) as u64)
    }
}
