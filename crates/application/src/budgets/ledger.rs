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

/// How often an append is tried that other processes' calls come before.
const ATTEMPTS: u32 = 100;

/// Where every model call reserves and settles what it uses, in the same append that tells it of its run.
///
/// Exactness comes from the versions of the budgets' streams, whoever adds to them. Where a budget limits, the calls of one
/// process also take turns at it, so that they do not get into each other's way. Budgets are taken to limit nothing until the
/// log says otherwise, so that where none is set nothing is read, and nobody waits for anybody.
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

    /// Records an append together with what it means for budgets: all of it, or nothing.
    ///
    /// # Errors
    /// As [`EventStore::append`]; a conflict is never about a budget.
    pub async fn post(&self, request: AppendRequest, posting: &Posting) -> Result<Posted, AppendError> {
        let accounts = self.accounts().all(&posting.budgets);
        let (mut turns, mut overtaken) = (Turns::new(), None);
        // A refusal counts only on top of everything others have recorded: they may have made room.
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
        Ok(self.refreshed(&self.accounts().of(id)).await?.state)
    }

    /// Records a decision about a budget; `expected` is how often its terms were changed, if the caller cares.
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

    /// What is known of the log as it is now.
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

    /// Finds out what came before an entry, unless somebody whose turn was before has found out: of many who are overtaken at once, as
    /// all are when a budget is set, one reads.
    async fn follow(&self, accounts: &[Arc<Account>], overtaken: &StreamWrite) -> Result<(), PortError> {
        let Some(account) = accounts.iter().find(|account| account.is(overtaken)) else { return Ok(()) };
        let known = account.known().version;
        if matches!(overtaken.precondition, Precondition::Version(seen) if seen < known) {
            return Ok(());
        }
        self.refreshed(account).await.map(|_| ())
    }

    /// How a budget stands by everything that is recorded.
    async fn refreshed(&self, account: &Account) -> Result<Loaded<Budget>, PortError> {
        let mut present = account.known().clone();
        self.budgets.refresh(account.id, &mut present).await?;
        account.learn(&present);
        Ok(present)
    }

    /// Lets another process have its turn, longer each time.
    async fn give_way(&self, attempt: u32) {
        if attempt > 2 {
            self.clock.sleep(Duration::from_millis(attempt.min(20).into())).await;
        }
    }
}

type Turns = BTreeMap<BudgetId, Permit>;

/// Waits for its turn at each budget that limits, or at which somebody came before; all ask in the same order, so that nobody waits
/// in a circle.
///
/// To one that limits nothing, nothing is added but by whoever sets it, which the version tells.
async fn turns_at(accounts: &[Arc<Account>], mut turns: Turns, overtaken: Option<&StreamWrite>) -> Turns {
    let concerned = |account: &&Arc<Account>| account.limits() || overtaken.is_some_and(|write| account.is(write));
    loop {
        let wanted: Vec<_> = accounts.iter().filter(concerned).collect();
        if wanted.iter().all(|account| turns.contains_key(&account.id)) {
            return turns;
        }
        // One that comes first may be among those that are new.
        turns.clear();
        for account in wanted {
            turns.insert(account.id, account.turn().await);
        }
    }
}

type Entered = Vec<(StreamWrite, Vec<BudgetEvent>)>;

/// What is to be written to each budget, or why nothing can be.
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

/// Remembers what was written.
fn take_in(accounts: &[Arc<Account>], entered: &Entered, written: &[Written]) {
    for (account, (write, events)) in accounts.iter().zip(entered) {
        if let Some(written) = written.iter().find(|written| written.stream == write.stream) {
            account.add(events, written.version);
        }
    }
}
