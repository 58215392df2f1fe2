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

/// Whose budget is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BudgetOf {
    /// A project's.
    Project(ProjectId),
    /// An agent's.
    Agent(AgentId),
}

/// A budget as people look at it.
#[derive(Debug, Clone, PartialEq)]
pub struct BudgetView {
    /// What may be used, and what is.
    pub standing: Standing,
    /// How often what may be used was changed; its `ETag`, which calls do not change.
    pub revision: u64,
}

/// Where budgets are looked up and changed.
#[derive(Clone)]
pub(super) struct Offices {
    pub(super) ledger: Arc<Ledger>,
    pub(super) agents: Arc<dyn RunnableAgents>,
    pub(super) access: Access,
    pub(super) clock: Arc<dyn Clock>,
}

impl Offices {
    /// Whose budget it is, for those who may do this to it.
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
