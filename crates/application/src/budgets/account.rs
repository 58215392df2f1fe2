use std::{
    collections::{BTreeSet, HashMap},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use devskyy_domain::{
    budgets::{Budget, BudgetEvent},
    kernel::{Aggregate, Version, ids::BudgetId},
};

use crate::{
    es::{Loaded, Precondition, StreamId, StreamWrite},
    fair_lock::{FairLock, Permit},
};

/// Number of cached budgets above which those without limits are evicted.
const REMEMBERED: usize = 10_000;

/// A budget's state as cached by this process, and the queue of its writers.
///
/// The cached state is always that of some version: never newer than the log, but possibly older.
pub(super) struct Account {
    pub(super) id: BudgetId,
    known: Mutex<Loaded<Budget>>,
    line: Arc<FairLock>,
}

impl Account {
    fn new(id: BudgetId) -> Self {
        Self { id, known: Mutex::new(Loaded { state: Budget::default(), version: 0 }), line: Arc::default() }
    }

    /// Waits until no other task of this process writes to it.
    pub(super) async fn turn(&self) -> Permit {
        Arc::clone(&self.line).acquire().await
    }

    pub(super) fn known(&self) -> MutexGuard<'_, Loaded<Budget>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether the write is to this budget.
    pub(super) fn is(&self, write: &StreamWrite) -> bool {
        self.is_at(&write.stream)
    }

    /// Whether the stream is this budget's.
    pub(super) fn is_at(&self, stream: &StreamId) -> bool {
        *stream == StreamId::of::<Budget>(self.id)
    }

    pub(super) fn limits(&self) -> bool {
        self.known().state.limits()
    }

    /// Updates the cached state, unless it is newer.
    pub(super) fn learn(&self, newer: &Loaded<Budget>) {
        let mut known = self.known();
        if known.version < newer.version {
            known.clone_from(newer);
        }
    }

    /// Resets the cached state, because the log was rewound.
    pub(super) fn forget(&self) {
        *self.known() = Loaded { state: Budget::default(), version: 0 };
    }

    /// Resets the cached state if a conflict shows that the log is at an earlier version than expected.
    pub(super) fn put_back(&self, expected: Precondition, actual: Version) {
        if matches!(expected, Precondition::Version(seen) if seen > actual) && self.known().version > actual {
            self.forget();
        }
    }

    /// Applies appended events, unless others came before them; those are read when needed.
    pub(super) fn add(&self, events: &[BudgetEvent], version: Version) {
        let mut known = self.known();
        if known.version + events.len() as Version == version {
            known.version = version;
            events.iter().for_each(|event| known.state.apply(event));
        }
    }
}

/// The budgets cached by this process.
#[derive(Default)]
pub(super) struct Accounts {
    accounts: Mutex<HashMap<BudgetId, Arc<Account>>>,
    /// The log's rewind count when they were cached.
    rewinds: Mutex<u64>,
}

impl Accounts {
    /// Resets all cached states if the log was rewound since: it holds other versions now.
    pub(super) fn of_log(&self, rewinds: u64) {
        let mut learned = self.rewinds.lock().unwrap_or_else(PoisonError::into_inner);
        if *learned < rewinds {
            *learned = rewinds;
            let accounts = self.accounts.lock().unwrap_or_else(PoisonError::into_inner);
            accounts.values().for_each(|account| account.forget());
        }
    }

    /// The account of a budget. Until more is known, it is assumed to have no limits.
    pub(super) fn of(&self, id: BudgetId) -> Arc<Account> {
        let mut accounts = self.accounts.lock().unwrap_or_else(PoisonError::into_inner);
        if accounts.len() >= REMEMBERED && !accounts.contains_key(&id) {
            accounts.retain(|_, account| Arc::strong_count(account) > 1 || account.known().version > 0);
        }
        accounts.entry(id).or_insert_with(|| Arc::new(Account::new(id))).clone()
    }

    /// The accounts without duplicates, in a globally consistent order.
    pub(super) fn all(&self, ids: &[BudgetId]) -> Vec<Arc<Account>> {
        BTreeSet::from_iter(ids).into_iter().map(|id| self.of(*id)).collect()
    }
}
