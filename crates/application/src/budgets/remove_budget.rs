use devskyy_domain::kernel::Version;

use super::offices::{BudgetOf, Offices};
use crate::{access::Permission, context::Actor, error::Error};

/// Lets a project or an agent use as much as it likes.
#[derive(Debug)]
pub struct RemoveBudget {
    /// Whose budget it is.
    pub of: BudgetOf,
    /// The revision the caller last saw, if it cares.
    pub expected: Option<Version>,
}

/// Removes budgets.
pub struct RemoveBudgetHandler(pub(super) Offices);

impl RemoveBudgetHandler {
    /// Limits nothing any more, and forgets what was used; the runs keep what they cost. Without a budget it is so already.
    ///
    /// # Errors
    /// [`Error::StaleVersion`], what access demands, or a failing port.
    #[tracing::instrument(name = "budgets.remove", skip_all, fields(of = ?command.of), err(Debug, level = "debug"))]
    pub async fn handle(&self, actor: &Actor, command: RemoveBudget) -> Result<(), Error> {
        let owner = self.0.owner(actor, command.of, Permission::BudgetsWrite).await?;
        let (context, now) = (actor.event_context(Some(owner.project())), self.0.clock.now());
        let removed = self.0.ledger.change(context, owner.budget(), command.expected, |budget| budget.remove(now));
        removed.await.map(|_| ())
    }
}
