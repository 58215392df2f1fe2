use devskyy_domain::{budgets::Terms, kernel::Version};

use super::offices::{BudgetOf, BudgetView, Offices};
use crate::{access::Permission, context::Actor, error::Error};

/// Says what a project or an agent may use.
#[derive(Debug)]
pub struct SetBudget {
    /// Whose budget it is.
    pub of: BudgetOf,
    /// How much.
    pub terms: Terms,
    /// The revision the caller last saw, if it cares.
    pub expected: Option<Version>,
}

/// Sets budgets.
pub struct SetBudgetHandler(pub(super) Offices);

impl SetBudgetHandler {
    /// Limits what is used from now on; calls under way go on, and count.
    ///
    /// # Errors
    /// [`Error::StaleVersion`], what access demands, or a failing port.
    #[tracing::instrument(name = "budgets.set", skip_all, fields(of = ?command.of), err(Debug, level = "debug"))]
    pub async fn handle(&self, actor: &Actor, command: SetBudget) -> Result<BudgetView, Error> {
        let SetBudget { of, terms, expected } = command;
        let owner = self.0.owner(actor, of, Permission::BudgetsWrite).await?;
        let (context, now) = (actor.event_context(Some(owner.project())), self.0.clock.now());
        let set = self.0.ledger.change(context, owner.budget(), expected, |budget| budget.set(owner, terms, now));
        self.0.show(&set.await?)
    }

    /// How often the terms were changed, for whoever may change them.
    ///
    /// # Errors
    /// What access demands, or a failing port.
    pub async fn revision(&self, actor: &Actor, of: BudgetOf) -> Result<Version, Error> {
        let owner = self.0.owner(actor, of, Permission::BudgetsWrite).await?;
        Ok(self.0.ledger.look(owner.budget()).await?.revision())
    }
}
