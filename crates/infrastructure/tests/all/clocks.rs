//! Processes that share a log but whose clocks differ.

use std::{sync::Arc, time::Duration};

use chrono::{DateTime, TimeDelta, Utc};
use devskyy_application::{
    es::{EventFilter, EventStore},
    ports::Clock,
};
use devskyy_infrastructure::{es::SqlEventStore, system::SystemClock};
use devskyy_testkit::{
    contracts::event_store::{Request, lamp},
    fakes::FixedClock,
};

use crate::databases::{Fresh, postgres, sqlite};

/// The times of events recorded by three processes in turn, of which the second has a wrong clock.
async fn recorded_with_one_off(fresh: &Fresh, off: TimeDelta) -> Vec<DateTime<Utc>> {
    let clocks: [Arc<dyn Clock>; 3] =
        [Arc::new(SystemClock), Arc::new(FixedClock::at(SystemClock.now() + off)), Arc::new(SystemClock)];
    let mut times = Vec::new();
    for (n, clock) in (0..).zip(clocks) {
        let store = SqlEventStore::start_shared(fresh.db.clone(), clock, Vec::new()).await.unwrap();
        Request::to(lamp(n), &["a"]).ask(&store).await.unwrap();
        times.extend(
            store.read_all(n, 1, &EventFilter::default()).await.unwrap().events.iter().map(|it| it.recorded_at),
        );
        store.stop().await;
    }
    times
}

fn span(times: &[DateTime<Utc>]) -> Duration {
    let (first, last) = (times.iter().min().unwrap(), times.iter().max().unwrap());
    (*last - *first).to_std().unwrap()
}

#[tokio::test]
#[ignore = "needs PostgreSQL"]
async fn a_process_whose_clock_is_an_hour_ahead_moves_the_time_of_the_log_nowhere() {
    let times = recorded_with_one_off(&postgres().await, TimeDelta::hours(1)).await;
    assert!(times.len() == 3 && span(&times) < Duration::from_secs(60), "{times:?}");
}

#[tokio::test]
#[ignore = "needs PostgreSQL"]
async fn a_process_whose_clock_is_an_hour_behind_records_at_the_right_time() {
    let times = recorded_with_one_off(&postgres().await, TimeDelta::hours(-1)).await;
    assert!(times.is_sorted_by(|one, next| one < next), "{times:?}");
}

/// There is no other clock.
#[tokio::test]
async fn on_sqlite_the_time_waits_for_the_clock_to_catch_up() {
    let times = recorded_with_one_off(&sqlite().await, TimeDelta::hours(1)).await;
    assert_eq!(times[2], times[1]);
}
