use chrono::TimeDelta;
use devskyy_application::identity::{Charge, Charged, KNOWN_FOR, Spent};
use futures_util::future::join_all;

use super::{PeopleUnderTest, sessions::now};

const WINDOW: TimeDelta = TimeDelta::minutes(15);

fn charge(allowance: u8, most: u32) -> Charge {
    Charge { allowance: [allowance; 32], most, window: WINDOW }
}

async fn attempt(people: &PeopleUnderTest, allowance: u8, most: u32) -> Charged {
    people.attempts.charge(&[charge(allowance, most)], now()).await.unwrap()
}

fn within(count: u32) -> Charged {
    Charged::Within(vec![Spent { count, until: now() + WINDOW }])
}

/// Exactly as many attempts as allowed.
pub async fn an_allowance_is_used_up(people: &PeopleUnderTest) {
    let outcomes = [attempt(people, 1, 2).await, attempt(people, 1, 2).await, attempt(people, 1, 2).await];
    assert_eq!(outcomes, [within(1), within(2), Charged::Exhausted { until: now() + WINDOW }]);
}

/// Keys are counted independently.
pub async fn allowances_do_not_touch_each_other(people: &PeopleUnderTest) {
    attempt(people, 1, 1).await;
    assert_eq!(attempt(people, 2, 1).await, within(1));
}

/// The window begins with the first attempt and ends for all of them.
pub async fn an_allowance_is_whole_again_after_its_window(people: &PeopleUnderTest) {
    attempt(people, 1, 1).await;
    let later = now() + WINDOW;
    let outcome = people.attempts.charge(&[charge(1, 1)], later).await.unwrap();
    assert_eq!(outcome, Charged::Within(vec![Spent { count: 1, until: later + WINDOW }]));
}

/// Refused attempts do not extend the window.
pub async fn a_later_attempt_does_not_prolong_the_window(people: &PeopleUnderTest) {
    attempt(people, 1, 1).await;
    let late = now() + WINDOW - TimeDelta::seconds(1);
    let outcome = people.attempts.charge(&[charge(1, 1)], late).await.unwrap();
    assert_eq!(outcome, Charged::Exhausted { until: now() + WINDOW });
}

/// Parallel guesses do not exceed the limit.
pub async fn of_twenty_parallel_attempts_only_five_are_within_five(people: &PeopleUnderTest) {
    let outcomes = join_all((0..20).map(|_| attempt(people, 1, 5))).await;
    assert_eq!(outcomes.iter().filter(|it| matches!(it, Charged::Within(_))).count(), 5, "{outcomes:?}");
}

/// If one limit is exhausted, none is charged.
pub async fn a_refused_attempt_is_counted_nowhere(people: &PeopleUnderTest) {
    attempt(people, 2, 1).await;
    let charges = [charge(1, 5), charge(2, 1), charge(3, 5)];
    people.attempts.charge(&charges, now()).await.unwrap();
    assert_eq!((attempt(people, 1, 5).await, attempt(people, 3, 5).await), (within(1), within(1)));
}

/// The results are in the order of the charges.
pub async fn counts_are_told_in_the_order_of_the_charges(people: &PeopleUnderTest) {
    attempt(people, 1, 5).await;
    let outcome = people.attempts.charge(&[charge(2, 5), charge(1, 5)], now()).await.unwrap();
    let spent = |count| Spent { count, until: now() + WINDOW };
    assert_eq!(outcome, Charged::Within(vec![spent(1), spent(2)]));
}

/// A successful attempt is not counted.
pub async fn a_refund_gives_one_attempt_back(people: &PeopleUnderTest) {
    attempt(people, 1, 2).await;
    attempt(people, 1, 2).await;
    people.attempts.refund(&[[1; 32]]).await.unwrap();
    assert_eq!(
        (attempt(people, 1, 2).await, attempt(people, 1, 2).await),
        (within(2), Charged::Exhausted { until: now() + WINDOW })
    );
}

/// The count never becomes negative.
pub async fn a_refund_gives_back_no_more_than_was_counted(people: &PeopleUnderTest) {
    attempt(people, 1, 2).await;
    people.attempts.refund(&[[1; 32], [1; 32], [2; 32]]).await.unwrap();
    assert_eq!(attempt(people, 1, 2).await, within(1));
}

/// Each source is stored separately, with its last login.
pub async fn a_source_is_remembered_with_its_last_sign_in(people: &PeopleUnderTest) {
    let later = now() + TimeDelta::days(1);
    people.attempts.remember(&[1; 32], now()).await.unwrap();
    people.attempts.remember(&[1; 32], later).await.unwrap();
    let seen = (people.attempts.last_seen(&[1; 32]).await.unwrap(), people.attempts.last_seen(&[2; 32]).await.unwrap());
    assert_eq!(seen, (Some(later), None));
}

/// Expired windows are removed.
pub async fn windows_that_are_over_are_swept(people: &PeopleUnderTest) {
    attempt(people, 1, 1).await;
    people.attempts.remember(&[1; 32], now()).await.unwrap();
    assert_eq!(people.perishables.attempts.sweep(now() + WINDOW + TimeDelta::seconds(1)).await.unwrap(), 1);
    assert_eq!(people.attempts.last_seen(&[1; 32]).await.unwrap(), Some(now()));
}

/// A source that was not seen for long becomes unknown.
pub async fn sources_not_seen_for_long_are_swept(people: &PeopleUnderTest) {
    people.attempts.remember(&[1; 32], now()).await.unwrap();
    people.perishables.attempts.sweep(now() + KNOWN_FOR + TimeDelta::seconds(1)).await.unwrap();
    assert_eq!(people.attempts.last_seen(&[1; 32]).await.unwrap(), None);
}

/// A sweep does not reset current windows.
pub async fn windows_that_count_are_spared(people: &PeopleUnderTest) {
    attempt(people, 1, 1).await;
    people.perishables.attempts.sweep(now() + WINDOW).await.unwrap();
    assert_eq!(attempt(people, 1, 1).await, Charged::Exhausted { until: now() + WINDOW });
}
