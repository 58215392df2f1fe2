use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use devskyy_domain::{
    budgets::{Amount, Budget, BudgetError, BudgetEvent, Reservation, Settlement},
    kernel::ids::{BudgetId, OperationId, RunId},
};

use crate::es::Appended;

/// A step of a model call, as it concerns budgets.
#[derive(Debug, Clone, PartialEq)]
pub enum Entry {
    /// A request is about to be sent.
    Reserve(OperationId),
    /// An answer was received.
    Settle(Settlement),
    /// There will be no answer.
    Release(OperationId),
}

/// The effect of an append on the budgets of a run.
#[derive(Debug, Clone)]
pub struct Posting {
    /// The run of these model calls.
    pub run: RunId,
    /// The budgets concerned; those without limits cost nothing.
    pub budgets: Vec<BudgetId>,
    /// The steps of the calls.
    pub entries: Vec<Entry>,
    /// Upper bounds of the calls' usage, as far as known.
    pub estimates: BTreeMap<OperationId, Amount>,
}

/// The result of an append through the ledger.
#[derive(Debug)]
pub enum Posted {
    /// Recorded, together with its effect on every budget.
    Appended(Appended),
    /// Nothing was recorded: there is a limit, and the upper bound of a call's usage is unknown.
    Unestimated,
    /// Nothing was recorded: a call exceeds a budget.
    Exhausted {
        /// The call.
        operation: OperationId,
        /// The budget and the reason.
        error: BudgetError,
    },
}

/// The effect of a posting on one budget.
pub(super) enum Meaning {
    /// Events to record; if `firm`, they are valid whatever else is recorded for the budget.
    Facts { events: Vec<BudgetEvent>, firm: bool },
    /// See [`Posted::Unestimated`].
    Unestimated,
    /// See [`Posted::Exhausted`].
    Exhausted(OperationId, BudgetError),
}

impl Posting {
    /// The effect on a budget in its present state.
    pub(super) fn meaning(&self, budget: &Budget, at: DateTime<Utc>) -> Meaning {
        let (mut state, mut events, mut firm) = (budget.clone(), Vec::new(), budget.limits());
        for entry in &self.entries {
            let decided = match entry {
                Entry::Reserve(_) if !state.limits() => Ok(Vec::new()),
                Entry::Reserve(operation) => {
                    let (operation, run) = (*operation, self.run);
                    let Some(amount) = self.estimates.get(&operation).copied() else { return Meaning::Unestimated };
                    firm = false;
                    let reserved = state.reserve(Reservation { operation, run, amount }, at);
                    reserved.map_err(|error| (operation, error))
                }
                Entry::Settle(settlement) => {
                    state.settle(settlement, at).map_err(|error| (settlement.operation, error))
                }
                Entry::Release(operation) => state.release(*operation).map_err(|error| (*operation, error)),
            };
            match decided {
                Ok(decided) => {
                    decided.iter().for_each(|event| devskyy_domain::kernel::Aggregate::apply(&mut state, event));
                    events.extend(decided);
                }
                Err((operation, error)) => return Meaning::Exhausted(operation, error),
            }
        }
        Meaning::Facts { events, firm }
    }
}
