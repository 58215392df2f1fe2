//! Model usage of a project, aggregated by day, model and agent; every adapter uses the same aggregation.

use chrono::{DateTime, Days, NaiveDate, Utc};
use devskyy_domain::{
    kernel::{
        Refusal, RefusalKind,
        ids::{AgentId, ProjectId},
    },
    runs::Bill,
};
use uuid::Uuid;

use super::views::{RunSummary, TokenCount};
use crate::{
    es::{Position, RecordedEvent},
    paging::{Key, KeyValue, PageOf},
};

/// The aggregated usage of model answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ModelUse {
    /// Number of answers.
    pub calls: u64,
    /// Answers without a known price; their cost counts as zero.
    pub unpriced_calls: u64,
    /// Answers whose tokens the provider did not report; they count with an upper estimate.
    pub estimated_calls: u64,
    /// Tokens by class.
    pub tokens: TokenCount,
    /// Cost at the time of the answers, in millionths of the price currency's unit.
    pub cost_micros: u64,
}

impl ModelUse {
    /// The maximum of each number for one model, agent and day, whatever a provider reports: as much as a budget can
    /// allow.
    pub const MOST: u64 = 1_000_000_000_000_000;

    /// The usage of one answer.
    #[must_use]
    pub fn of(bill: &Bill) -> Self {
        let unpriced_calls = u64::from(bill.cost_micros.is_none());
        let cost_micros = bill.cost_micros.unwrap_or_default();
        let estimated_calls = u64::from(bill.estimated);
        Self { calls: 1, unpriced_calls, estimated_calls, tokens: bill.usage, cost_micros }.held()
    }

    /// The sum of both.
    #[must_use]
    pub fn plus(&self, other: &Self) -> Self {
        let mut tokens = self.tokens;
        tokens += other.tokens;
        Self {
            calls: self.calls.saturating_add(other.calls),
            unpriced_calls: self.unpriced_calls.saturating_add(other.unpriced_calls),
            estimated_calls: self.estimated_calls.saturating_add(other.estimated_calls),
            tokens,
            cost_micros: self.cost_micros.saturating_add(other.cost_micros),
        }
    }

    /// The same, with each number capped at [`ModelUse::MOST`].
    #[must_use]
    pub fn held(self) -> Self {
        let Self { calls, unpriced_calls, estimated_calls, tokens, cost_micros } = self;
        let held = |number: u64| number.min(Self::MOST);
        Self {
            calls: held(calls),
            unpriced_calls: held(unpriced_calls),
            estimated_calls: held(estimated_calls),
            tokens: TokenCount {
                input: held(tokens.input),
                output: held(tokens.output),
                cache_read: held(tokens.cache_read),
                cache_write: held(tokens.cache_write),
                reasoning: held(tokens.reasoning),
            },
            cost_micros: held(cost_micros),
        }
    }
}

/// The key under which an answer is aggregated.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UsageRow {
    /// The project of the run.
    pub project: ProjectId,
    /// The day in UTC on which the answer was recorded.
    pub day: NaiveDate,
    /// The model that answered, `<provider>/<model>`; at most [`UsageRow::MODEL_LENGTH`] characters.
    pub model: String,
    /// The agent of the run; a child run has its own.
    pub agent: AgentId,
}

impl UsageRow {
    /// Maximum length of a model's name: the provider's name, a slash, and the provider's name of the model.
    pub const MODEL_LENGTH: usize = 256;

    /// The key of an answer in a run.
    #[must_use]
    pub fn of(run: &RunSummary, bill: &Bill, recorded: &RecordedEvent) -> Self {
        Self {
            project: run.project_id,
            day: recorded.recorded_at.date_naive(),
            model: bill.answered_by.chars().take(Self::MODEL_LENGTH).collect(),
            agent: run.agent_id,
        }
    }
}

/// A range of days in UTC; the end is exclusive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UsageDays {
    from: NaiveDate,
    to: NaiveDate,
}

impl UsageDays {
    /// Number of days if no start is given.
    pub const USUAL: u64 = 30;
    /// Maximum number of days in one request.
    pub const MOST: u64 = 366;

    /// Parses a range; by default it ends with today and has 30 days.
    ///
    /// # Errors
    /// [`UsageError::Range`] if it is empty or has more than 366 days.
    pub fn parse(from: Option<NaiveDate>, to: Option<NaiveDate>, now: DateTime<Utc>) -> Result<Self, UsageError> {
        let to = to.or_else(|| now.date_naive().succ_opt()).ok_or(UsageError::Range)?;
        let from = from.or_else(|| to.checked_sub_days(Days::new(Self::USUAL))).ok_or(UsageError::Range)?;
        let days = u64::try_from((to - from).num_days()).unwrap_or_default();
        if (1..=Self::MOST).contains(&days) { Ok(Self { from, to }) } else { Err(UsageError::Range) }
    }

    /// The first day.
    #[must_use]
    pub const fn from(&self) -> NaiveDate {
        self.from
    }

    /// The day after the last one.
    #[must_use]
    pub const fn to(&self) -> NaiveDate {
        self.to
    }

    /// Whether the range contains a day.
    #[must_use]
    pub fn contain(&self, day: NaiveDate) -> bool {
        (self.from..self.to).contains(&day)
    }
}

/// Why a request for usage is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UsageError {
    /// The days are not a valid range.
    #[error("`from` must be before `to`, by at most {} days", UsageDays::MOST)]
    Range,
}

impl Refusal for UsageError {
    fn code(&self) -> &'static str {
        match self {
            Self::Range => "usage.range",
        }
    }

    fn kind(&self) -> RefusalKind {
        match self {
            Self::Range => RefusalKind::Invalid,
        }
    }
}

/// A dimension by which usage can be grouped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dimension {
    /// The day.
    Day,
    /// The model.
    Model,
    /// The agent.
    Agent,
}

impl Dimension {
    /// All of them, in the order used for grouping.
    pub const ALL: [Self; 3] = [Self::Day, Self::Model, Self::Agent];

    /// Its name in requests.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Day => "day",
            Self::Model => "model",
            Self::Agent => "agent",
        }
    }

    /// The dimension with that name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|dimension| dimension.as_str() == name)
    }
}

/// The dimensions to group by, at least one; the others are summed up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Grouping([bool; 3]);

impl Grouping {
    /// All dimensions.
    pub const ALL: Self = Self([true; 3]);

    /// Some dimensions; repetitions are allowed, but `None` is returned for an empty list.
    #[must_use]
    pub fn by(wanted: &[Dimension]) -> Option<Self> {
        let by = Dimension::ALL.map(|dimension| wanted.contains(&dimension));
        (!wanted.is_empty()).then_some(Self(by))
    }

    /// The selected dimensions, in the order used for grouping.
    pub fn dimensions(self) -> impl Iterator<Item = Dimension> {
        Dimension::ALL.into_iter().zip(self.0).filter_map(|(dimension, wanted)| wanted.then_some(dimension))
    }
}

/// The filter and grouping of usage.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UsageFilter {
    /// The project.
    pub project: ProjectId,
    /// The days.
    pub days: UsageDays,
    /// The agent, if only one is requested.
    pub agent: Option<AgentId>,
    /// The grouping.
    pub by: Grouping,
}

impl UsageFilter {
    /// Whether a row matches.
    #[must_use]
    pub fn wants(&self, row: &UsageRow) -> bool {
        self.project == row.project && self.days.contain(row.day) && self.agent.is_none_or(|agent| agent == row.agent)
    }
}

/// The usage of one group; dimensions that are summed up are `None`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UsageGroup {
    /// The day.
    pub day: Option<NaiveDate>,
    /// The model.
    pub model: Option<String>,
    /// The agent.
    pub agent: Option<AgentId>,
    /// The usage.
    pub used: ModelUse,
}

impl UsageGroup {
    /// The empty group that a row belongs to.
    #[must_use]
    pub fn around(row: &UsageRow, by: Grouping) -> Self {
        let mut group = Self { day: None, model: None, agent: None, used: ModelUse::default() };
        for by in by.dimensions() {
            match by {
                Dimension::Day => group.day = Some(row.day),
                Dimension::Model => group.model = Some(row.model.clone()),
                Dimension::Agent => group.agent = Some(row.agent),
            }
        }
        group
    }

    /// Its sort key: day, model and agent.
    #[must_use]
    pub fn place(&self) -> Key {
        let day = self.day.map(|day| day.to_string()).unwrap_or_default();
        let text = format!("{day}/{}", self.model.as_deref().unwrap_or_default());
        Key { value: KeyValue::Text(text), id: self.agent.map(Uuid::from).unwrap_or_default() }
    }

    /// Day, model and agent of a sort key.
    #[must_use]
    pub fn placed(place: &Key) -> (Option<NaiveDate>, &str, Uuid) {
        let text = match &place.value {
            KeyValue::Text(text) => text.as_str(),
            KeyValue::Number(_) => "",
        };
        let (day, model) = text.split_once('/').unwrap_or_default();
        (day.parse().ok(), model, place.id)
    }
}

/// The model usage of a project.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProjectUsage {
    /// The total of everything that matches, regardless of the page.
    pub totals: ModelUse,
    /// Position of the last event included; 0 if nothing was used.
    pub position: Position,
    /// One page of the groups, in order of day, model and agent.
    pub groups: PageOf<UsageGroup>,
}
