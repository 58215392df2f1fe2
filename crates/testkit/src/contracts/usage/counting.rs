//! The contract of what counts as usage, and under which key.
#![expect(clippy::unwrap_used, reason = "a promise that is broken stops its test")]

use std::time::Duration;

use chrono::Timelike as _;
use devskyy_application::{
    ports::Clock as _,
    runs::{Dimension, Grouping, ModelUse, TokenCount, UsageGroup},
};
use devskyy_domain::{
    conversation::Finish,
    kernel::ids::OperationId,
    runs::{Bill, Failure, ModelCalled, ModelFailed, Order, Parent, Place, Run, RunForked, StepTakenOver, TakenOver},
};
use uuid::Uuid;

use super::{Answer, DAY, UsageUnderTest, agent, group, id, order, ten, tens};

/// A project without model calls has no usage.
pub async fn where_no_model_answered_nothing_was_used(usage: &UsageUnderTest) {
    usage.begun(1, 1, 1).await;
    let told = usage.told(&usage.all(Grouping::ALL)).await;
    assert_eq!((told.totals, told.position, told.groups.items), (ModelUse::default(), 0, vec![]));
}

/// An answer counts with its classes and cost under the model that answered.
pub async fn an_answer_is_told_by_day_model_and_agent_with_every_class(usage: &UsageUnderTest) {
    usage.begun(1, 1, 7).await;
    let tokens = TokenCount { input: 1, output: 20, cache_read: 300, cache_write: 4_000, reasoning: 50_000 };
    let answer = Answer { model: "gateway/meta/llama", tokens, estimated: false, cost_micros: Some(77) };
    usage.answered(1, &[answer]).await;
    let used = ModelUse { calls: 1, tokens, cost_micros: 77, ..ModelUse::default() };
    let day = Some(usage.today());
    let only = UsageGroup { day, model: Some("gateway/meta/llama".to_owned()), agent: Some(agent(7)), used };
    assert_eq!(usage.told(&usage.all(Grouping::ALL)).await.groups.items, [only]);
}

/// Several answers add up, even in one append.
pub async fn answers_of_one_kind_add_up(usage: &UsageUnderTest) {
    for n in 1..=2 {
        usage.begun(n, 1, 1).await;
        usage.answered(n, &[ten("a/a"), ten("a/a")]).await;
    }
    usage.answered(1, &[ten("a/a")]).await;
    let told = usage.told(&usage.all(Grouping::ALL)).await;
    assert_eq!(told.groups.items, [group(Some(usage.today()), Some("a/a"), Some(1), 5)]);
}

/// An answer counts on the day it is recorded, whenever its run began.
pub async fn an_answer_counts_on_the_day_on_which_it_was_recorded(usage: &UsageUnderTest) {
    usage.begun(1, 1, 1).await;
    let noon = usage.clock.now().num_seconds_from_midnight();
    usage.clock.advance(DAY - Duration::from_secs(noon.into()));
    let midnight = usage.today();
    usage.clock.advance(DAY - Duration::from_micros(1));
    usage.answered(1, &[ten("a/a")]).await;
    usage.clock.advance(Duration::from_micros(1));
    usage.answered(1, &[ten("a/a")]).await;
    let told = usage.told(&usage.all(Grouping::by(&[Dimension::Day]).unwrap())).await.groups.items;
    let (last, next) = (Some(midnight), midnight.succ_opt());
    assert_eq!(told, [group(last, None, None, 1), group(next, None, None, 1)]);
}

/// A child run's usage belongs to its own agent.
pub async fn a_child_run_counts_for_its_own_agent(usage: &UsageUnderTest) {
    usage.begun(1, 1, 1).await;
    let parent = Some(Parent { run: id(1), operation: id(2) });
    let child = Order { parent, depth: 1, ..order(usage, 1, 2) };
    usage.happened(2, &Run::default().queue(&child, usage.clock.now()).unwrap()).await;
    usage.answered(2, &[ten("a/a")]).await;
    let told = usage.told(&usage.all(Grouping::by(&[Dimension::Agent]).unwrap())).await.groups.items;
    assert_eq!(told, [group(None, None, Some(2), 1)]);
}

/// Usage of other projects is not included.
pub async fn another_projects_usage_is_not_told(usage: &UsageUnderTest) {
    usage.begun(1, 1, 1).await;
    usage.begun(2, 2, 1).await;
    usage.answered(2, &[ten("a/a"), ten("a/a")]).await;
    usage.answered(1, &[ten("a/a")]).await;
    assert_eq!(usage.told(&usage.all(Grouping::ALL)).await.totals, tens(1));
}

/// An answer without a known price costs nothing and is counted separately.
pub async fn an_answer_without_a_price_is_counted_as_such(usage: &UsageUnderTest) {
    usage.begun(1, 1, 1).await;
    usage.answered(1, &[ten("a/a"), Answer { cost_micros: None, ..ten("a/a") }]).await;
    let told = usage.told(&usage.all(Grouping::ALL)).await.totals;
    assert_eq!((told.calls, told.unpriced_calls, told.cost_micros, told.tokens.input), (2, 1, 10, 20));
}

/// An answer with estimated usage is counted separately.
pub async fn an_answer_whose_usage_is_estimated_is_counted_as_such(usage: &UsageUnderTest) {
    usage.begun(1, 1, 1).await;
    usage.answered(1, &[ten("a/a"), Answer { estimated: true, ..ten("a/a") }]).await;
    usage.answered(1, &[Answer { estimated: true, ..ten("b/b") }]).await;
    let told = usage.told(&usage.all(Grouping::by(&[Dimension::Model]).unwrap())).await;
    let estimated: Vec<_> = told.groups.items.iter().map(|group| group.used.estimated_calls).collect();
    assert_eq!((told.totals.calls, told.totals.estimated_calls, estimated), (3, 2, vec![1, 1]));
}

/// Neither failures nor answers taken over by a fork count.
pub async fn only_answers_count(usage: &UsageUnderTest) {
    usage.begun(1, 1, 1).await;
    let (operation, place) = (OperationId::from(Uuid::from_u128(0xf01)), Place::step("turn 1"));
    let called = ModelCalled { place, operation, model: "a/a".to_owned(), attempt: 1 };
    let error = Failure::new("model.timeout", "the provider took too long");
    let Answer { model, .. } = ten("a/a");
    let result = TakenOver::Answer {
        operation,
        text: "Hello".to_owned(),
        calls: vec![],
        finish: Finish::Stop,
        model: model.to_owned(),
        answered_by: model.to_owned(),
        carry: None,
    };
    let forked = RunForked { from: id(9), from_version: 3, step: "turn 2".into() };
    let taken_over = StepTakenOver { step: "turn 1".into(), result };
    let failed = ModelFailed { operation, error, retry_at: None, unasked: false, overflow: false, billed: None };
    usage.happened(1, &[called.into(), failed.into()]).await;
    usage.begun(2, 1, 1).await;
    usage.happened(2, &[forked.into(), taken_over.into()]).await;
    usage.answered(2, &[ten("a/a")]).await;
    assert_eq!(usage.told(&usage.all(Grouping::ALL)).await.totals, tens(1));
}

/// Unusable answers that are billed count.
pub async fn an_answer_of_no_use_counts_by_what_is_billed_for_it(usage: &UsageUnderTest) {
    usage.begun(1, 1, 1).await;
    let (operation, place) = (OperationId::from(Uuid::from_u128(0xf01)), Place::step("turn 1"));
    let called = ModelCalled { place, operation, model: "first/choice".to_owned(), attempt: 1 };
    let Answer { model, tokens, cost_micros, .. } = ten("a/a");
    let billed = Some(Bill { usage: tokens, estimated: false, answered_by: model.into(), cost_micros, price: None });
    let error = Failure::new("model.unavailable", "its answer is empty");
    let failed = ModelFailed { operation, error, retry_at: None, unasked: false, overflow: false, billed };
    usage.happened(1, &[called.into(), failed.into()]).await;
    let groups = usage.told(&usage.all(Grouping::ALL)).await.groups.items;
    assert_eq!(groups, [group(Some(usage.today()), Some("a/a"), Some(1), 1)]);
}

/// Only usage moves the position.
pub async fn the_position_is_that_of_the_last_answer(usage: &UsageUnderTest) {
    usage.begun(1, 1, 1).await;
    usage.answered(1, &[ten("a/a")]).await;
    let first = usage.store.head().await.unwrap();
    usage.begun(2, 2, 1).await;
    usage.answered(2, &[ten("a/a")]).await;
    assert_eq!(usage.told(&usage.all(Grouping::ALL)).await.position, first);
    usage.answered(1, &[ten("b/b")]).await;
    let second = usage.store.head().await.unwrap();
    assert_eq!(usage.told(&usage.all(Grouping::ALL)).await.position, second);
}

/// Reported numbers are capped at what a budget can allow, so that they cannot stop the log.
pub async fn absurd_numbers_are_held_at_the_most(usage: &UsageUnderTest) {
    usage.begun(1, 1, 1).await;
    let most = u64::MAX;
    let tokens = TokenCount { input: most, output: most, cache_read: most, cache_write: most, reasoning: most };
    let absurd = Answer { model: "a/a", tokens, estimated: false, cost_micros: Some(most) };
    for _ in 0..2 {
        usage.answered(1, &[absurd.clone(), absurd.clone()]).await;
    }
    let held = ModelUse { calls: 4, tokens, cost_micros: most, ..ModelUse::default() }.held();
    assert_eq!(usage.told(&usage.all(Grouping::ALL)).await.totals, held);
}
