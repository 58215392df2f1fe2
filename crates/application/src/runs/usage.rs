//! What models used in a project: how answers of models add up, by day, model and agent. Every adapter adds up the same way.

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

/// What answers of models used, added up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ModelUse {
    /// Answers.
    pub calls: u64,
    /// Those of them whose price nobody knew; they count as costing nothing.
    pub unpriced_calls: u64,
    /// Those of them whose tokens the provider did not tell; they count with the most they can have used.
    pub estimated_calls: u64,
    /// Tokens by class.
    pub tokens: TokenCount,
    /// What they cost when they were answered, in millionths of the unit of the prices.
    pub cost_micros: u64,
}

impl ModelUse {
    /// The most that is told of anything used by one model for one agent on one day, whatever a provider claims: as much
    /// as a budget can allow.
    pub const MOST: u64 = 1_000_000_000_000_000;

    /// What one answer used.
    #[must_use]
    pub fn of(bill: &Bill) -> Self {
        let unpriced_calls = u64::from(bill.cost_micros.is_none());
        let cost_micros = bill.cost_micros.unwrap_or_default();
        let estimated_calls = u64::from(bill.estimated);
        Self { calls: 1, unpriced_calls, estimated_calls, tokens: bill.usage, cost_micros }.held()
    }

    /// Both together.
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

    /// The same, nothing of it more than [`ModelUse::MOST`].
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

/// Where the answer of a model counts.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UsageRow {
    /// The project of the run.
    pub project: ProjectId,
    /// The day in UTC on which the answer was recorded.
    pub day: NaiveDate,
    /// The model that answered, `<provider>/<model>`; no longer than a name that can be asked for.
    pub model: String,
    /// The agent of the run; a child run has its own.
    pub agent: AgentId,
}

impl UsageRow {
    /// Characters of the name of a model: a provider's name, a slash, and what a provider may call a model.
    pub const MODEL_LENGTH: usize = 256;

    /// Where an answer that a run got counts.
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

/// Days in UTC, from one on and before another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UsageDays {
    from: NaiveDate,
    to: NaiveDate,
}

impl UsageDays {
    /// Days that are told where nobody says from when on.
    pub const USUAL: u64 = 30;
    /// Days that can be asked about at once.
    pub const MOST: u64 = 366;

    /// Checks a raw range. What is left out: until today and with it, and for 30 days.
    ///
    /// # Errors
    /// [`UsageError::Range`] where it holds no day, or more than 366.
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

    /// Whether a day is one of them.
    #[must_use]
    pub fn contain(&self, day: NaiveDate) -> bool {
        (self.from..self.to).contains(&day)
    }
}

/// Why usage is not told.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UsageError {
    /// The days do not make a range.
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

/// Something by which usage can be told apart.
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
    /// All of them, in the order in which usage is told.
    pub const ALL: [Self; 3] = [Self::Day, Self::Model, Self::Agent];

    /// Its name in questions.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Day => "day",
            Self::Model => "model",
            Self::Agent => "agent",
        }
    }

    /// The one of that name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|dimension| dimension.as_str() == name)
    }
}

/// By what usage is told apart, which is something; the rest is added up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Grouping([bool; 3]);

impl Grouping {
    /// By everything.
    pub const ALL: Self = Self([true; 3]);

    /// By some of it, named once or more often; `None` by nothing.
    #[must_use]
    pub fn by(wanted: &[Dimension]) -> Option<Self> {
        let by = Dimension::ALL.map(|dimension| wanted.contains(&dimension));
        (!wanted.is_empty()).then_some(Self(by))
    }

    /// All that usage is told apart by, in the order in which it is told.
    pub fn dimensions(self) -> impl Iterator<Item = Dimension> {
        Dimension::ALL.into_iter().zip(self.0).filter_map(|(dimension, wanted)| wanted.then_some(dimension))
    }
}

/// Which usage is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UsageFilter {
    /// That of this project.
    pub project: ProjectId,
    /// That of these days.
    pub days: UsageDays,
    /// Only that of this agent.
    pub agent: Option<AgentId>,
    /// By what it is told apart.
    pub by: Grouping,
}

impl UsageFilter {
    /// Whether what counts there is wanted.
    #[must_use]
    pub fn wants(&self, row: &UsageRow) -> bool {
        self.project == row.project && self.days.contain(row.day) && self.agent.is_none_or(|agent| agent == row.agent)
    }
}

/// What was used of one kind; what it was not told apart by is left out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UsageGroup {
    /// On that day.
    pub day: Option<NaiveDate>,
    /// Of that model.
    pub model: Option<String>,
    /// By that agent.
    pub agent: Option<AgentId>,
    /// How much.
    pub used: ModelUse,
}

impl UsageGroup {
    /// The kind that a row belongs to, with nothing used yet.
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

    /// Its place: by day, model and agent.
    #[must_use]
    pub fn place(&self) -> Key {
        let day = self.day.map(|day| day.to_string()).unwrap_or_default();
        let text = format!("{day}/{}", self.model.as_deref().unwrap_or_default());
        Key { value: KeyValue::Text(text), id: self.agent.map(Uuid::from).unwrap_or_default() }
    }

    /// Day, model and agent of a place.
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

/// What models used in a project.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProjectUsage {
    /// All that is wanted together, whatever part of the list is shown.
    pub totals: ModelUse,
    /// The last event that added to it; 0 where nothing was used.
    pub position: Position,
    /// Kind by kind, in order of day, model and agent.
    pub groups: PageOf<UsageGroup>,
}
