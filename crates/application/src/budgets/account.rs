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

/// Budgets remembered before those that limit nothing are forgotten.
const REMEMBERED: usize = 10_000;

/// A budget as this process knows it, and the line of those who add to it.
///
/// What is known is always how the budget stood at some version, never more than was recorded and at times less.
pub(super) struct Account {
    pub(super) id: BudgetId,
    known: Mutex<Loaded<Budget>>,
    line: Arc<FairLock>,
}

impl Account {
    fn new(id: BudgetId) -> Self {
        Self { id, known: Mutex::new(Loaded { state: Budget::default(), version: 0 }), line: Arc::default() }
    }

    /// Waits until nobody else of this process adds to it.
    pub(super) async fn turn(&self) -> Permit {
        Arc::clone(&self.line).acquire().await
    }

    pub(super) fn known(&self) -> MutexGuard<'_, Loaded<Budget>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether something is written to it.
    pub(super) fn is(&self, write: &StreamWrite) -> bool {
        self.is_at(&write.stream)
    }

    /// Whether it is what that stream holds.
    pub(super) fn is_at(&self, stream: &StreamId) -> bool {
        *stream == StreamId::of::<Budget>(self.id)
    }

    pub(super) fn limits(&self) -> bool {
        self.known().state.limits()
    }

    /// Takes in how it stands, unless more is known.
    pub(super) fn learn(&self, newer: &Loaded<Budget>) {
        let mut known = self.known();
        if known.version < newer.version {
            known.clone_from(newer);
        }
    }

    /// Forgets what is known: it is of a log that is no more.
    pub(super) fn forget(&self) {
        *self.known() = Loaded { state: Budget::default(), version: 0 };
    }

    /// Forgets what is known where a conflict shows that the log stands at an earlier version than the one it was about.
    pub(super) fn put_back(&self, expected: Precondition, actual: Version) {
        if matches!(expected, Precondition::Version(seen) if seen > actual) && self.known().version > actual {
            self.forget();
        }
    }

    /// Takes in what was added up to a version, unless something else came before: then that is read when it is needed.
    pub(super) fn add(&self, events: &[BudgetEvent], version: Version) {
        let mut known = self.known();
        if known.version + events.len() as Version == version {
            known.version = version;
            events.iter().for_each(|event| known.state.apply(event));
        }
    }
}

/// The budgets that this process knows.
#[derive(Default)]
pub(super) struct Accounts {
    accounts: Mutex<HashMap<BudgetId, Arc<Account>>>,
    /// How often the log had been put back when they were learned.
    rewinds: Mutex<u64>,
}

impl Accounts {
    /// Forgets what is known of a log that was put back to an earlier state since: it holds other versions now.
    pub(super) fn of_log(&self, rewinds: u64) {
        let mut learned = self.rewinds.lock().unwrap_or_else(PoisonError::into_inner);
        if *learned != rewinds {
            *learned = rewinds;
            let accounts = self.accounts.lock().unwrap_or_else(PoisonError::into_inner);
            accounts.values().for_each(|account| account.forget());
        }
    }

    /// Budgets are taken to limit nothing until more is known.
    pub(super) fn of(&self, id: BudgetId) -> Arc<Account> {
        let mut accounts = self.accounts.lock().unwrap_or_else(PoisonError::into_inner);
        if accounts.len() >= REMEMBERED && !accounts.contains_key(&id) {
            accounts.retain(|_, account| Arc::strong_count(account) > 1 || account.known().version > 0);
        }
        accounts.entry(id).or_insert_with(|| Arc::new(Account::new(id))).clone()
    }

    /// Each of them once, in an order that is the same for all.
    pub(super) fn all(&self, ids: &[BudgetId]) -> Vec<Arc<Account>> {
        BTreeSet::from_iter(ids).into_iter().map(|id| self.of(*id)).collect()
    }
}
