//! The contract of model usage: it is the sum of the recorded answers. `usage_contract!` creates one test per promise;
//! it takes an async function that returns a [`UsageUnderTest`] over an empty log.
#![expect(clippy::unwrap_used, reason = "a promise that is broken stops its test")]

pub mod counting;
pub mod telling;

use std::{any::Any, sync::Arc, time::Duration};

use chrono::{NaiveDate, TimeDelta};
use devskyy_application::{
    es::{AppendRequest, EventContext, EventStore, Precondition, Repository},
    paging::{PageRequest, Part},
    ports::Clock,
    runs::{Grouping, ModelUse, ProjectUsage, TokenCount, UsageDays, UsageFilter, UsageGroup, UsageViews},
};
use devskyy_domain::{
    conversation::Finish,
    kernel::{
        Json,
        ids::{AgentId, OperationId, ProjectId, RunId},
    },
    runs::{Allowance, ModelAnswered, ModelCalled, Order, Place, Priority, Run, RunEvent},
};
use uuid::Uuid;

use crate::fakes::{FixedClock, InMemoryEventStore, InMemoryProjects, InMemoryRuns};

/// The length of a day in UTC.
pub(super) const DAY: Duration = Duration::from_secs(86_400);

/// The queries over usage, and their log.
pub struct UsageUnderTest {
    /// The log.
    pub store: Arc<dyn EventStore>,
    /// The queries.
    pub usage: Arc<dyn UsageViews>,
    /// The log's clock.
    pub clock: Arc<FixedClock>,
    /// Resources that must live as long.
    pub keep: Box<dyn Any + Send + Sync>,
}

/// A model's answer, as far as usage is concerned.
#[derive(Debug, Clone)]
pub struct Answer {
    /// `<provider>/<model>`.
    pub model: &'static str,
    /// Tokens by class.
    pub tokens: TokenCount,
    /// Whether `tokens` is an upper estimate, because the provider did not report it.
    pub estimated: bool,
    /// The cost, if a price was known.
    pub cost_micros: Option<u64>,
}

impl UsageUnderTest {
    /// The in-memory adapters.
    #[must_use]
    pub fn in_memory() -> Self {
        let clock = Arc::new(FixedClock::default());
        let store = Arc::new(InMemoryEventStore::with_clock(clock.clone()));
        let projects = InMemoryProjects::following(&store);
        let usage = InMemoryRuns::following(&store, projects, clock.clone());
        Self { store, usage, clock, keep: Box::new(()) }
    }

    /// The current day.
    #[must_use]
    pub fn today(&self) -> NaiveDate {
        self.clock.now().date_naive()
    }

    /// A filter for the first project until today, with this grouping.
    #[must_use]
    pub fn all(&self, by: Grouping) -> UsageFilter {
        let days = UsageDays::parse(None, None, self.clock.now()).unwrap();
        UsageFilter { project: project(1), days, agent: None, by }
    }

    /// Records events of a run.
    pub async fn happened(&self, run: u64, events: &[RunEvent]) {
        let writes = vec![Repository::<Run>::write(id::<RunId>(run), Precondition::Any, events).unwrap()];
        let context = EventContext {
            actor: "system:worker".to_owned(),
            project: Some(project(1)),
            correlation_id: Uuid::from_u128(1),
            causation_id: Uuid::from_u128(1),
            source: None,
            traceparent: None,
        };
        let request = AppendRequest { writes, claims: vec![], idempotency: None, context };
        self.store.append(request).await.unwrap();
    }

    /// Begins a run of an agent in a project.
    pub async fn begun(&self, run: u64, of_project: u64, of_agent: u64) {
        let events = Run::default().queue(&order(self, of_project, of_agent), self.clock.now()).unwrap();
        self.happened(run, &events).await;
    }

    /// Records several answers in one append.
    pub async fn answered(&self, run: u64, answers: &[Answer]) {
        let mut events = Vec::new();
        for answer in answers {
            let (operation, place) = (OperationId::from(Uuid::from_u128(0xf00)), Place::step("turn 1"));
            // The model that was called first did not answer.
            events.push(ModelCalled { place, operation, model: "first/choice".to_owned(), attempt: 1 }.into());
            events.push(said(operation, answer).into());
        }
        self.happened(run, &events).await;
    }

    /// The usage for a filter.
    pub async fn told(&self, filter: &UsageFilter) -> ProjectUsage {
        self.usage.usage(filter, &Part::Page(PageRequest { page: 1, page_size: 100 })).await.unwrap()
    }
}

fn said(operation: OperationId, answer: &Answer) -> ModelAnswered {
    ModelAnswered {
        operation,
        text: "NUL \u{0}, a quote \" and a backslash \\u0000".to_owned(),
        calls: vec![],
        finish: Finish::Stop,
        usage: answer.tokens,
        estimated: answer.estimated,
        model: "as the provider calls it".to_owned(),
        answered_by: answer.model.to_owned(),
        cost_micros: answer.cost_micros,
        price: None,
        carry: None,
    }
}

pub(super) fn order(usage: &UsageUnderTest, of_project: u64, of_agent: u64) -> Order {
    Order {
        agent: agent(of_agent),
        agent_version: 1,
        project: project(of_project),
        parent: None,
        depth: 0,
        callers: vec![],
        allowance: Allowance::default(),
        input: Json::Null,
        priority: Priority::Normal,
        deadline: usage.clock.now() + TimeDelta::days(400),
    }
}

pub(super) fn id<I: From<Uuid>>(n: u64) -> I {
    Uuid::from_u128(0xd000 + u128::from(n)).into()
}

/// Project `n`.
#[must_use]
pub fn project(n: u64) -> ProjectId {
    Uuid::from_u128(0xa000 + u128::from(n)).into()
}

/// Agent `n`.
#[must_use]
pub fn agent(n: u64) -> AgentId {
    Uuid::from_u128(0xc000 + u128::from(n)).into()
}

/// An answer with ten tokens and a cost of ten.
#[must_use]
pub const fn ten(model: &'static str) -> Answer {
    let tokens = TokenCount { input: 10, output: 0, cache_read: 0, cache_write: 0, reasoning: 0 };
    Answer { model, tokens, estimated: false, cost_micros: Some(10) }
}

/// The sum of this many answers like [`ten`].
pub(super) fn tens(calls: u64) -> ModelUse {
    let tokens = TokenCount { input: 10 * calls, ..TokenCount::default() };
    ModelUse { calls, tokens, cost_micros: 10 * calls, ..ModelUse::default() }
}

pub(super) fn group(day: Option<NaiveDate>, model: Option<&str>, of_agent: Option<u64>, calls: u64) -> UsageGroup {
    UsageGroup { day, model: model.map(str::to_owned), agent: of_agent.map(agent), used: tens(calls) }
}

/// Creates a test for each promise about usage.
#[macro_export]
macro_rules! usage_contract {
    ($($how:tt)+) => {
        $crate::promises! { [$($how)+] [(&) usage::counting] =>
            where_no_model_answered_nothing_was_used,
            an_answer_is_told_by_day_model_and_agent_with_every_class,
            answers_of_one_kind_add_up,
            an_answer_counts_on_the_day_on_which_it_was_recorded,
            a_child_run_counts_for_its_own_agent,
            another_projects_usage_is_not_told,
            an_answer_without_a_price_is_counted_as_such,
            an_answer_whose_usage_is_estimated_is_counted_as_such,
            only_answers_count,
            an_answer_of_no_use_counts_by_what_is_billed_for_it,
            the_position_is_that_of_the_last_answer,
            absurd_numbers_are_held_at_the_most,
        }
        $crate::promises! { [$($how)+] [(&) usage::telling] =>
            only_days_of_the_range_are_told,
            one_agent_can_be_asked_about,
            what_is_not_told_apart_is_added_up,
            totals_are_of_all_pages,
            kinds_are_walked_once,
            any_name_of_a_model_has_a_place,
        }
    };
}
