use devskyy_domain::{budgets::Terms, kernel::Version};

use super::offices::{BudgetOf, BudgetView, Offices};
use crate::{access::Permission, context::Actor, error::Error};

/// A request to set the budget of a project or agent.
#[derive(Debug)]
pub struct SetBudget {
    /// The owner of the budget.
    pub of: BudgetOf,
    /// The limits.
    pub terms: Terms,
    /// The revision the caller expects, if any.
    pub expected: Option<Version>,
}

/// Sets budgets.
pub struct SetBudgetHandler(pub(super) Offices);

impl SetBudgetHandler {
    /// Limits usage from now on. Calls in progress continue and are counted.
    ///
    /// # Errors
    /// [`Error::StaleVersion`], an access error, or a failing port.
    #[tracing::instrument(name = "budgets.set", skip_all, fields(of = ?command.of), err(Debug, level = "debug"))]
    pub async fn handle(&self, actor: &Actor, command: SetBudget) -> Result<BudgetView, Error> {
        let SetBudget { of, terms, expected } = command;
        let owner = self.0.owner(actor, of, Permission::BudgetsWrite).await?;
        let (context, now) = (actor.event_context(Some(owner.project())), self.0.clock.now());
        let set = self.0.ledger.change(context, owner.budget(), expected, |budget| budget.set(owner, terms, now));
        self.0.show(&set.await?)
    }

    /// The revision of the limits, for actors who may change them.
    ///
    /// # Errors
    /// An access error, or a failing port.
    pub async fn revision(&self, actor: &Actor, of: BudgetOf) -> Result<Version, Error> {
        let owner = self.0.owner(actor, of, Permission::BudgetsWrite).await?;
        Ok(self.0.ledger.look(owner.budget()).await?.revision())
    }
}
