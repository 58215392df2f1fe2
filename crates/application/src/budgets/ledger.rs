use std::{
    collections::{BTreeSet, HashMap},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use chrono::{DateTime, Utc};
use devskyy_domain::{
    budgets::{Budget, BudgetEvent},
    kernel::{
        Aggregate, Decision, Version,
        ids::{BudgetId, OperationId},
    },
};
use futures_util::lock::{Mutex as Turn, OwnedMutexGuard};

use super::posting::{Meaning, Posted, Posting};
use crate::{
    error::{Error, PortError},
    es::{
        AppendError, AppendRequest, EventContext, EventStore, Loaded, Precondition, Repository, StreamWrite, Written,
    },
    ports::Clock,
};

/// How often an append is tried that other processes' calls come before.
const ATTEMPTS: u32 = 100;
/// Budgets remembered before those that limit nothing are forgotten.
const REMEMBERED: usize = 10_000;

type Account = Arc<Turn<Loaded<Budget>>>;
type Held = OwnedMutexGuard<Loaded<Budget>>;

/// Where every model call reserves and settles what it uses, in the same append that tells it of its run.
///
/// The calls of one process take turns at a budget; calls of other processes are noticed by the version of its stream.
/// Budgets are taken to limit nothing until the log says otherwise, so that where none is set nothing is read.
pub struct Ledger {
    store: Arc<dyn EventStore>,
    budgets: Repository<Budget>,
    clock: Arc<dyn Clock>,
    accounts: Mutex<HashMap<BudgetId, Account>>,
}

impl Ledger {
    /// The ledger over a log.
    #[must_use]
    pub fn new(store: Arc<dyn EventStore>, clock: Arc<dyn Clock>) -> Self {
        Self { budgets: Repository::new(store.clone()), store, clock, accounts: Mutex::default() }
    }

    /// Records an append together with what it means for budgets: all of it, or nothing.
    ///
    /// # Errors
    /// As [`EventStore::append`]; a conflict is never about a budget.
    pub async fn post(&self, request: AppendRequest, posting: &Posting) -> Result<Posted, AppendError> {
        let mut held = self.hold(&posting.budgets).await;
        // A refusal counts only on top of everything others have recorded: they may have made room.
        let mut current = false;
        for attempt in 0..ATTEMPTS {
            let entered = match entered(&held, posting, self.clock.now())? {
                Ok(entered) => entered,
                Err(obstacle) if current => return Ok(obstacle),
                Err(_) => {
                    self.catch_up(&mut held).await?;
                    current = true;
                    continue;
                }
            };
            let mut whole = request.clone();
            whole.writes.extend(entered.iter().map(|(write, _)| write.clone()));
            match self.store.append(whole).await {
                Ok(appended) => {
                    take_in(&mut held, &entered, &appended.streams);
                    return Ok(Posted::Appended(appended));
                }
                Err(AppendError::Conflict { stream, .. }) if stream.category == Budget::CATEGORY => {
                    self.give_way(attempt).await;
                    self.catch_up(&mut held).await?;
                    current = true;
                }
                Err(error) => return Err(error),
            }
        }
        Err(PortError::transient("budgets", "recording a model call", "the budget is contended").into())
    }

    /// Frees what is kept for calls that will not answer any more.
    ///
    /// # Errors
    /// [`Error::Contended`] or a failure of the log.
    pub async fn release(
        &self,
        context: &EventContext,
        budgets: &[BudgetId],
        operations: &[OperationId],
    ) -> Result<(), Error> {
        for id in budgets {
            let freed = |budget: &Budget| {
                let each: Result<Vec<_>, _> = operations.iter().map(|operation| budget.release(*operation)).collect();
                each.map(|events| events.concat())
            };
            self.change(context.clone(), *id, None, freed).await?;
        }
        Ok(())
    }

    /// A budget as it stands.
    ///
    /// # Errors
    /// [`PortError`] when the log cannot be read.
    pub async fn look(&self, id: BudgetId) -> Result<Budget, PortError> {
        let mut held = self.account(id).lock_owned().await;
        self.budgets.refresh(id, &mut held).await?;
        Ok(held.state.clone())
    }

    /// Records a decision about a budget; `expected` is how often its terms were changed, if the caller cares.
    pub(super) async fn change(
        &self,
        context: EventContext,
        id: BudgetId,
        expected: Option<Version>,
        decide: impl Fn(&Budget) -> Decision<Budget> + Send + Sync,
    ) -> Result<Budget, Error> {
        let mut held = self.account(id).lock_owned().await;
        for attempt in 0..ATTEMPTS {
            self.budgets.refresh(id, &mut held).await?;
            let actual = held.state.revision();
            if let Some(expected) = expected.filter(|expected| *expected != actual) {
                return Err(Error::StaleVersion { expected, actual });
            }
            let events = decide(&held.state)?;
            if events.is_empty() {
                return Ok(held.state.clone());
            }
            let writes = vec![Repository::<Budget>::write(id, Precondition::Version(held.version), &events)?];
            let request = AppendRequest { writes, claims: vec![], idempotency: None, context: context.clone() };
            match self.store.append(request).await {
                Ok(_) => {
                    held.version += events.len() as Version;
                    events.iter().for_each(|event| held.state.apply(event));
                    return Ok(held.state.clone());
                }
                Err(AppendError::Conflict { .. }) => self.give_way(attempt).await,
                Err(error) => return Err(error.into()),
            }
        }
        Err(Error::Contended)
    }

    /// Waits for its turn at each budget; all ask in the same order, so that nobody waits in a circle.
    async fn hold(&self, budgets: &[BudgetId]) -> Vec<(BudgetId, Held)> {
        let mut held = Vec::with_capacity(budgets.len());
        for id in BTreeSet::from_iter(budgets) {
            held.push((*id, self.account(*id).lock_owned().await));
        }
        held
    }

    async fn catch_up(&self, held: &mut [(BudgetId, Held)]) -> Result<(), PortError> {
        for (id, account) in held {
            self.budgets.refresh(*id, account).await?;
        }
        Ok(())
    }

    /// Lets another process have its turn, longer each time.
    async fn give_way(&self, attempt: u32) {
        if attempt > 2 {
            self.clock.sleep(Duration::from_millis(attempt.min(20).into())).await;
        }
    }

    fn account(&self, id: BudgetId) -> Account {
        let mut accounts = self.accounts.lock().unwrap_or_else(PoisonError::into_inner);
        if accounts.len() >= REMEMBERED && !accounts.contains_key(&id) {
            accounts.retain(|_, account| account.try_lock().is_none_or(|known| known.version > 0));
        }
        let unknown = || Arc::new(Turn::new(Loaded { state: Budget::default(), version: 0 }));
        accounts.entry(id).or_insert_with(unknown).clone()
    }
}

type Entered = Vec<(StreamWrite, Vec<BudgetEvent>)>;

/// What is to be written to each budget, or why nothing can be.
fn entered(
    held: &[(BudgetId, Held)],
    posting: &Posting,
    at: DateTime<Utc>,
) -> Result<Result<Entered, Posted>, PortError> {
    let mut entered = Vec::with_capacity(held.len());
    for (id, account) in held {
        let (events, firm) = match posting.meaning(&account.state, at) {
            Meaning::Facts { events, firm } => (events, firm),
            Meaning::Unestimated => return Ok(Err(Posted::Unestimated)),
            Meaning::Exhausted(operation, error) => return Ok(Err(Posted::Exhausted { operation, error })),
        };
        let precondition = if firm { Precondition::Exists } else { Precondition::Version(account.version) };
        entered.push((Repository::<Budget>::write(*id, precondition, &events)?, events));
    }
    Ok(Ok(entered))
}

/// Remembers what was written, unless others wrote in between: then it is read when it is next needed.
fn take_in(held: &mut [(BudgetId, Held)], entered: &Entered, written: &[Written]) {
    for ((_, account), (write, events)) in held.iter_mut().zip(entered) {
        let version = account.version + events.len() as Version;
        if written.iter().any(|it| it.stream == write.stream && it.version == version) {
            account.version = version;
            events.iter().for_each(|event| account.state.apply(event));
        }
    }
}
