#![expect(clippy::unwrap_used, reason = "a broken promise is a panic")]

use devskyy_application::es::{AppendError, Precondition};

use super::{
    LogUnderTest,
    requests::{Request, key, lamp},
};

/// A second request with the same key records nothing, whatever happened in between.
pub async fn a_repeated_key_is_answered_with_the_first_positions(log: &mut dyn LogUnderTest) {
    let store = log.store();
    Request::to(lamp(9), &["x"]).ask(&*store).await.unwrap();
    let request = Request::when(lamp(1), Precondition::NoStream, &["a", "b"]).under(key(1, "k", 1));
    let first = request.clone().ask(&*store).await.unwrap();
    Request::to(lamp(1), &["c"]).ask(&*store).await.unwrap();
    let second = request.ask(&*store).await.unwrap();
    assert_eq!((first.first, first.last, first.replayed), (2, 3, false));
    assert_eq!((second.first, second.last, second.replayed), (2, 3, true));
    assert_eq!(store.head().await.unwrap(), 4);
}

/// A key cannot be reused for another request.
pub async fn a_key_is_bound_to_what_was_asked(log: &mut dyn LogUnderTest) {
    let store = log.store();
    Request::to(lamp(1), &["a"]).under(key(1, "k", 1)).ask(&*store).await.unwrap();
    let other = Request::to(lamp(1), &["b"]).under(key(1, "k", 2)).ask(&*store).await;
    assert!(matches!(other, Err(AppendError::KeyReused)), "{other:?}");
    assert_eq!(store.head().await.unwrap(), 1);
}

/// Two callers may use the same key.
pub async fn keys_of_different_scopes_never_meet(log: &mut dyn LogUnderTest) {
    let store = log.store();
    Request::to(lamp(1), &["a"]).under(key(1, "k", 1)).ask(&*store).await.unwrap();
    assert!(!Request::to(lamp(1), &["b"]).under(key(2, "k", 2)).ask(&*store).await.unwrap().replayed);
    assert_eq!(store.head().await.unwrap(), 2);
}

/// A refused request can be repeated with the same key.
pub async fn a_refused_request_leaves_its_key_unused(log: &mut dyn LogUnderTest) {
    let store = log.store();
    let request = Request::when(lamp(1), Precondition::Exists, &["b"]).under(key(1, "k", 1));
    assert!(request.clone().ask(&*store).await.is_err());
    Request::to(lamp(1), &["a"]).ask(&*store).await.unwrap();
    assert!(!request.ask(&*store).await.unwrap().replayed);
}
