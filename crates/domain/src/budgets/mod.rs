//! Limits on model usage of projects and agents: reserved before a model call, settled after its answer.

mod budget;
mod error;
mod event;
mod values;

#[cfg(test)]
mod tests;

pub use budget::{Budget, Standing};
pub use error::{BudgetError, Shortfall};
pub use event::{BudgetEvent, BudgetReleased, BudgetRemoved, BudgetReserved, BudgetSet, BudgetSettled};
pub use values::{Amount, BudgetOwner, Period, Reservation, Settlement, Terms};
