use std::collections::BTreeMap;

use chrono::{DateTime, Utc};

use super::{
    error::{BudgetError, Shortfall},
    event::{BudgetEvent, BudgetReleased, BudgetRemoved, BudgetReserved, BudgetSet, BudgetSettled},
    values::{Amount, BudgetOwner, Reservation, Settlement, Terms},
};
use crate::{
    conversation::TokenCount,
    kernel::{
        Aggregate, Decision,
        ids::{BudgetId, OperationId, RunId},
    },
};

/// Usage in a period.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct Used {
    usage: TokenCount,
    cost_micros: u64,
}

impl Used {
    const fn amount(&self) -> Amount {
        Amount { tokens: self.usage.total(), cost_micros: self.cost_micros }
    }
}

/// The limits on model usage of a project or an agent, with its usage and reservations.
///
/// A call counts in the period in which it is answered. Its reservation counts in every period until then.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Budget {
    limits: Option<(BudgetOwner, Terms)>,
    revision: u64,
    window: DateTime<Utc>,
    used: Used,
    open: BTreeMap<OperationId, (RunId, Amount)>,
}

/// The state of a budget for display.
#[derive(Debug, Clone, PartialEq)]
pub struct Standing {
    /// The owner.
    pub owner: BudgetOwner,
    /// The limits.
    pub terms: Terms,
    /// Tokens used in the current period, by class.
    pub usage: TokenCount,
    /// Cost of the usage in the current period.
    pub cost_micros: u64,
    /// Reservations of calls in progress.
    pub reserved: Amount,
    /// When the usage is reset; `None` if the budget is for all time.
    pub resets_at: Option<DateTime<Utc>>,
}

impl Budget {
    /// Sets the limits. Usage in the current period still counts, unless the period is changed.
    ///
    /// # Errors
    /// Never; the limits can be set at any time.
    pub fn set(&self, owner: BudgetOwner, terms: Terms, at: DateTime<Utc>) -> Decision<Self> {
        let same = self.limits == Some((owner, terms));
        Ok(if same { vec![] } else { vec![BudgetSet { owner, terms, at }.into()] })
    }

    /// Removes the limits.
    ///
    /// # Errors
    /// Never; removing no limits changes nothing.
    pub fn remove(&self, at: DateTime<Utc>) -> Decision<Self> {
        Ok(if self.limits.is_some() { vec![BudgetRemoved { at }.into()] } else { vec![] })
    }

    /// Reserves the maximum usage of a model call. An existing reservation of the call is kept.
    ///
    /// # Errors
    /// [`BudgetError::Exhausted`] if it does not fit in addition to usage and reservations.
    pub fn reserve(&self, reservation: Reservation, at: DateTime<Utc>) -> Decision<Self> {
        let Some((owner, terms)) = self.limits.filter(|_| !self.open.contains_key(&reservation.operation)) else {
            return Ok(vec![]);
        };
        let (used, reserved, needed) = (self.used_at(terms, at).amount(), self.reserved(), reservation.amount);
        if terms.allow(used.plus(reserved).plus(needed)) {
            return Ok(vec![BudgetReserved { reservation, at }.into()]);
        }
        let resets_at = terms.period.ends(self.window.max(at));
        Err(BudgetError::Exhausted(Box::new(Shortfall { owner, terms, used, reserved, needed, resets_at })))
    }

    /// Records the usage of a model call, with or without a reservation.
    ///
    /// # Errors
    /// Never; without limits nothing is recorded.
    pub fn settle(&self, settlement: &Settlement, at: DateTime<Utc>) -> Decision<Self> {
        let settled = || BudgetSettled { settlement: settlement.clone(), at }.into();
        Ok(self.limits.map(|_| settled()).into_iter().collect())
    }

    /// Releases the reservation of a model call that will get no answer.
    ///
    /// # Errors
    /// Never; releasing no reservation changes nothing.
    pub fn release(&self, operation: OperationId) -> Decision<Self> {
        let kept = self.open.contains_key(&operation);
        Ok(if kept { vec![BudgetReleased { operation }.into()] } else { vec![] })
    }

    /// Whether there are limits.
    #[must_use]
    pub const fn limits(&self) -> bool {
        self.limits.is_some()
    }

    /// Number of changes of the limits; usage does not count.
    #[must_use]
    pub const fn revision(&self) -> u64 {
        self.revision
    }

    /// The reservations of calls in progress.
    #[must_use]
    pub fn reserved(&self) -> Amount {
        self.open.values().fold(Amount::default(), |sum, (_, amount)| sum.plus(*amount))
    }

    /// The state at an instant; `None` without limits.
    #[must_use]
    pub fn standing(&self, at: DateTime<Utc>) -> Option<Standing> {
        let (owner, terms) = self.limits?;
        let Used { usage, cost_micros } = self.used_at(terms, at);
        let (reserved, resets_at) = (self.reserved(), terms.period.ends(self.window.max(at)));
        Some(Standing { owner, terms, usage, cost_micros, reserved, resets_at })
    }

    /// A clock that goes backwards does not return to an earlier period.
    fn used_at(&self, terms: Terms, at: DateTime<Utc>) -> Used {
        if terms.period.begins(at) > self.window { Used::default() } else { self.used }
    }

    fn roll(&mut self, at: DateTime<Utc>) {
        let Some((_, terms)) = self.limits else { return };
        self.used = self.used_at(terms, at);
        self.window = self.window.max(terms.period.begins(at));
    }

    fn begin(&mut self, set: &BudgetSet) {
        self.revision += 1;
        let goes_on = self.limits.is_some_and(|(_, terms)| terms.period == set.terms.period);
        self.limits = Some((set.owner, set.terms));
        if !goes_on {
            (self.window, self.used) = (set.terms.period.begins(set.at), Used::default());
        }
    }
}

impl Aggregate for Budget {
    const CATEGORY: &'static str = "budget";
    type Id = BudgetId;
    type Event = BudgetEvent;
    type Error = BudgetError;

    fn apply(&mut self, event: &BudgetEvent) {
        match event {
            BudgetEvent::Set(set) => self.begin(set),
            BudgetEvent::Removed(_) => *self = Self { revision: self.revision + 1, ..Self::default() },
            BudgetEvent::Reserved(BudgetReserved { reservation: Reservation { operation, run, amount }, at }) => {
                self.roll(*at);
                if self.limits.is_some() {
                    self.open.insert(*operation, (*run, *amount));
                }
            }
            BudgetEvent::Settled(BudgetSettled { settlement, at }) => {
                self.open.remove(&settlement.operation);
                self.roll(*at);
                if self.limits.is_some() {
                    self.used.usage += settlement.usage;
                    self.used.cost_micros = self.used.cost_micros.saturating_add(settlement.cost_micros);
                }
            }
            BudgetEvent::Released(released) => {
                self.open.remove(&released.operation);
            }
        }
    }
}
