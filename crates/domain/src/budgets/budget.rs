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

/// What was used in a period.
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

/// What a project or an agent may use of language models, and what of it is used or kept for calls under way.
///
/// A call counts in the period in which it is answered. What it keeps until then counts in every period it lasts.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Budget {
    limits: Option<(BudgetOwner, Terms)>,
    revision: u64,
    window: DateTime<Utc>,
    used: Used,
    open: BTreeMap<OperationId, (RunId, Amount)>,
}

/// A budget as people look at it.
#[derive(Debug, Clone, PartialEq)]
pub struct Standing {
    /// Whose it is.
    pub owner: BudgetOwner,
    /// What may be used.
    pub terms: Terms,
    /// Tokens used in the present period, by class.
    pub usage: TokenCount,
    /// What they cost.
    pub cost_micros: u64,
    /// What calls under way may use.
    pub reserved: Amount,
    /// When what was used is forgotten; never, where the budget is for all time.
    pub resets_at: Option<DateTime<Utc>>,
}

impl Budget {
    /// Sets what may be used. What is used already in the period still counts, unless the period is another.
    ///
    /// # Errors
    /// Never; it may be set at any time.
    pub fn set(&self, owner: BudgetOwner, terms: Terms, at: DateTime<Utc>) -> Decision<Self> {
        let same = self.limits == Some((owner, terms));
        Ok(if same { vec![] } else { vec![BudgetSet { owner, terms, at }.into()] })
    }

    /// Limits nothing any more.
    ///
    /// # Errors
    /// Never; where nothing is limited it is so already.
    pub fn remove(&self, at: DateTime<Utc>) -> Decision<Self> {
        Ok(if self.limits.is_some() { vec![BudgetRemoved { at }.into()] } else { vec![] })
    }

    /// Keeps for a model call what it may use. What is kept for it already is enough.
    ///
    /// # Errors
    /// [`BudgetError::Exhausted`] where that does not fit beside what is used and kept.
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

    /// Notes what a model call used, whether or not anything was kept for it.
    ///
    /// # Errors
    /// Never; where nothing is limited nothing is noted.
    pub fn settle(&self, settlement: &Settlement, at: DateTime<Utc>) -> Decision<Self> {
        let settled = || BudgetSettled { settlement: settlement.clone(), at }.into();
        Ok(self.limits.map(|_| settled()).into_iter().collect())
    }

    /// Frees what is kept for a model call that will not answer.
    ///
    /// # Errors
    /// Never; where nothing is kept it is so already.
    pub fn release(&self, operation: OperationId) -> Decision<Self> {
        let kept = self.open.contains_key(&operation);
        Ok(if kept { vec![BudgetReleased { operation }.into()] } else { vec![] })
    }

    /// Whether anything is limited.
    #[must_use]
    pub const fn limits(&self) -> bool {
        self.limits.is_some()
    }

    /// How often what may be used was changed; what calls use does not count.
    #[must_use]
    pub const fn revision(&self) -> u64 {
        self.revision
    }

    /// What calls under way may use.
    #[must_use]
    pub fn reserved(&self) -> Amount {
        self.open.values().fold(Amount::default(), |sum, (_, amount)| sum.plus(*amount))
    }

    /// How it stands at an instant; nothing, where nothing is limited.
    #[must_use]
    pub fn standing(&self, at: DateTime<Utc>) -> Option<Standing> {
        let (owner, terms) = self.limits?;
        let Used { usage, cost_micros } = self.used_at(terms, at);
        let (reserved, resets_at) = (self.reserved(), terms.period.ends(self.window.max(at)));
        Some(Standing { owner, terms, usage, cost_micros, reserved, resets_at })
    }

    /// A clock that goes back does not bring a past period back.
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
