use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use devskyy_domain::{
    budgets::{Amount, Budget, BudgetError, BudgetEvent, Reservation, Settlement},
    kernel::ids::{BudgetId, OperationId, RunId},
};

use crate::es::Appended;

/// What becomes of a model call, as far as budgets go.
#[derive(Debug, Clone, PartialEq)]
pub enum Entry {
    /// A model is about to be asked.
    Reserve(OperationId),
    /// A model answered.
    Settle(Settlement),
    /// A model will not answer any more.
    Release(OperationId),
}

/// What an append means for the budgets of a run.
#[derive(Debug, Clone)]
pub struct Posting {
    /// The run whose model calls these are.
    pub run: RunId,
    /// The budgets they count in; those that limit nothing cost nothing.
    pub budgets: Vec<BudgetId>,
    /// What becomes of which call.
    pub entries: Vec<Entry>,
    /// What calls may use at most, as far as that is known.
    pub estimates: BTreeMap<OperationId, Amount>,
}

/// What came of an append that goes through the ledger.
#[derive(Debug)]
pub enum Posted {
    /// It is recorded, and so is what it means for every budget.
    Appended(Appended),
    /// Nothing is recorded: something is limited, and what a call may use at most is not known.
    Unestimated,
    /// Nothing is recorded: a call does not fit a budget.
    Exhausted {
        /// Which call.
        operation: OperationId,
        /// Which budget, and why.
        error: BudgetError,
    },
}

/// What a posting means for one budget.
pub(super) enum Meaning {
    /// These facts, which hold whatever else happens to the budget where `firm`.
    Facts { events: Vec<BudgetEvent>, firm: bool },
    /// See [`Posted::Unestimated`].
    Unestimated,
    /// See [`Posted::Exhausted`].
    Exhausted(OperationId, BudgetError),
}

impl Posting {
    /// What it means for a budget as it stands.
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
