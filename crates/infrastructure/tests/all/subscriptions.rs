//! How subscriptions are doing, as operators are told.

use std::time::Duration;

use devskyy_application::es::{Checkpoints as _, SetAside as _};
use devskyy_infrastructure::es::{SqlCheckpoints, SqlSetAside, SubscriptionState, subscriptions};
use devskyy_testkit::fakes::SequentialIds;

use crate::databases::{self, Fresh};

/// One subscription that goes on, and one that stopped before position 8.
async fn one_of_two_stopped(fresh: Fresh) {
    let (checkpoints, owner) = (SqlCheckpoints::new(fresh.db.clone()), SequentialIds::nth(1));
    let going = checkpoints.claim("a.goes", owner, Duration::from_secs(60)).await.unwrap().unwrap();
    assert!(checkpoints.advance(&going, 5).await.unwrap());
    let stuck = checkpoints.claim("b.stops", owner, Duration::from_secs(60)).await.unwrap().unwrap();
    assert!(checkpoints.stop(&stuck, 8, "it cannot be read").await.unwrap());
    let odd = (3, "it is odd".to_owned());
    SqlSetAside::new(fresh.db.clone()).put("a.goes", odd.0, &odd.1, Duration::from_secs(60)).await.unwrap();
    let stopped = Some((8, "it cannot be read".to_owned()));
    let wanted = [
        SubscriptionState { name: "a.goes".to_owned(), position: 5, stopped: None, aside: vec![odd] },
        SubscriptionState { name: "b.stops".to_owned(), position: 7, stopped, aside: vec![] },
    ];
    assert_eq!(subscriptions(&fresh.db).await.unwrap(), wanted);
}

#[tokio::test]
async fn a_stopped_subscription_is_told_with_its_place_and_reason_on_sqlite() {
    one_of_two_stopped(databases::sqlite().await).await;
}

#[tokio::test]
#[ignore = "needs PostgreSQL"]
async fn a_stopped_subscription_is_told_with_its_place_and_reason_on_postgres() {
    one_of_two_stopped(databases::postgres().await).await;
}
