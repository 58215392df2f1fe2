use chrono::{DateTime, TimeDelta, Utc};
use devskyy_domain::{
    budgets::{Amount, Budget, BudgetEvent, BudgetOwner, Period, Reservation, Settlement, Terms},
    conversation::TokenCount,
    kernel::ids::{OperationId, RunId},
};
use uuid::Uuid;

use super::{Rules, holds};

fn at(n: u8) -> DateTime<Utc> {
    DateTime::UNIX_EPOCH + TimeDelta::hours(i64::from(n) * 300)
}

fn operation(n: u8) -> OperationId {
    Uuid::from_u128(n.into()).into()
}

fn run() -> RunId {
    Uuid::from_u128(9).into()
}

fn terms(one: u8, other: u8) -> Terms {
    let period = [Period::Total, Period::Day, Period::Month, Period::Month][usize::from(other) % 4];
    Terms::parse(Some(40 + u64::from(one) * 20), (other > 1).then_some(90), period).unwrap()
}

fn reservation(one: u8, other: u8) -> Reservation {
    let amount = Amount { tokens: 10 * u64::from(other), cost_micros: 7 };
    Reservation { operation: operation(one), run: run(), amount }
}

fn settlement(one: u8, other: u8) -> Settlement {
    Settlement {
        operation: operation(one),
        run: run(),
        model: "cloud/large".to_owned(),
        usage: TokenCount { input: 9 * u64::from(other), output: 3, ..TokenCount::default() },
        cost_micros: 5,
        price_list: (other > 1).then(|| "provider:2".to_owned()),
    }
}

const BUDGET: Rules<Budget> = Rules {
    asks: &[
        |it, one, other| {
            it.set(BudgetOwner::Project { project: Uuid::from_u128(1).into() }, terms(one, other), at(one))
        },
        |it, one, other| it.reserve(reservation(one, other), at(other)),
        |it, one, other| it.reserve(reservation(other, one), at(one)),
        |it, one, other| it.settle(&settlement(one, other), at(other)),
        |it, one, _| it.release(operation(one)),
        |it, one, other| if one == 0 { it.remove(at(other)) } else { Ok(vec![]) },
    ],
    // Without limits nothing is reserved.
    sound: |it| it.limits() || it.reserved() == Amount::default(),
    ended: |_, _| false,
    noted: |event| matches!(event, BudgetEvent::Settled(_)),
};

holds! {
    budget: BUDGET;
}
