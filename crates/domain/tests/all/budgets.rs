//! Every event of budgets is read back as it was written.

use chrono::DateTime;
use devskyy_domain::{
    budgets::{
        Amount, BudgetEvent, BudgetOwner, BudgetReleased, BudgetRemoved, BudgetReserved, BudgetSet, BudgetSettled,
        Period, Reservation, Settlement, Terms,
    },
    conversation::TokenCount,
    kernel::ids::{OperationId, RunId},
};
use uuid::Uuid;

use crate::golden::{also, holds, today};

#[test]
fn every_stored_fact_is_still_understood() {
    let at = DateTime::parse_from_rfc3339("2026-11-25T12:00:00Z").unwrap().to_utc();
    let (operation, run) = (OperationId::from(Uuid::from_u128(3)), RunId::from(Uuid::from_u128(4)));
    let owner = BudgetOwner::Agent { agent: Uuid::from_u128(2).into(), project: Uuid::from_u128(1).into() };
    let terms = Terms::parse(Some(1_000_000), Some(5_000_000), Period::Month).unwrap();
    let reservation = Reservation { operation, run, amount: Amount { tokens: 5_000, cost_micros: 70 } };
    let settlement = Settlement {
        operation,
        run,
        model: "cloud/large".to_owned(),
        usage: TokenCount { input: 1, output: 2, cache_read: 3, cache_write: 4, reasoning: 5 },
        cost_micros: 60,
        price_list: Some("provider:2".to_owned()),
    };
    let (whole, forever) = (BudgetOwner::Project { project: Uuid::from_u128(1).into() }, Period::Total);
    let money = Terms::parse(None, Some(5_000_000), forever).unwrap();
    let free = Settlement { usage: TokenCount::default(), cost_micros: 0, price_list: None, ..settlement.clone() };
    holds::<BudgetEvent>(&[
        today(BudgetSet { owner, terms, at }),
        also("project", BudgetSet { owner: whole, terms: money, at }),
        also("unpriced", BudgetSettled { settlement: free, at }),
        today(BudgetReserved { reservation, at }),
        today(BudgetSettled { settlement, at }),
        today(BudgetReleased { operation }),
        today(BudgetRemoved { at }),
    ]);
}
