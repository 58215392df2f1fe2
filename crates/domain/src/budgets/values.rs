use std::ops::RangeInclusive;

use chrono::{DateTime, Datelike, NaiveDate, NaiveTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::error::BudgetError;
use crate::{
    conversation::TokenCount,
    kernel::ids::{AgentId, BudgetId, OperationId, ProjectId, RunId},
};

/// Whose budget it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "of", rename_all = "snake_case")]
pub enum BudgetOwner {
    /// All runs of a project together.
    Project {
        /// Which one.
        project: ProjectId,
    },
    /// All runs of an agent together.
    Agent {
        /// Which one.
        agent: AgentId,
        /// The project it belongs to.
        project: ProjectId,
    },
}

impl BudgetOwner {
    /// Its budget.
    #[must_use]
    pub fn budget(self) -> BudgetId {
        match self {
            Self::Project { project } => Uuid::from(project).into(),
            Self::Agent { agent, .. } => Uuid::from(agent).into(),
        }
    }

    /// The project it belongs to.
    #[must_use]
    pub const fn project(self) -> ProjectId {
        match self {
            Self::Project { project } | Self::Agent { project, .. } => project,
        }
    }
}

/// The time a budget is for. What was used is forgotten when the next one begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Period {
    /// All time.
    Total,
    /// A day in UTC.
    Day,
    /// A calendar month in UTC.
    Month,
}

impl Period {
    /// When the one that an instant lies in begins.
    #[must_use]
    pub fn begins(self, at: DateTime<Utc>) -> DateTime<Utc> {
        match self {
            Self::Total => DateTime::UNIX_EPOCH,
            Self::Day => midnight(at.date_naive()),
            Self::Month => midnight(at.date_naive().with_day(1).unwrap_or(at.date_naive())),
        }
    }

    /// When the one that an instant lies in ends; never, for all time.
    #[must_use]
    pub fn ends(self, at: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let day = self.begins(at).date_naive();
        match self {
            Self::Total => None,
            Self::Day => day.succ_opt().map(midnight),
            Self::Month => day.checked_add_months(chrono::Months::new(1)).map(midnight),
        }
    }
}

fn midnight(day: NaiveDate) -> DateTime<Utc> {
    day.and_time(NaiveTime::MIN).and_utc()
}

/// What may be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Terms {
    /// Tokens of all classes together.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_tokens: Option<u64>,
    /// Money, in millionths of the unit of the prices.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_cost_micros: Option<u64>,
    /// For how long.
    pub period: Period,
}

impl Terms {
    /// What a limit may be, of tokens and of millionths alike.
    pub const LIMIT: RangeInclusive<u64> = 1..=1_000_000_000_000_000;

    /// Checks raw terms.
    ///
    /// # Errors
    /// [`BudgetError::Unlimited`] where nothing is limited, [`BudgetError::TokensRange`] or [`BudgetError::CostRange`].
    pub fn parse(max_tokens: Option<u64>, max_cost_micros: Option<u64>, period: Period) -> Result<Self, BudgetError> {
        let outside = |limit: Option<u64>| limit.is_some_and(|limit| !Self::LIMIT.contains(&limit));
        match (max_tokens, max_cost_micros) {
            (None, None) => Err(BudgetError::Unlimited),
            _ if outside(max_tokens) => Err(BudgetError::TokensRange),
            _ if outside(max_cost_micros) => Err(BudgetError::CostRange),
            _ => Ok(Self { max_tokens, max_cost_micros, period }),
        }
    }

    /// Whether so much may be used.
    #[must_use]
    pub fn allow(&self, amount: Amount) -> bool {
        let within = |most: Option<u64>, used: u64| most.is_none_or(|most| used <= most);
        within(self.max_tokens, amount.tokens) && within(self.max_cost_micros, amount.cost_micros)
    }
}

/// So much of what budgets limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Amount {
    /// Tokens of all classes together.
    pub tokens: u64,
    /// Money, in millionths of the unit of the prices.
    pub cost_micros: u64,
}

impl Amount {
    /// Both together.
    #[must_use]
    pub const fn plus(self, other: Self) -> Self {
        Self {
            tokens: self.tokens.saturating_add(other.tokens),
            cost_micros: self.cost_micros.saturating_add(other.cost_micros),
        }
    }
}

/// What one model call may use at most, kept from everybody else until it has answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reservation {
    /// The model call.
    pub operation: OperationId,
    /// The run that asks.
    pub run: RunId,
    /// How much.
    pub amount: Amount,
}

/// What a model call used.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Settlement {
    /// The model call.
    pub operation: OperationId,
    /// The run that asked.
    pub run: RunId,
    /// Which model answered: `<provider>/<model>`.
    pub model: String,
    /// Tokens by class.
    pub usage: TokenCount,
    /// What they cost; nothing where no price is known.
    pub cost_micros: u64,
    /// The version of the price list by which they cost that, where a price is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub price_list: Option<String>,
}
