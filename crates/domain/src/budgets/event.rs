use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::values::{BudgetOwner, Reservation, Settlement, Terms};
use crate::kernel::ids::OperationId;

/// The limits were set.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct BudgetSet {
    /// The owner.
    pub owner: BudgetOwner,
    /// The limits.
    pub terms: Terms,
    /// When.
    pub at: DateTime<Utc>,
}

/// The limits were removed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct BudgetRemoved {
    /// When.
    pub at: DateTime<Utc>,
}

/// The maximum usage of a model call was reserved before the call.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct BudgetReserved {
    /// The reservation.
    #[serde(flatten)]
    pub reservation: Reservation,
    /// When.
    pub at: DateTime<Utc>,
}

/// A model call was answered; its usage replaces the reservation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct BudgetSettled {
    /// The usage.
    #[serde(flatten)]
    pub settlement: Settlement,
    /// When.
    pub at: DateTime<Utc>,
}

/// A model call will get no answer; its reservation was released.
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
        /// The limits were set.
        Set(BudgetSet),
        /// The limits were removed.
        Removed(BudgetRemoved),
        /// Usage was reserved for a model call.
        Reserved(BudgetReserved),
        /// The usage of a model call was recorded.
        Settled(BudgetSettled),
        /// A reservation was released.
        Released(BudgetReleased),
    }
}
