use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::values::{BudgetOwner, Reservation, Settlement, Terms};
use crate::kernel::ids::OperationId;

/// So much may be used from now on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct BudgetSet {
    /// By whom.
    pub owner: BudgetOwner,
    /// How much.
    pub terms: Terms,
    /// When.
    pub at: DateTime<Utc>,
}

/// Nothing is limited any more.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct BudgetRemoved {
    /// When.
    pub at: DateTime<Utc>,
}

/// A model is about to be asked; nobody else may use what that takes at most.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct BudgetReserved {
    /// What is kept for whom.
    #[serde(flatten)]
    pub reservation: Reservation,
    /// When.
    pub at: DateTime<Utc>,
}

/// A model answered; what it used takes the place of what was kept for it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct BudgetSettled {
    /// What was used.
    #[serde(flatten)]
    pub settlement: Settlement,
    /// When.
    pub at: DateTime<Utc>,
}

/// A model will not answer any more; what was kept for it is free again.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct BudgetReleased {
    /// The model call.
    pub operation: OperationId,
}

crate::first_version! {
    BudgetSet = "budget.set",
    BudgetRemoved = "budget.removed",
    BudgetReserved = "budget.reserved",
    BudgetSettled = "budget.settled",
    BudgetReleased = "budget.released",
}

crate::event_set! {
    /// What can happen to a budget.
    pub enum BudgetEvent {
        /// So much may be used.
        Set(BudgetSet),
        /// Nothing is limited any more.
        Removed(BudgetRemoved),
        /// A model is about to be asked.
        Reserved(BudgetReserved),
        /// A model answered.
        Settled(BudgetSettled),
        /// A model will not answer any more.
        Released(BudgetReleased),
    }
}
