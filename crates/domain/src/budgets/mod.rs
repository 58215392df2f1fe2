//! What a project or an agent may use of language models: reserved before a model is asked, settled when it has answered.

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
