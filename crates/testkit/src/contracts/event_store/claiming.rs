#![expect(clippy::unwrap_used, reason = "a broken promise is a panic")]

use devskyy_application::es::{AppendError, Precondition};

use super::{
    LogUnderTest,
    requests::{Request, lamp},
};

/// A second owner gets the value that is taken.
pub async fn a_claimed_value_has_one_owner(log: &mut dyn LogUnderTest) {
    let store = log.store();
    Request::to(lamp(1), &["a"]).taking("ada", 1).ask(&*store).await.unwrap();
    let refused = Request::to(lamp(2), &["b"]).taking("eve", 2).taking("ada", 2).ask(&*store).await;
    let Err(AppendError::ClaimTaken { claim }) = refused else { panic!("{refused:?}") };
    assert_eq!((claim.scope.as_str(), claim.value.as_str()), ("lamp.name", "ada"));
    assert_eq!(store.head().await.unwrap(), 1);
}

/// Claiming a value again changes nothing.
pub async fn an_owner_may_claim_again(log: &mut dyn LogUnderTest) {
    let store = log.store();
    for _ in 0..2 {
        Request::to(lamp(1), &["a"]).taking("ada", 1).ask(&*store).await.unwrap();
    }
}

/// A released value can be claimed.
pub async fn a_value_given_back_can_be_claimed_by_another(log: &mut dyn LogUnderTest) {
    let store = log.store();
    Request::to(lamp(1), &["a"]).taking("ada", 1).ask(&*store).await.unwrap();
    Request::to(lamp(1), &["b"]).releasing("ada", 1).ask(&*store).await.unwrap();
    log.restart().await;
    let store = log.store();
    Request::to(lamp(2), &["c"]).taking("ada", 2).ask(&*store).await.unwrap();
    assert!(Request::to(lamp(1), &["d"]).taking("ada", 1).ask(&*store).await.is_err());
}

/// Releasing a value of another owner does nothing.
pub async fn only_the_owner_can_give_a_value_back(log: &mut dyn LogUnderTest) {
    let store = log.store();
    Request::to(lamp(1), &["a"]).taking("ada", 1).ask(&*store).await.unwrap();
    Request::to(lamp(2), &["b"]).releasing("ada", 2).ask(&*store).await.unwrap();
    assert!(Request::to(lamp(2), &["c"]).taking("ada", 2).ask(&*store).await.is_err());
}

/// Claim changes of one request apply in order.
pub async fn a_value_changes_hands_within_one_request(log: &mut dyn LogUnderTest) {
    let store = log.store();
    Request::to(lamp(1), &["a"]).taking("ada", 1).ask(&*store).await.unwrap();
    Request::to(lamp(1), &["b"]).releasing("ada", 1).taking("ada", 2).ask(&*store).await.unwrap();
    assert!(Request::to(lamp(1), &["c"]).taking("ada", 1).ask(&*store).await.is_err());
    let both = Request::to(lamp(1), &["d"]).taking("eve", 1).taking("eve", 2).ask(&*store).await;
    assert!(matches!(both, Err(AppendError::ClaimTaken { .. })), "{both:?}");
}

/// Claims are atomic with the request, too.
pub async fn a_refused_request_takes_no_claim(log: &mut dyn LogUnderTest) {
    let store = log.store();
    let refused = Request::when(lamp(1), Precondition::Exists, &["a"]).taking("ada", 1).ask(&*store).await;
    assert!(matches!(refused, Err(AppendError::Conflict { .. })), "{refused:?}");
    Request::to(lamp(2), &["b"]).taking("ada", 2).ask(&*store).await.unwrap();
}
