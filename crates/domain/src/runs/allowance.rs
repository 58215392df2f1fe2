//! The limits on model usage of a run and its descendants.

use std::ops::AddAssign;

use serde::{Deserialize, Serialize};

use super::{
    run::Run,
    values::{Failure, Order},
};
use crate::{conversation::TokenCount, definition::Definition, kernel::ids::BudgetId};

/// Usage of language models.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Spent {
    /// Tokens, by class.
    pub usage: TokenCount,
    /// Cost in millionths of the price currency's unit; calls without a known price are not included.
    pub cost_micros: u64,
}

impl Spent {
    /// Whether nothing was used.
    #[must_use]
    pub fn nothing(&self) -> bool {
        *self == Self::default()
    }
}

impl AddAssign for Spent {
    fn add_assign(&mut self, more: Self) {
        self.usage += more.usage;
        self.cost_micros = self.cost_micros.saturating_add(more.cost_micros);
    }
}

/// Limits on model usage; `None` means no limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Allowance {
    /// Maximum number of tokens.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_tokens: Option<u64>,
    /// Maximum cost in millionths of the price currency's unit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_cost_micros: Option<u64>,
}

impl Allowance {
    /// The limits that a definition sets for each of its runs.
    #[must_use]
    pub fn of(definition: &Definition) -> Self {
        match definition {
            Definition::Workflow(_) => Self::default(),
            Definition::Assistant(assistant) => {
                let limits = &assistant.limits;
                Self { max_tokens: limits.max_tokens, max_cost_micros: limits.max_cost_micros }
            }
        }
    }

    /// Whether there is no limit.
    #[must_use]
    pub fn unlimited(&self) -> bool {
        *self == Self::default()
    }

    fn within(self, other: Self) -> Self {
        let least = |one: Option<u64>, two: Option<u64>| one.into_iter().chain(two).min();
        Self {
            max_tokens: least(self.max_tokens, other.max_tokens),
            max_cost_micros: least(self.max_cost_micros, other.max_cost_micros),
        }
    }

    fn less(self, spent: &Spent) -> Self {
        Self {
            max_tokens: self.max_tokens.map(|most| most.saturating_sub(spent.usage.total())),
            max_cost_micros: self.max_cost_micros.map(|most| most.saturating_sub(spent.cost_micros)),
        }
    }
}

impl Run {
    /// What the model calls of the run and its descendants used, as far as they reported it.
    #[must_use]
    pub fn spent(&self) -> Spent {
        let mut spent = Spent { usage: self.usage, cost_micros: self.cost_micros };
        spent += self.below;
        spent
    }

    /// What a child run may still use: what is left of the limits of its own definition and of its ancestors.
    #[must_use]
    pub fn left(&self, definition: &Definition) -> Allowance {
        self.allowed(Allowance::of(definition)).less(&self.spent())
    }

    /// The limit that prevents further model calls, here or in a child run, if one is reached.
    #[must_use]
    pub fn exhausted(&self, definition: &Definition) -> Option<Failure> {
        self.reached(Allowance::of(definition))
    }

    pub(super) fn reached(&self, own: Allowance) -> Option<Failure> {
        let (allowed, spent) = (self.allowed(own), self.spent());
        let used = spent.usage.total();
        let who = if self.below.nothing() { "the run" } else { "the run, with those below it," };
        if let Some(most) = allowed.max_tokens.filter(|most| used >= *most) {
            let message = format!("{who} used {used} tokens of its limit of {most}");
            return Some(Failure::new("run.token_limit", message));
        }
        let (most, cost) = (allowed.max_cost_micros.filter(|most| spent.cost_micros >= *most)?, spent.cost_micros);
        Some(Failure::new("run.cost_limit", format!("{who} cost {cost} millionths of its limit of {most}")))
    }

    fn allowed(&self, own: Allowance) -> Allowance {
        own.within(self.order().map(|order| order.allowance).unwrap_or_default())
    }
}

impl Order {
    /// The budgets that its model calls count towards: those of its project, its agent and the agents of its ancestors.
    pub fn budgets(&self) -> impl Iterator<Item = BudgetId> + '_ {
        let agents = std::iter::once(&self.agent).chain(&self.callers).map(|agent| uuid::Uuid::from(*agent));
        std::iter::once(uuid::Uuid::from(self.project)).chain(agents).map(BudgetId::from)
    }
}
