//! The contract of queries over usage.
#![expect(clippy::unwrap_used, reason = "a promise that is broken stops its test")]

use chrono::{Days, NaiveDate};
use devskyy_application::{
    paging::{PageRequest, Part},
    ports::Clock as _,
    runs::{Dimension, Grouping, UsageDays, UsageFilter, UsageRow},
};

use super::{DAY, UsageUnderTest, agent, group, ten, tens};
use crate::contracts::walking::is_walked_once;

/// Two days, two models and two agents; one agent used one model on the first day only.
async fn varied(usage: &UsageUnderTest) -> [NaiveDate; 2] {
    for n in 1..=2 {
        usage.begun(n, 1, n).await;
    }
    let first = usage.today();
    usage.answered(1, &[ten("b/b"), ten("a/z")]).await;
    usage.answered(2, &[ten("b/b"), ten("b/b"), ten("a/z")]).await;
    usage.clock.advance(DAY);
    usage.answered(1, &[ten("b/b")]).await;
    [first, usage.today()]
}

/// The start of the range is inclusive, the end exclusive.
pub async fn only_days_of_the_range_are_told(usage: &UsageUnderTest) {
    usage.begun(1, 1, 1).await;
    let first = usage.today();
    for _ in 0..4 {
        usage.answered(1, &[ten("a/a")]).await;
        usage.clock.advance(DAY);
    }
    let day = |n| first.checked_add_days(Days::new(n));
    let days = UsageDays::parse(day(1), day(3), usage.clock.now()).unwrap();
    let told = usage.told(&UsageFilter { days, ..usage.all(Grouping::by(&[Dimension::Day]).unwrap()) }).await;
    assert_eq!(told.groups.items, [group(day(1), None, None, 1), group(day(2), None, None, 1)]);
    assert_eq!(told.totals, tens(2));
}

/// A filter by agent applies to list and totals.
pub async fn one_agent_can_be_asked_about(usage: &UsageUnderTest) {
    varied(usage).await;
    let of_agent = UsageFilter { agent: Some(agent(2)), ..usage.all(Grouping::by(&[Dimension::Model]).unwrap()) };
    let told = usage.told(&of_agent).await;
    assert_eq!(told.groups.items, [group(None, Some("a/z"), None, 1), group(None, Some("b/b"), None, 2)]);
    assert_eq!(told.totals, tens(3));
}

/// Ungrouped dimensions are summed up; groups are ordered by day, model and agent.
pub async fn what_is_not_told_apart_is_added_up(usage: &UsageUnderTest) {
    use Dimension::{Agent, Day, Model};
    let [first, second] = varied(usage).await.map(Some);
    let (az, bb) = (Some("a/z"), Some("b/b"));
    for (by, told) in [
        (&[Day][..], vec![group(first, None, None, 5), group(second, None, None, 1)]),
        (&[Model], vec![group(None, az, None, 2), group(None, bb, None, 4)]),
        (&[Agent], vec![group(None, None, Some(1), 3), group(None, None, Some(2), 3)]),
        (&[Day, Model], vec![group(first, az, None, 2), group(first, bb, None, 3), group(second, bb, None, 1)]),
        (
            &[Day, Agent],
            vec![group(first, None, Some(1), 2), group(first, None, Some(2), 3), group(second, None, Some(1), 1)],
        ),
        (
            &[Agent, Model],
            vec![
                group(None, az, Some(1), 1),
                group(None, az, Some(2), 1),
                group(None, bb, Some(1), 2),
                group(None, bb, Some(2), 2),
            ],
        ),
        (
            &[Agent, Model, Day],
            vec![
                group(first, az, Some(1), 1),
                group(first, az, Some(2), 1),
                group(first, bb, Some(1), 1),
                group(first, bb, Some(2), 2),
                group(second, bb, Some(1), 1),
            ],
        ),
    ] {
        let found = usage.told(&usage.all(Grouping::by(by).unwrap())).await;
        assert_eq!((found.groups.total(), found.groups.items), (Some(told.len() as u64), told), "{by:?}");
    }
}

/// Totals do not depend on the page.
pub async fn totals_are_of_all_pages(usage: &UsageUnderTest) {
    let [_, second] = varied(usage).await;
    let last = Part::Page(PageRequest { page: 3, page_size: 2 });
    let told = usage.usage.usage(&usage.all(Grouping::ALL), &last).await.unwrap();
    assert_eq!((told.totals, told.groups.total()), (tens(6), Some(5)));
    assert_eq!(told.groups.items, [group(Some(second), Some("b/b"), Some(1), 1)]);
}

/// Pages of every length return each group once.
pub async fn kinds_are_walked_once(usage: &UsageUnderTest) {
    use Dimension::{Agent, Day, Model};
    varied(usage).await;
    for by in [&[Day, Model, Agent][..], &[Model, Agent], &[Day, Model]] {
        let filter = usage.all(Grouping::by(by).unwrap());
        is_walked_once(async |part| usage.usage.usage(&filter, &part).await.unwrap().groups).await;
    }
}

/// Model names that differ in case, or have the maximum length, work as cursors.
pub async fn any_name_of_a_model_has_a_place(usage: &UsageUnderTest) {
    usage.begun(1, 1, 1).await;
    let long: &'static str = Box::leak(format!("p/{}", "ü".repeat(UsageRow::MODEL_LENGTH)).into_boxed_str());
    usage.answered(1, &[ten("p/b"), ten("p/B"), ten("P/b"), ten(long), ten("p/-"), ten("p/b/c")]).await;
    let filter = usage.all(Grouping::by(&[Dimension::Model]).unwrap());
    is_walked_once(async |part| usage.usage.usage(&filter, &part).await.unwrap().groups).await;
    let told = usage.told(&filter).await.groups.items;
    let names: Vec<_> = told.iter().filter_map(|group| group.model.as_deref()).collect();
    let cut = format!("p/{}", "ü".repeat(UsageRow::MODEL_LENGTH - 2));
    assert_eq!(names, ["P/b", "p/-", "p/B", "p/b", "p/b/c", &cut]);
}
