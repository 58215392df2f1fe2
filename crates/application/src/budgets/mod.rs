//! Budgets: what projects and agents may use of language models, and the ledger that every model call goes through.

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

/// What budgets need from outside.
#[derive(Clone)]
pub struct BudgetsPorts {
    /// The ledger that model calls go through.
    pub ledger: Arc<Ledger>,
    /// Knows which project an agent belongs to.
    pub agents: Arc<dyn RunnableAgents>,
    /// Who may do what.
    pub access: Access,
    /// The time.
    pub clock: Arc<dyn Clock>,
}

/// Everything budgets can be asked.
pub struct Budgets {
    /// Sets one.
    pub set: SetBudgetHandler,
    /// Shows one.
    pub get: GetBudgetHandler,
    /// Removes one.
    pub remove: RemoveBudgetHandler,
}

impl Budgets {
    /// Budgets over their ports.
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
