use super::offices::{BudgetOf, BudgetView, Offices};
use crate::{access::Permission, context::Actor, error::Error};

/// Asks for a budget.
#[derive(Debug)]
pub struct GetBudget {
    /// Whose.
    pub of: BudgetOf,
}

/// Shows budgets.
pub struct GetBudgetHandler(pub(super) Offices);

impl GetBudgetHandler {
    /// What may be used, and what of it is used and kept for calls under way.
    ///
    /// # Errors
    /// [`Error::NotFound`] where nothing is limited, what access demands, or a failing port.
    #[tracing::instrument(name = "budgets.get", skip_all, fields(of = ?query.of), err(Debug, level = "debug"))]
    pub async fn handle(&self, actor: &Actor, query: GetBudget) -> Result<BudgetView, Error> {
        let owner = self.0.owner(actor, query.of, Permission::BudgetsRead).await?;
        self.0.show(&self.0.ledger.look(owner.budget()).await?)
    }
}
