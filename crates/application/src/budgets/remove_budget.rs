use devskyy_domain::kernel::Version;

use super::offices::{BudgetOf, Offices};
use crate::{access::Permission, context::Actor, error::Error};

/// A request to remove the budget of a project or agent.
#[derive(Debug)]
pub struct RemoveBudget {
    /// The owner of the budget.
    pub of: BudgetOf,
    /// The revision the caller expects, if any.
    pub expected: Option<Version>,
}

/// Removes budgets.
pub struct RemoveBudgetHandler(pub(super) Offices);

impl RemoveBudgetHandler {
    /// Removes the limits and the recorded usage; runs keep their costs. Without a budget it has no effect.
    ///
    /// # Errors
    /// [`Error::StaleVersion`], an access error, or a failing port.
    #[tracing::instrument(name = "budgets.remove", skip_all, fields(of = ?command.of), err(Debug, level = "debug"))]
    pub async fn handle(&self, actor: &Actor, command: RemoveBudget) -> Result<(), Error> {
        let owner = self.0.owner(actor, command.of, Permission::BudgetsWrite).await?;
        let (context, now) = (actor.event_context(Some(owner.project())), self.0.clock.now());
        let removed = self.0.ledger.change(context, owner.budget(), command.expected, |budget| budget.remove(now));
        removed.await.map(|_| ())
    }
}
