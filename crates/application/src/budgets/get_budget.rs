use super::offices::{BudgetOf, BudgetView, Offices};
use crate::{access::Permission, context::Actor, error::Error};

/// A query for a budget.
#[derive(Debug)]
pub struct GetBudget {
    /// Its owner.
    pub of: BudgetOf,
}

/// Returns budgets.
pub struct GetBudgetHandler(pub(super) Offices);

impl GetBudgetHandler {
    /// The limits, the usage, and the reservations of calls in progress.
    ///
    /// # Errors
    /// [`Error::NotFound`] if there is no budget, an access error, or a failing port.
    #[tracing::instrument(name = "budgets.get", skip_all, fields(of = ?query.of), err(Debug, level = "debug"))]
    pub async fn handle(&self, actor: &Actor, query: GetBudget) -> Result<BudgetView, Error> {
        let owner = self.0.owner(actor, query.of, Permission::BudgetsRead).await?;
        self.0.show(&self.0.ledger.look(owner.budget()).await?)
    }
}
