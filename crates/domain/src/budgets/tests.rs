//! Rules of budgets.

use chrono::{DateTime, TimeDelta, Utc};
use proptest::prelude::*;
use uuid::Uuid;

use super::{
    Amount, Budget, BudgetError, BudgetEvent, BudgetOwner, BudgetReleased, BudgetRemoved, BudgetReserved, BudgetSet,
    BudgetSettled, Period, Reservation, Settlement, Terms,
};
use crate::{
    conversation::TokenCount,
    kernel::{
        Aggregate,
        given::{Given, given},
    },
};

fn id<T: From<Uuid>>(number: u128) -> T {
    Uuid::from_u128(number).into()
}

fn noon() -> DateTime<Utc> {
    DateTime::UNIX_EPOCH + TimeDelta::days(20_000) + TimeDelta::hours(12)
}

fn owner() -> BudgetOwner {
    BudgetOwner::Project { project: id(0) }
}

fn tokens(most: u64, period: Period) -> Terms {
    Terms::parse(Some(most), None, period).unwrap()
}

fn set(terms: Terms) -> BudgetEvent {
    BudgetSet { owner: owner(), terms, at: noon() }.into()
}

fn reservation(operation: u128, tokens: u64) -> Reservation {
    Reservation { operation: id(operation), run: id(9), amount: Amount { tokens, cost_micros: 0 } }
}

fn reserved(operation: u128, tokens: u64) -> BudgetEvent {
    BudgetReserved { reservation: reservation(operation, tokens), at: noon() }.into()
}

fn settlement(operation: u128, input: u64) -> Settlement {
    let usage = TokenCount { input, ..TokenCount::default() };
    let (run, model) = (id(9), "cloud/large".to_owned());
    Settlement { operation: id(operation), run, model, usage, cost_micros: input * 2, price_list: None }
}

fn settled(operation: u128, input: u64) -> BudgetEvent {
    BudgetSettled { settlement: settlement(operation, input), at: noon() }.into()
}

fn daily(past: impl IntoIterator<Item = BudgetEvent>) -> Given<Budget> {
    given([set(tokens(100, Period::Day))].into_iter().chain(past))
}

fn fits(budget: &Given<Budget>, operation: u128, tokens: u64, at: DateTime<Utc>) -> bool {
    budget.when(|budget| budget.reserve(reservation(operation, tokens), at)).is_ok()
}

#[test]
fn what_fits_is_kept_for_the_call() {
    let decided = daily([]).when(|budget| budget.reserve(reservation(1, 100), noon()));
    assert_eq!(decided, Ok(vec![reserved(1, 100)]));
}

#[test]
fn what_is_kept_for_others_is_not_there() {
    assert!(!fits(&daily([reserved(1, 60)]), 2, 41, noon()));
}

#[test]
fn what_is_used_is_not_there() {
    assert!(!fits(&daily([reserved(1, 90), settled(1, 60)]), 2, 41, noon()));
}

#[test]
fn what_a_call_did_not_use_is_there_again() {
    assert!(fits(&daily([reserved(1, 90), settled(1, 60)]), 2, 40, noon()));
}

#[test]
fn a_refusal_names_the_budget_and_when_it_resets() {
    let refused = daily([settled(1, 70), reserved(2, 20)]).when(|it| it.reserve(reservation(3, 11), noon()));
    let text = refused.unwrap_err().to_string();
    let expected = format!(
        "the budget of project {} is exhausted; tokens: 70 of 100 are used, 20 reserved, the call needs up to 11; it \
         resets at 2024-10-05T00:00:00Z",
        Uuid::nil()
    );
    assert_eq!(text, expected);
}

#[test]
fn money_is_limited_like_tokens() {
    let terms = Terms::parse(None, Some(100), Period::Total).unwrap();
    let budget: Given<Budget> = given([set(terms), settled(1, 40)]);
    let amount = Amount { tokens: 1_000_000, cost_micros: 21 };
    let refused = budget.when(|it| it.reserve(Reservation { amount, ..reservation(2, 0) }, noon()));
    assert!(matches!(refused, Err(BudgetError::Exhausted(shortfall)) if shortfall.resets_at.is_none()));
}

#[test]
fn a_call_is_kept_for_once() {
    assert_eq!(daily([reserved(1, 100)]).when(|it| it.reserve(reservation(1, 100), noon())), Ok(vec![]));
}

#[test]
fn a_call_that_will_not_answer_frees_what_was_kept() {
    let budget = daily([reserved(1, 100)]);
    let released = budget.when(|it| it.release(id(1)));
    assert_eq!(released, Ok(vec![BudgetReleased { operation: id(1) }.into()]));
}

#[test]
fn nothing_is_freed_twice() {
    let released = daily([reserved(1, 100), BudgetReleased { operation: id(1) }.into()]).when(|it| it.release(id(1)));
    assert_eq!(released, Ok(vec![]));
}

#[test]
fn without_limits_nothing_is_noted() {
    let budget: Given<Budget> = given([set(tokens(1, Period::Day)), BudgetRemoved { at: noon() }.into()]);
    let decided = (
        budget.when(|it| it.reserve(reservation(1, 100), noon())),
        budget.when(|it| it.settle(&settlement(1, 100), noon())),
    );
    assert_eq!(decided, (Ok(vec![]), Ok(vec![])));
}

#[test]
fn a_call_under_way_when_the_budget_is_set_counts_when_it_answers() {
    assert!(!fits(&daily([settled(1, 100)]), 2, 1, noon()));
}

#[test]
fn the_next_day_everything_is_there_again() {
    assert!(fits(&daily([settled(1, 100)]), 2, 100, noon() + TimeDelta::hours(12)));
}

#[test]
fn what_is_kept_is_kept_over_midnight() {
    assert!(!fits(&daily([reserved(1, 100)]), 2, 1, noon() + TimeDelta::hours(12)));
}

#[test]
fn a_clock_that_goes_back_does_not_free_anything() {
    let tomorrow = BudgetSettled { settlement: settlement(1, 100), at: noon() + TimeDelta::days(1) };
    assert!(!fits(&daily([tomorrow.into()]), 2, 1, noon()));
}

#[test]
fn a_month_ends_with_its_last_day() {
    let last_second = DateTime::parse_from_rfc3339("2026-12-31T23:59:59Z").unwrap().to_utc();
    let ends = Period::Month.ends(last_second).map(|end| end.to_rfc3339());
    assert_eq!(ends.as_deref(), Some("2027-01-01T00:00:00+00:00"));
}

#[test]
fn more_may_be_used_without_forgetting_what_was() {
    let budget = daily([settled(1, 100), set(tokens(150, Period::Day))]);
    assert_eq!((fits(&budget, 2, 50, noon()), fits(&budget, 2, 51, noon())), (true, false));
}

#[test]
fn another_period_begins_with_nothing_used() {
    assert!(fits(&daily([settled(1, 100), set(tokens(100, Period::Month))]), 2, 100, noon()));
}

#[test]
fn the_same_terms_again_are_no_change() {
    assert_eq!(daily([]).when(|it| it.set(owner(), tokens(100, Period::Day), noon())), Ok(vec![]));
}

#[test]
fn what_calls_use_is_no_change_of_the_terms() {
    assert_eq!(daily([reserved(1, 10), settled(1, 10)]).state().revision(), 1);
}

#[test]
fn a_budget_limits_something() {
    assert_eq!(Terms::parse(None, None, Period::Day), Err(BudgetError::Unlimited));
}

/// A random request to a budget: its kind, an operation, an amount and an hour.
fn step() -> impl Strategy<Value = (u8, u128, u64, i64)> {
    (0_u8..8, 0_u128..12, 0_u64..60, 0_i64..100)
}

fn decide(budget: &Budget, (what, operation, amount, hour): (u8, u128, u64, i64)) -> Vec<BudgetEvent> {
    let at = noon() + TimeDelta::hours(hour);
    let decided = match what {
        0 => budget.set(owner(), tokens(amount + 1, Period::Day), at),
        1 => budget.remove(at),
        2 => budget.settle(&settlement(operation, amount), at),
        3 => budget.release(id(operation)),
        _ => budget.reserve(reservation(operation, amount), at),
    };
    decided.unwrap_or_default()
}

proptest! {
    #[test]
    fn what_is_admitted_never_exceeds_the_limit(steps in prop::collection::vec(step(), 1..60)) {
        let mut budget = Budget::default();
        for step in steps {
            let events = decide(&budget, step);
            events.iter().for_each(|event| budget.apply(event));
            let admitted = matches!(events.as_slice(), [BudgetEvent::Reserved(_)]);
            let at = noon() + TimeDelta::hours(step.3);
            if let Some(standing) = budget.standing(at).filter(|_| admitted) {
                let used = Amount { tokens: standing.usage.total(), cost_micros: standing.cost_micros };
                prop_assert!(standing.terms.allow(used.plus(standing.reserved)), "{standing:?}");
            }
        }
    }

    #[test]
    fn any_history_can_be_folded(steps in prop::collection::vec(step(), 0..60)) {
        let mut kept = 0;
        let mut budget = Budget::default();
        for (what, operation, amount, hour) in steps {
            let at = noon() + TimeDelta::hours(hour);
            budget.apply(&match what {
                0 => BudgetSet { owner: owner(), terms: tokens(amount + 1, Period::Month), at }.into(),
                1 => BudgetRemoved { at }.into(),
                2 => BudgetSettled { settlement: settlement(operation, amount), at }.into(),
                3 => BudgetReleased { operation: id(operation) }.into(),
                _ => BudgetReserved { reservation: reservation(operation, amount), at }.into(),
            });
            kept = kept.max(budget.reserved().tokens);
        }
        prop_assert!(kept <= 12 * 60);
    }
}
