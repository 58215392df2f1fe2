//! Which calls wait for which at the ledger, in numbers of turns and appends in progress, never in time.

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
};

use async_trait::async_trait;
use devskyy_application::{
    budgets::{Entry, Ledger, Posted, Posting},
    context::Actor,
    error::PortError,
    es::{
        AppendError, AppendRequest, Appended, EventFilter, EventStore, NewEvent, Page, Position, Precondition,
        RecordedEvent, Repository, StreamId, StreamWrite,
    },
};
use devskyy_domain::{
    budgets::{Amount, Budget, BudgetOwner, Period, Settlement, Terms},
    conversation::TokenCount,
    kernel::{
        Aggregate as _, Version,
        ids::{OperationId, ProjectId, RunId},
    },
};
use devskyy_testkit::{
    fakes::{FixedClock, InMemoryEventStore},
    reads_through,
};
use futures_util::FutureExt as _;
use tokio::{sync::Semaphore, task::JoinHandle};
use uuid::Uuid;

const POSTERS: usize = 16;
/// Number of postings of each.
const ROUNDS: usize = 30;
/// How often other tasks are polled while an append is in progress.
const DELAY: usize = 5;

/// A log whose appends take a while, and begin only when allowed.
struct Slow {
    log: InMemoryEventStore,
    gate: Semaphore,
    under_way: AtomicUsize,
    most_at_once: AtomicUsize,
    done: AtomicUsize,
    reads: AtomicUsize,
}

impl devskyy_application::es::Rewindable for Slow {}

#[async_trait]
impl EventStore for Slow {
    async fn append(&self, request: AppendRequest) -> Result<Appended, AppendError> {
        let at_once = self.under_way.fetch_add(1, Ordering::SeqCst) + 1;
        self.most_at_once.fetch_max(at_once, Ordering::SeqCst);
        let _pass = self.gate.acquire().await.expect("the gate is never closed");
        for _ in 0..DELAY {
            tokio::task::yield_now().await;
        }
        let appended = self.log.append(request).await;
        self.under_way.fetch_sub(1, Ordering::SeqCst);
        self.done.fetch_add(1, Ordering::SeqCst);
        appended
    }

    async fn read_stream(&self, stream: StreamId, after: Version, max: usize) -> Result<Vec<RecordedEvent>, PortError> {
        self.reads.fetch_add(1, Ordering::SeqCst);
        self.log.read_stream(stream, after, max).await
    }

    reads_through!(log: read_all, head, beyond);
}

struct Rig {
    store: Arc<Slow>,
    ledger: Ledger,
    longest: AtomicUsize,
}

fn owner() -> BudgetOwner {
    BudgetOwner::Project { project: ProjectId::from(Uuid::from_u128(7)) }
}

fn request(write: StreamWrite) -> AppendRequest {
    let context = Actor::system("test", Uuid::from_u128(1)).event_context(None);
    AppendRequest { writes: vec![write], claims: vec![], idempotency: None, context }
}

impl Rig {
    /// A ledger of a project without a budget, over a log that allows so many appends at once.
    fn letting(appends: usize) -> Arc<Self> {
        let store = Arc::new(Slow {
            log: InMemoryEventStore::default(),
            gate: Semaphore::new(appends),
            under_way: AtomicUsize::default(),
            most_at_once: AtomicUsize::default(),
            done: AtomicUsize::default(),
            reads: AtomicUsize::default(),
        });
        let ledger = Ledger::new(store.clone(), Arc::new(FixedClock::default()));
        Arc::new(Self { store, ledger, longest: AtomicUsize::default() })
    }

    /// Sets an unlimited budget, as another process would.
    async fn set_budget(&self) {
        let terms = Terms::parse(Some(1_000_000_000), None, Period::Total).unwrap();
        let set = Budget::default().set(owner(), terms, chrono::DateTime::UNIX_EPOCH).unwrap();
        let write = Repository::<Budget>::write(owner().budget(), Precondition::NoStream, &set).unwrap();
        self.store.log.append(request(write)).await.unwrap();
    }

    /// The same with an unlimited budget that it knows of.
    async fn limited_letting(appends: usize) -> Arc<Self> {
        let rig = Self::letting(appends);
        rig.set_budget().await;
        rig.ledger.look(owner().budget()).await.unwrap();
        rig
    }

    /// Records what happens to a call of some run.
    async fn post(&self, n: usize, entry: impl FnOnce(OperationId, RunId) -> Entry) {
        let (operation, run) = (OperationId::from(Uuid::from_u128(n as u128)), RunId::from(Uuid::from_u128(n as u128)));
        let event = NewEvent { event_type: "run.noted".into(), schema_version: 1, data: "{}".to_owned() };
        let stream = StreamId { category: "run", id: run.into() };
        let write = StreamWrite { stream, precondition: Precondition::Any, events: vec![event] };
        let estimates = BTreeMap::from([(operation, Amount { tokens: 10, cost_micros: 0 })]);
        let entries = vec![entry(operation, run)];
        let posting = Posting { run, budgets: vec![owner().budget()], entries, estimates };
        let posted = self.ledger.post(request(write), &posting).await.unwrap();
        assert!(matches!(posted, Posted::Appended(_)), "{posted:?}");
    }

    async fn reserve(&self, n: usize) {
        self.post(n, |operation, _| Entry::Reserve(operation)).await;
    }

    async fn settle(&self, n: usize) {
        let usage = TokenCount { input: 7, ..TokenCount::default() };
        let settlement = |operation, run| {
            Entry::Settle(Settlement {
                operation,
                run,
                model: "a/b".to_owned(),
                usage,
                cost_micros: 0,
                price_list: None,
            })
        };
        self.post(n, settlement).await;
    }

    /// Posts again and again; busier ones pause for less time.
    async fn come_again(&self, poster: usize) {
        for round in 0..ROUNDS {
            let before = self.store.done.load(Ordering::SeqCst);
            self.reserve(poster * ROUNDS + round).await;
            let others = self.store.done.load(Ordering::SeqCst) - before - 1;
            self.longest.fetch_max(others, Ordering::SeqCst);
            for _ in 0..poster % 4 {
                tokio::task::yield_now().await;
            }
        }
    }

    async fn all_come(self: &Arc<Self>) {
        let posters = (0..POSTERS).map(|poster| {
            let rig = self.clone();
            tokio::spawn(async move { rig.come_again(poster).await })
        });
        for poster in posters.collect::<Vec<_>>() {
            poster.await.unwrap();
        }
    }

    /// A call that is recorded as settled once the log allows it.
    async fn settling(self: &Arc<Self>) -> JoinHandle<()> {
        let rig = self.clone();
        let settling = tokio::spawn(async move { rig.settle(1).await });
        while self.store.under_way.load(Ordering::SeqCst) == 0 {
            tokio::task::yield_now().await;
        }
        settling
    }
}

#[tokio::test]
async fn under_a_budget_nobody_waits_for_more_than_one_append_of_each_of_the_others() {
    let rig = Rig::limited_letting(POSTERS).await;
    rig.all_come().await;
    let longest = rig.longest.load(Ordering::SeqCst);
    assert!(longest < POSTERS, "somebody waited for {longest} appends of others");
}

#[tokio::test]
async fn under_a_budget_one_append_is_under_way_at_a_time() {
    let rig = Rig::limited_letting(POSTERS).await;
    rig.all_come().await;
    assert_eq!(rig.store.most_at_once.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn without_a_budget_nobody_waits_for_anybody() {
    let rig = Rig::letting(POSTERS);
    rig.all_come().await;
    assert_eq!(rig.store.most_at_once.load(Ordering::SeqCst), POSTERS);
}

#[tokio::test]
async fn of_all_who_are_surprised_by_a_budget_at_once_one_reads_it() {
    let rig = Rig::letting(0);
    let posters: Vec<_> = (0..POSTERS)
        .map(|n| {
            let rig = rig.clone();
            tokio::spawn(async move { rig.settle(n).await })
        })
        .collect();
    while rig.store.under_way.load(Ordering::SeqCst) < POSTERS {
        tokio::task::yield_now().await;
    }
    rig.set_budget().await;
    rig.store.gate.add_permits(POSTERS);
    for poster in posters {
        poster.await.unwrap();
    }
    assert_eq!(rig.store.reads.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn a_budget_that_is_set_while_an_answer_is_being_recorded_counts_it() {
    let rig = Rig::letting(0);
    let settling = rig.settling().await;
    rig.set_budget().await;
    rig.store.gate.add_permits(1);
    settling.await.unwrap();
    let standing = rig.ledger.look(owner().budget()).await.unwrap().standing(chrono::DateTime::UNIX_EPOCH);
    assert_eq!(standing.unwrap().usage.total(), 7);
}

#[tokio::test]
async fn a_budget_is_looked_at_while_something_is_being_added_to_it() {
    let rig = Rig::limited_letting(0).await;
    let _settling = rig.settling().await;
    assert!(rig.ledger.look(owner().budget()).now_or_never().is_some());
}

#[tokio::test]
async fn whoever_gives_up_while_it_waits_or_records_keeps_nobody_waiting() {
    let rig = Rig::limited_letting(0).await;
    let recording = rig.settling().await;
    let mut waiting = Box::pin(rig.settle(2));
    assert!((&mut waiting).now_or_never().is_none());
    recording.abort();
    recording.await.unwrap_err();
    drop(waiting);
    rig.store.gate.add_permits(1);
    let last = tokio::time::timeout(std::time::Duration::from_secs(10), rig.settle(3)).await;
    assert!(last.is_ok());
}

/// A log that is replaced by an earlier state, which may be detected or not.
struct PutBack {
    logs: [InMemoryEventStore; 2],
    back: AtomicUsize,
    noticed: AtomicU64,
}

impl PutBack {
    fn log(&self) -> &InMemoryEventStore {
        &self.logs[self.back.load(Ordering::SeqCst)]
    }

    /// A log in which some budgets were set in order, and another one with other budgets.
    async fn with(first: &[u64], second: &[u64]) -> Arc<Self> {
        let logs = [first, second].map(|_| InMemoryEventStore::default());
        for (log, limits) in logs.iter().zip([first, second]) {
            let mut budget = Budget::default();
            for limit in limits {
                let terms = Terms::parse(Some(*limit), None, Period::Total).unwrap();
                let set = budget.set(owner(), terms, chrono::DateTime::UNIX_EPOCH).unwrap();
                budget = budget.evolved(&set);
                let write = Repository::<Budget>::write(owner().budget(), Precondition::Any, &set).unwrap();
                log.append(request(write)).await.unwrap();
            }
        }
        Arc::new(Self { logs, back: AtomicUsize::default(), noticed: AtomicU64::default() })
    }
}

impl devskyy_application::es::Rewindable for PutBack {
    fn rewinds(&self) -> u64 {
        self.noticed.load(Ordering::SeqCst)
    }
}

#[async_trait]
impl EventStore for PutBack {
    async fn append(&self, request: AppendRequest) -> Result<Appended, AppendError> {
        self.log().append(request).await
    }

    async fn read_stream(&self, stream: StreamId, after: Version, max: usize) -> Result<Vec<RecordedEvent>, PortError> {
        self.log().read_stream(stream, after, max).await
    }

    async fn read_all(&self, after: Position, max: usize, filter: &EventFilter) -> Result<Page, PortError> {
        self.log().read_all(after, max, filter).await
    }

    async fn head(&self) -> Result<Position, PortError> {
        self.log().head().await
    }

    async fn beyond(&self, position: Position, rewinds: u64) -> Position {
        self.log().beyond(position, u64::from(rewinds != self.noticed.load(Ordering::SeqCst))).await
    }
}

/// Reserves ten tokens for a call.
async fn reserved(ledger: &Ledger, n: u128) -> Posted {
    let (operation, run) = (OperationId::from(Uuid::from_u128(n)), RunId::from(Uuid::from_u128(n)));
    let event = NewEvent { event_type: "run.noted".into(), schema_version: 1, data: "{}".to_owned() };
    let stream = StreamId { category: "run", id: run.into() };
    let write = StreamWrite { stream, precondition: Precondition::Any, events: vec![event] };
    let estimates = BTreeMap::from([(operation, Amount { tokens: 10, cost_micros: 0 })]);
    let posting = Posting { run, budgets: vec![owner().budget()], entries: vec![Entry::Reserve(operation)], estimates };
    ledger.post(request(write), &posting).await.unwrap()
}

#[tokio::test]
async fn a_budget_of_a_log_that_was_put_back_is_the_one_that_it_holds_now() {
    let store = PutBack::with(&[1_000], &[5]).await;
    let ledger = Ledger::new(store.clone(), Arc::new(FixedClock::default()));
    ledger.look(owner().budget()).await.unwrap();
    store.back.store(1, Ordering::SeqCst);
    store.noticed.store(1, Ordering::SeqCst);
    let posted = reserved(&ledger, 1).await;
    assert!(matches!(posted, Posted::Exhausted { .. }), "{posted:?}");
}

#[tokio::test]
async fn a_call_is_recorded_under_a_budget_that_stands_at_an_earlier_version_than_was_known() {
    let store = PutBack::with(&[100, 200, 300], &[400]).await;
    let ledger = Ledger::new(store.clone(), Arc::new(FixedClock::default()));
    ledger.look(owner().budget()).await.unwrap();
    store.back.store(1, Ordering::SeqCst);
    let posted = reserved(&ledger, 1).now_or_never();
    assert!(matches!(posted, Some(Posted::Appended(_))), "{posted:?}");
}
