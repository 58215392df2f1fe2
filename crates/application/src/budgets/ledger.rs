use std::{collections::BTreeMap, sync::Arc, time::Duration};

use chrono::{DateTime, Utc};
use devskyy_domain::{
    budgets::{Budget, BudgetEvent},
    kernel::{
        Aggregate, Decision, Version,
        ids::{BudgetId, OperationId},
    },
};

use super::{
    account::{Account, Accounts},
    posting::{Meaning, Posted, Posting},
};
use crate::{
    error::{Error, PortError},
    es::{
        AppendError, AppendRequest, EventContext, EventStore, Loaded, Precondition, Repository, StreamWrite, Written,
    },
    fair_lock::Permit,
    ports::Clock,
};

/// Attempts of an append that loses races against other processes.
const ATTEMPTS: u32 = 100;

/// The ledger, in which every model call reserves and settles its usage, in the same append that records it in its run.
///
/// Exactness follows from the versions of the budgets' streams, whichever process appends. If a budget has limits, the
/// calls of one process also queue for it, so that they do not conflict. Budgets are assumed to have no limits until
/// the log shows otherwise, so that without a budget nothing is read and no call waits.
pub struct Ledger {
    store: Arc<dyn EventStore>,
    budgets: Repository<Budget>,
    clock: Arc<dyn Clock>,
    accounts: Accounts,
}

impl Ledger {
    /// The ledger over a log.
    #[must_use]
    pub fn new(store: Arc<dyn EventStore>, clock: Arc<dyn Clock>) -> Self {
        Self { budgets: Repository::new(store.clone()), store, clock, accounts: Accounts::default() }
    }

    /// Records an append together with its effect on budgets, as a whole or not at all.
    ///
    /// # Errors
    /// As [`EventStore::append`]; a conflict is never about a budget.
    pub async fn post(&self, request: AppendRequest, posting: &Posting) -> Result<Posted, AppendError> {
        let accounts = self.accounts().all(&posting.budgets);
        let (mut turns, mut overtaken) = (Turns::new(), None);
        // A refusal is final only if it is based on the latest state: other calls may have freed budget.
        let mut current = false;
        for attempt in 0..ATTEMPTS {
            turns = turns_at(&accounts, turns, overtaken.as_ref()).await;
            if let Some(overtaken) = overtaken.take() {
                self.follow(&accounts, &overtaken).await?;
            }
            let entered = match entered(&accounts, posting, self.clock.now())? {
                Ok(entered) => entered,
                Err(obstacle) if current => return Ok(obstacle),
                Err(_) => {
                    self.catch_up(&accounts).await?;
                    current = true;
                    continue;
                }
            };
            let mut whole = request.clone();
            whole.writes.extend(entered.iter().map(|(write, _)| write.clone()));
            match self.store.append(whole).await {
                Ok(appended) => {
                    take_in(&accounts, &entered, &appended.streams);
                    return Ok(Posted::Appended(appended));
                }
                Err(AppendError::Conflict { stream, actual, .. }) if stream.category == Budget::CATEGORY => {
                    self.give_way(attempt).await;
                    overtaken = entered.into_iter().find(|(write, _)| write.stream == stream).map(|(write, _)| write);
                    self.accounts();
                    let account = accounts.iter().find(|account| account.is_at(&stream));
                    if let Some((account, write)) = account.zip(overtaken.as_ref()) {
                        account.put_back(write.precondition, actual);
                    }
                }
                Err(error) => return Err(error),
            }
        }
        Err(PortError::transient("budgets", "recording a model call", "the budget is contended").into())
    }

    /// Releases the reservations of calls that will not be answered.
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

    /// The current state of a budget.
    ///
    /// # Errors
    /// [`PortError`] when the log cannot be read.
    pub async fn look(&self, id: BudgetId) -> Result<Budget, PortError> {
        Ok(self.refreshed(&self.accounts().of(id)).await?.state)
    }

    /// Records a decision about a budget. `expected` is the revision of its terms, if the caller has one.
    pub(super) async fn change(
        &self,
        context: EventContext,
        id: BudgetId,
        expected: Option<Version>,
        decide: impl Fn(&Budget) -> Decision<Budget> + Send + Sync,
    ) -> Result<Budget, Error> {
        let account = self.accounts().of(id);
        let _turn = account.turn().await;
        for attempt in 0..ATTEMPTS {
            let mut present = self.refreshed(&account).await?;
            let actual = present.state.revision();
            if let Some(expected) = expected.filter(|expected| *expected != actual) {
                return Err(Error::StaleVersion { expected, actual });
            }
            let events = decide(&present.state)?;
            if events.is_empty() {
                return Ok(present.state);
            }
            let writes = vec![Repository::<Budget>::write(id, Precondition::Version(present.version), &events)?];
            let request = AppendRequest { writes, claims: vec![], idempotency: None, context: context.clone() };
            match self.store.append(request).await {
                Ok(_) => {
                    present.version += events.len() as Version;
                    events.iter().for_each(|event| present.state.apply(event));
                    account.learn(&present);
                    return Ok(present.state);
                }
                Err(AppendError::Conflict { actual, .. }) => {
                    account.put_back(Precondition::Version(present.version), actual);
                    self.accounts();
                    self.give_way(attempt).await;
                }
                Err(error) => return Err(error.into()),
            }
        }
        Err(Error::Contended)
    }

    /// The accounts, reset if the log was rewound.
    fn accounts(&self) -> &Accounts {
        self.accounts.of_log(self.store.rewinds());
        &self.accounts
    }

    async fn catch_up(&self, accounts: &[Arc<Account>]) -> Result<(), PortError> {
        for account in accounts {
            self.refreshed(account).await?;
        }
        Ok(())
    }

    /// Reads what was recorded before an entry, unless an earlier permit holder has done so: of many calls that
    /// conflict at once, as all do when a budget is set, only one reads.
    async fn follow(&self, accounts: &[Arc<Account>], overtaken: &StreamWrite) -> Result<(), PortError> {
        let Some(account) = accounts.iter().find(|account| account.is(overtaken)) else { return Ok(()) };
        let known = account.known().version;
        if matches!(overtaken.precondition, Precondition::Version(seen) if seen < known) {
            return Ok(());
        }
        self.refreshed(account).await.map(|_| ())
    }

    /// The budget's state according to the log.
    async fn refreshed(&self, account: &Account) -> Result<Loaded<Budget>, PortError> {
        let mut present = account.known().clone();
        self.budgets.refresh(account.id, &mut present).await?;
        account.learn(&present);
        Ok(present)
    }

    /// Backs off before the next attempt, longer each time.
    async fn give_way(&self, attempt: u32) {
        if attempt > 2 {
            self.clock.sleep(Duration::from_millis(attempt.min(20).into())).await;
        }
    }
}

type Turns = BTreeMap<BudgetId, Permit>;

/// Acquires the permits of all budgets that have limits or had a conflict, in the same order everywhere, so that there
/// is no deadlock.
///
/// A budget without limits is only written to when its limits are set, which its version shows.
async fn turns_at(accounts: &[Arc<Account>], mut turns: Turns, overtaken: Option<&StreamWrite>) -> Turns {
    let concerned = |account: &&Arc<Account>| account.limits() || overtaken.is_some_and(|write| account.is(write));
    loop {
        let wanted: Vec<_> = accounts.iter().filter(concerned).collect();
        if wanted.iter().all(|account| turns.contains_key(&account.id)) {
            return turns;
        }
        // A new one may come before those already held in the order.
        turns.clear();
        for account in wanted {
            turns.insert(account.id, account.turn().await);
        }
    }
}

type Entered = Vec<(StreamWrite, Vec<BudgetEvent>)>;

/// The writes to each budget, or the reason why there can be none.
fn entered(
    accounts: &[Arc<Account>],
    posting: &Posting,
    at: DateTime<Utc>,
) -> Result<Result<Entered, Posted>, PortError> {
    let mut entered = Vec::with_capacity(accounts.len());
    for account in accounts {
        let known = account.known();
        let (events, firm) = match posting.meaning(&known.state, at) {
            Meaning::Facts { events, firm } => (events, firm),
            Meaning::Unestimated => return Ok(Err(Posted::Unestimated)),
            Meaning::Exhausted(operation, error) => return Ok(Err(Posted::Exhausted { operation, error })),
        };
        let precondition = if firm { Precondition::Exists } else { Precondition::Version(known.version) };
        entered.push((Repository::<Budget>::write(account.id, precondition, &events)?, events));
    }
    Ok(Ok(entered))
}

/// Updates the accounts with the written events.
fn take_in(accounts: &[Arc<Account>], entered: &Entered, written: &[Written]) {
    for (account, (write, events)) in accounts.iter().zip(entered) {
        if let Some(written) = written.iter().find(|written| written.stream == write.stream) {
            account.add(events, written.version);
        }
    }
}
