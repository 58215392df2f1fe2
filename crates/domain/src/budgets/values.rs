use std::ops::RangeInclusive;

use chrono::{DateTime, Datelike, NaiveDate, NaiveTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::error::BudgetError;
use crate::{
    conversation::TokenCount,
    kernel::ids::{AgentId, BudgetId, OperationId, ProjectId, RunId},
};

/// The owner of a budget.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "of", rename_all = "snake_case")]
pub enum BudgetOwner {
    /// All runs of a project together.
    Project {
        /// The project.
        project: ProjectId,
    },
    /// All runs of an agent together.
    Agent {
        /// The agent.
        agent: AgentId,
        /// The project it belongs to.
        project: ProjectId,
    },
}

impl BudgetOwner {
    /// The id of its budget.
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

/// The period of a budget; usage is reset when the next one begins.
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
    /// Start of the period that contains an instant.
    #[must_use]
    pub fn begins(self, at: DateTime<Utc>) -> DateTime<Utc> {
        match self {
            Self::Total => DateTime::UNIX_EPOCH,
            Self::Day => midnight(at.date_naive()),
            Self::Month => midnight(at.date_naive().with_day(1).unwrap_or(at.date_naive())),
        }
    }

    /// End of the period that contains an instant; `None` for all time.
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

/// The limits of a budget.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Terms {
    /// Tokens of all classes together.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_tokens: Option<u64>,
    /// Cost in millionths of the price currency's unit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_cost_micros: Option<u64>,
    /// The period.
    pub period: Period,
}

impl Terms {
    /// Range of a limit, for tokens and cost alike.
    pub const LIMIT: RangeInclusive<u64> = 1..=1_000_000_000_000_000;

    /// Validates raw limits.
    ///
    /// # Errors
    /// [`BudgetError::Unlimited`] without any limit, [`BudgetError::TokensRange`] or [`BudgetError::CostRange`].
    pub fn parse(max_tokens: Option<u64>, max_cost_micros: Option<u64>, period: Period) -> Result<Self, BudgetError> {
        let outside = |limit: Option<u64>| limit.is_some_and(|limit| !Self::LIMIT.contains(&limit));
        match (max_tokens, max_cost_micros) {
            (None, None) => Err(BudgetError::Unlimited),
            _ if outside(max_tokens) => Err(BudgetError::TokensRange),
            _ if outside(max_cost_micros) => Err(BudgetError::CostRange),
            _ => Ok(Self { max_tokens, max_cost_micros, period }),
        }
    }

    /// Whether an amount is within the limits.
    #[must_use]
    pub fn allow(&self, amount: Amount) -> bool {
        let within = |most: Option<u64>, used: u64| most.is_none_or(|most| used <= most);
        within(self.max_tokens, amount.tokens) && within(self.max_cost_micros, amount.cost_micros)
    }
}

/// An amount of tokens and cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Amount {
    /// Tokens of all classes together.
    pub tokens: u64,
    /// Cost in millionths of the price currency's unit.
    pub cost_micros: u64,
}

impl Amount {
    /// The sum of both.
    #[must_use]
    pub const fn plus(self, other: Self) -> Self {
        Self {
            tokens: self.tokens.saturating_add(other.tokens),
            cost_micros: self.cost_micros.saturating_add(other.cost_micros),
        }
    }
}

/// The maximum usage of one model call, reserved until it is answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reservation {
    /// The model call.
    pub operation: OperationId,
    /// The run that makes the call.
    pub run: RunId,
    /// The amount.
    pub amount: Amount,
}

/// The usage of a model call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Settlement {
    /// The model call.
    pub operation: OperationId,
    /// The run that made the call.
    pub run: RunId,
    /// The model that answered: `<provider>/<model>`.
    pub model: String,
    /// Tokens by class.
    pub usage: TokenCount,
    /// Their cost; 0 if no price is known.
    pub cost_micros: u64,
    /// The version of the price list that was applied, if a price is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub price_list: Option<String>,
}
