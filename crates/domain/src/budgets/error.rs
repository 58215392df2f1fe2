use chrono::{DateTime, SecondsFormat, Utc};

use super::values::{Amount, BudgetOwner, Terms};
use crate::kernel::{Refusal, RefusalKind};

/// The details of a model call that does not fit a budget.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shortfall {
    /// The owner of the budget.
    pub owner: BudgetOwner,
    /// The limits.
    pub terms: Terms,
    /// The usage.
    pub used: Amount,
    /// Reservations of calls in progress.
    pub reserved: Amount,
    /// The maximum usage of the call.
    pub needed: Amount,
    /// When the usage is reset; `None` if the budget is for all time.
    pub resets_at: Option<DateTime<Utc>>,
}

impl std::fmt::Display for Shortfall {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { owner, terms, used, reserved, needed, resets_at } = self;
        match owner {
            BudgetOwner::Project { project } => write!(f, "the budget of project {project} is exhausted")?,
            BudgetOwner::Agent { agent, .. } => write!(f, "the budget of agent {agent} is exhausted")?,
        }
        let parts = [
            ("tokens", terms.max_tokens, used.tokens, reserved.tokens, needed.tokens),
            ("millionths", terms.max_cost_micros, used.cost_micros, reserved.cost_micros, needed.cost_micros),
        ];
        for (unit, most, used, reserved, needed) in parts {
            if let Some(most) = most {
                write!(f, "; {unit}: {used} of {most} are used, {reserved} reserved, the call needs up to {needed}")?;
            }
        }
        match resets_at {
            Some(at) => write!(f, "; it resets at {}", at.to_rfc3339_opts(SecondsFormat::Secs, true)),
            None => write!(f, "; it does not reset"),
        }
    }
}

/// Why a request about a budget is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BudgetError {
    /// A budget without a limit.
    #[error("a budget limits tokens, cost or both")]
    Unlimited,
    /// The number of tokens is out of range.
    #[error("max_tokens must be from 1 to 1,000,000,000,000,000")]
    TokensRange,
    /// The cost is out of range.
    #[error("max_cost_micros must be from 1 to 1,000,000,000,000,000")]
    CostRange,
    /// A model call does not fit the budget.
    #[error("{0}")]
    Exhausted(Box<Shortfall>),
}

impl Refusal for BudgetError {
    fn code(&self) -> &'static str {
        match self {
            Self::Unlimited => "budget.unlimited",
            Self::TokensRange => "budget.tokens_range",
            Self::CostRange => "budget.cost_range",
            Self::Exhausted(_) => "budget.exhausted",
        }
    }

    fn kind(&self) -> RefusalKind {
        match self {
            Self::Unlimited | Self::TokensRange | Self::CostRange => RefusalKind::Invalid,
            Self::Exhausted(_) => RefusalKind::Conflict,
        }
    }

    fn pointer(&self) -> Option<String> {
        match self {
            Self::TokensRange => Some("/max_tokens".to_owned()),
            Self::CostRange => Some("/max_cost_micros".to_owned()),
            Self::Unlimited | Self::Exhausted(_) => None,
        }
    }
}
