use std::sync::Arc;

use devskyy_domain::{
    budgets::{Budget, BudgetOwner, Standing},
    kernel::ids::{AgentId, ProjectId},
};

use super::ledger::Ledger;
use crate::{
    access::{Access, Permission},
    context::Actor,
    error::Error,
    ports::Clock,
    runs::RunnableAgents,
};

/// The owner of a budget.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BudgetOf {
    /// A project's.
    Project(ProjectId),
    /// An agent's.
    Agent(AgentId),
}

/// A budget as it is shown.
#[derive(Debug, Clone, PartialEq)]
pub struct BudgetView {
    /// The limits and the usage.
    pub standing: Standing,
    /// How often the limits were changed; its `ETag`, which calls do not change.
    pub revision: u64,
}

/// Looks up and changes budgets.
#[derive(Clone)]
pub(super) struct Offices {
    pub(super) ledger: Arc<Ledger>,
    pub(super) agents: Arc<dyn RunnableAgents>,
    pub(super) access: Access,
    pub(super) clock: Arc<dyn Clock>,
}

impl Offices {
    /// The owner of the budget, if the actor has the permission.
    pub(super) async fn owner(
        &self,
        actor: &Actor,
        of: BudgetOf,
        permission: Permission,
    ) -> Result<BudgetOwner, Error> {
        match of {
            BudgetOf::Project(project) => {
                self.access.require(actor, project, permission).await?;
                Ok(BudgetOwner::Project { project })
            }
            BudgetOf::Agent(agent) => {
                let absent = || format!("agent {agent}");
                let found = self.agents.find(agent).await?.ok_or_else(|| Error::NotFound(absent()))?;
                self.access.require_on(actor, found.project, permission, absent).await?;
                Ok(BudgetOwner::Agent { agent, project: found.project })
            }
        }
    }

    pub(super) fn show(&self, budget: &Budget) -> Result<BudgetView, Error> {
        let standing = budget.standing(self.clock.now()).ok_or_else(|| Error::NotFound("a budget".to_owned()))?;
        Ok(BudgetView { standing, revision: budget.revision() })
    }
}
