//! Many concurrent model calls against one budget, through the writer that commits groups.
#![expect(clippy::disallowed_methods, reason = "these tests live in real time")]

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use devskyy_application::{
    budgets::{Entry, Ledger, Posted, Posting},
    context::Actor,
    es::{AppendError, AppendRequest, EventStore, NewEvent, Precondition, StreamId, StreamWrite},
};
use devskyy_domain::{
    budgets::{Amount, Budget, BudgetOwner, Period, Settlement, Terms},
    conversation::TokenCount,
    kernel::ids::{BudgetId, OperationId, ProjectId, RunId},
};
use devskyy_infrastructure::{es::SqlEventStore, system::SystemClock};
use uuid::Uuid;

use crate::databases::{Fresh, on_both_engines};

const CALLS: u128 = 1_000;
const ROOM: u64 = 10;
const EACH: u64 = 100;

/// One log, and the ledgers of several independent processes.
struct Rig {
    store: Arc<SqlEventStore>,
    ledgers: Vec<Arc<Ledger>>,
    budget: BudgetId,
    _fresh: Fresh,
}

impl Rig {
    /// A budget with room for so many calls.
    async fn with_room(fresh: Fresh, processes: usize, room: u64) -> Self {
        let clock = Arc::new(SystemClock);
        let store = Arc::new(SqlEventStore::start(fresh.db.clone(), clock.clone(), Vec::new()).await.unwrap());
        let ledgers = (0..processes).map(|_| Arc::new(Ledger::new(store.clone(), clock.clone()))).collect();
        let owner = BudgetOwner::Project { project: ProjectId::from(Uuid::from_u128(7)) };
        let terms = Terms::parse(Some(room * EACH), None, Period::Total).unwrap();
        let events = Budget::default().set(owner, terms, chrono::Utc::now()).unwrap();
        let budget = owner.budget();
        let set = devskyy_application::es::Repository::<Budget>::write(budget, Precondition::NoStream, &events);
        store.append(request(vec![set.unwrap()])).await.unwrap();
        Self { store, ledgers, budget, _fresh: fresh }
    }

    async fn call(&self, n: u128, entry: Entry) -> Result<Posted, AppendError> {
        let (operation, run) = (OperationId::from(Uuid::from_u128(n)), RunId::from(Uuid::from_u128(CALLS + n)));
        let event = NewEvent { event_type: "run.noted".into(), schema_version: 1, data: "{}".to_owned() };
        let stream = StreamId { category: "run", id: run.into() };
        let write = StreamWrite { stream, precondition: Precondition::Any, events: vec![event] };
        let estimates = BTreeMap::from([(operation, Amount { tokens: EACH, cost_micros: 0 })]);
        let unset = BudgetId::from(Uuid::from_u128(8));
        let posting = Posting { run, budgets: vec![self.budget, unset], entries: vec![entry], estimates };
        let ledger = &self.ledgers[usize::try_from(n).unwrap() % self.ledgers.len()];
        ledger.post(request(vec![write]), &posting).await
    }

    async fn reserve(&self, n: u128) -> Result<Posted, AppendError> {
        self.call(n, Entry::Reserve(OperationId::from(Uuid::from_u128(n)))).await
    }

    async fn settle(&self, n: u128, input: u64) -> Result<Posted, AppendError> {
        let (operation, run) = (OperationId::from(Uuid::from_u128(n)), RunId::from(Uuid::from_u128(CALLS + n)));
        let usage = TokenCount { input, ..TokenCount::default() };
        let settlement =
            Settlement { operation, run, model: "a/b".to_owned(), usage, cost_micros: 0, price_list: None };
        self.call(n, Entry::Settle(settlement)).await
    }

    /// How many of all concurrent calls were admitted and how many refused, and why others failed.
    async fn rush(self: &Arc<Self>) -> (usize, usize, BTreeSet<String>) {
        let calls: Vec<_> = (1..=CALLS)
            .map(|n| {
                let rig = self.clone();
                tokio::spawn(async move { rig.reserve(n).await })
            })
            .collect();
        let (mut admitted, mut refused, mut failed) = (0, 0, BTreeSet::new());
        for call in calls {
            match call.await.unwrap() {
                Ok(Posted::Appended(_)) => admitted += 1,
                Ok(Posted::Exhausted { .. }) => refused += 1,
                other => drop(failed.insert(format!("{other:?}"))),
            }
        }
        (admitted, refused, failed)
    }

    async fn budget(&self) -> Budget {
        self.ledgers[0].look(self.budget).await.unwrap()
    }
}

fn request(writes: Vec<StreamWrite>) -> AppendRequest {
    let context = Actor::system("test", Uuid::from_u128(1)).event_context(None);
    AppendRequest { writes, claims: vec![], idempotency: None, context }
}

async fn of_a_thousand_calls_exactly_as_many_pass_as_there_is_room_for(fresh: Fresh, processes: usize) {
    let rig = Arc::new(Rig::with_room(fresh, processes, ROOM).await);
    assert_eq!(rig.rush().await, (10, 990, BTreeSet::new()));
    rig.store.stop().await;
}

async fn everybody_gets_through_where_there_is_room(fresh: Fresh) {
    let rig = Arc::new(Rig::with_room(fresh, 3, 10_000).await);
    let calls: Vec<_> = (1..=300)
        .map(|n| {
            let rig = rig.clone();
            tokio::spawn(async move {
                rig.reserve(n).await.unwrap();
                rig.settle(n, 7).await.unwrap();
            })
        })
        .collect();
    for call in calls {
        call.await.unwrap();
    }
    let standing = rig.budget().await.standing(chrono::Utc::now()).unwrap();
    assert_eq!((standing.usage.input, standing.reserved), (2_100, Amount::default()));
    rig.store.stop().await;
}

async fn a_rush(fresh: Fresh) {
    of_a_thousand_calls_exactly_as_many_pass_as_there_is_room_for(fresh, 1).await;
}

async fn a_rush_by_ledgers_that_do_not_know_each_other(fresh: Fresh) {
    of_a_thousand_calls_exactly_as_many_pass_as_there_is_room_for(fresh, 4).await;
}

on_both_engines!(a_rush, a_rush_by_ledgers_that_do_not_know_each_other, everybody_gets_through_where_there_is_room);
