//! Budgets of projects and agents for language models, and the ledger of all model calls.

mod account;
mod get_budget;
mod ledger;
mod offices;
mod posting;
mod remove_budget;
mod set_budget;

use std::sync::Arc;

use self::offices::Offices;
pub use self::{
    get_budget::{GetBudget, GetBudgetHandler},
    ledger::Ledger,
    offices::{BudgetOf, BudgetView},
    posting::{Entry, Posted, Posting},
    remove_budget::{RemoveBudget, RemoveBudgetHandler},
    set_budget::{SetBudget, SetBudgetHandler},
};
use crate::{access::Access, ports::Clock, runs::RunnableAgents};

/// The ports of budgets.
#[derive(Clone)]
pub struct BudgetsPorts {
    /// The ledger that model calls go through.
    pub ledger: Arc<Ledger>,
    /// Looks up the project of an agent.
    pub agents: Arc<dyn RunnableAgents>,
    /// Access rules.
    pub access: Access,
    /// The clock.
    pub clock: Arc<dyn Clock>,
}

/// The use cases of budgets.
pub struct Budgets {
    /// Sets a budget.
    pub set: SetBudgetHandler,
    /// Returns a budget.
    pub get: GetBudgetHandler,
    /// Removes a budget.
    pub remove: RemoveBudgetHandler,
}

impl Budgets {
    /// Creates the use cases from their ports.
    #[must_use]
    pub fn new(ports: BudgetsPorts) -> Self {
        let BudgetsPorts { ledger, agents, access, clock } = ports;
        let offices = Offices { ledger, agents, access, clock };
        Self {
            set: SetBudgetHandler(offices.clone()),
            get: GetBudgetHandler(offices.clone()),
            remove: RemoveBudgetHandler(offices),
        }
    }
}
