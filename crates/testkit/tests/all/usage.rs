//! Usage in memory keeps the contract, and the contract detects adapters that break a promise.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::sync::Arc;

use async_trait::async_trait;
use chrono::Days;
use devskyy_application::{
    error::PortError,
    paging::{Beyond, Part},
    runs::{Grouping, ModelUse, ProjectUsage, UsageDays, UsageFilter, UsageViews},
};
use devskyy_testkit::contracts::usage::{UsageUnderTest, agent, project};

async fn in_memory() -> UsageUnderTest {
    UsageUnderTest::in_memory()
}

devskyy_testkit::usage_contract!(in_memory);

/// An adapter with one flaw.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Flaw {
    /// Counts a call too many.
    Inventive,
    /// Includes days that were not requested.
    Timeless,
    /// Includes all agents.
    Nosy,
    /// Adds what another project used.
    Indiscreet,
    /// Groups by everything.
    Pedantic,
    /// Adds up only what is on the page.
    Shortsighted,
    /// Reports that a list ends after its first part.
    EndsEarly,
    /// Reports every price as known.
    Sure,
    /// Reports that every provider reported its usage.
    Trusting,
    /// Dates everything a day late.
    Late,
    /// Attributes everything to one agent.
    Parental,
    /// Ignores case.
    CaseBlind,
    /// Does not return the position of the last addition.
    Placeless,
}

const FLAWS: [Flaw; 13] = [
    Flaw::Inventive,
    Flaw::Timeless,
    Flaw::Nosy,
    Flaw::Indiscreet,
    Flaw::Pedantic,
    Flaw::Shortsighted,
    Flaw::EndsEarly,
    Flaw::Sure,
    Flaw::Trusting,
    Flaw::Late,
    Flaw::Parental,
    Flaw::CaseBlind,
    Flaw::Placeless,
];

struct Flawed {
    usage: Arc<dyn UsageViews>,
    flaw: Flaw,
}

impl Flawed {
    fn asked(&self, filter: &UsageFilter) -> UsageFilter {
        let mut filter = *filter;
        match self.flaw {
            Flaw::Timeless => {
                let to = filter.days.to().checked_add_days(Days::new(100)).unwrap();
                let from = to.checked_sub_days(Days::new(UsageDays::MOST));
                filter.days = UsageDays::parse(from, Some(to), chrono::DateTime::UNIX_EPOCH).unwrap();
            }
            Flaw::Nosy => filter.agent = None,
            Flaw::Pedantic => filter.by = Grouping::ALL,
            _ => {}
        }
        filter
    }

    fn spoilt(&self, told: &mut ProjectUsage) {
        let items = &mut told.groups.items;
        match self.flaw {
            Flaw::Inventive => {
                told.totals.calls += 1;
                items.iter_mut().for_each(|group| group.used.calls += 1);
            }
            Flaw::Shortsighted => {
                told.totals = items.iter().fold(ModelUse::default(), |sum, group| sum.plus(&group.used));
            }
            Flaw::EndsEarly => {
                if matches!(told.groups.beyond, Beyond::Next(_)) {
                    told.groups.beyond = Beyond::Next(None);
                }
            }
            Flaw::Sure => told.totals.unpriced_calls = 0,
            Flaw::Trusting => told.totals.estimated_calls = 0,
            Flaw::Late => items.iter_mut().for_each(|group| group.day = group.day.and_then(|day| day.succ_opt())),
            Flaw::Parental => items.iter_mut().for_each(|group| group.agent = group.agent.map(|_| agent(1))),
            Flaw::CaseBlind => {
                let lower = |name: &mut String| *name = name.to_lowercase();
                items.iter_mut().for_each(|group| group.model.iter_mut().for_each(lower));
            }
            Flaw::Placeless => told.position = 0,
            Flaw::Timeless | Flaw::Nosy | Flaw::Indiscreet | Flaw::Pedantic => {}
        }
    }
}

#[async_trait]
impl UsageViews for Flawed {
    async fn usage(&self, filter: &UsageFilter, part: &Part) -> Result<ProjectUsage, PortError> {
        let mut told = self.usage.usage(&self.asked(filter), part).await?;
        if self.flaw == Flaw::Indiscreet {
            let other = self.usage.usage(&UsageFilter { project: project(2), ..*filter }, part).await?;
            told.totals = told.totals.plus(&other.totals);
        }
        self.spoilt(&mut told);
        Ok(told)
    }
}

fn flawed() -> [UsageUnderTest; 13] {
    FLAWS.map(|flaw| {
        let honest = UsageUnderTest::in_memory();
        let usage = Arc::new(Flawed { usage: honest.usage.clone(), flaw });
        UsageUnderTest { usage, ..honest }
    })
}

mod caught {
    use super::flawed;

    devskyy_testkit::usage_contract!(broken flawed);
}
