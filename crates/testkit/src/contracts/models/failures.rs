//! The contract of failed model calls and their classification.

use std::time::Duration;

use devskyy_application::models::{ModelError, ModelRequest};
use devskyy_domain::conversation::TokenCount;

use super::{Act, ModelsUnderTest, Reply, question};
use crate::fakes::{Heard, NoDeltas};

const fn status(status: u16) -> Act {
    Act::Status { status, retry_after: None, code: "some_error" }
}

fn waits(error: &ModelError) -> Option<Duration> {
    match error {
        ModelError::RateLimited { retry_after } => *retry_after,
        other => panic!("{other:?}"),
    }
}

fn status_of(error: &ModelError) -> Option<u16> {
    match error {
        ModelError::Refused { status, .. } => *status,
        other => panic!("{other:?}"),
    }
}

fn hurried() -> ModelRequest {
    ModelRequest { timeout: Duration::from_millis(200), ..question() }
}

/// `Retry-After` as a number of seconds.
pub async fn too_many_questions_may_be_asked_again_after_so_many_seconds(under_test: &ModelsUnderTest) {
    let act = Act::Status { status: 429, retry_after: Some("7"), code: "rate_limit_error" };
    assert_eq!(waits(&under_test.failure(act).await), Some(Duration::from_secs(7)));
}

/// `Retry-After` as a date, half a minute after the test's clock.
pub async fn too_many_questions_may_be_asked_again_after_a_date(under_test: &ModelsUnderTest) {
    let date = Some("Thu, 01 Jan 2026 12:00:30 GMT");
    let act = Act::Status { status: 429, retry_after: date, code: "rate_limit_error" };
    assert_eq!(waits(&under_test.failure(act).await), Some(Duration::from_secs(30)));
}

/// The requested delay is returned.
pub async fn an_overloaded_provider_may_be_asked_again(under_test: &ModelsUnderTest) {
    let failure =
        under_test.failure(Act::Status { status: 529, retry_after: Some("3"), code: "overloaded_error" }).await;
    let ModelError::Unavailable { retry_after, .. } = failure else { panic!("{failure:?}") };
    assert_eq!(retry_after, Some(Duration::from_secs(3)));
}

/// A server error is temporary.
pub async fn a_failed_provider_may_be_asked_again(under_test: &ModelsUnderTest) {
    let failure = under_test.failure(status(500)).await;
    assert!(matches!(failure, ModelError::Unavailable { .. }), "{failure:?}");
}

/// The key is not in the message.
pub async fn a_wrong_key_is_refused_for_good(under_test: &ModelsUnderTest) {
    let failure = under_test.failure(status(401)).await;
    assert!(status_of(&failure) == Some(401) && !format!("{failure:?}").contains("sk-test"), "{failure:?}");
}

/// Retrying does not help.
pub async fn a_wrong_question_is_refused_for_good(under_test: &ModelsUnderTest) {
    assert_eq!(status_of(&under_test.failure(status(400)).await), Some(400));
}

/// Compaction or another model may help.
pub async fn a_question_that_is_too_long_is_told_apart(under_test: &ModelsUnderTest) {
    for code in ["context_length_exceeded", "prompt is too long: 9 tokens > 8 maximum"] {
        let failure = under_test.failure(Act::Status { status: 400, retry_after: None, code }).await;
        assert!(matches!(failure, ModelError::TooLong { .. }), "{failure:?}");
    }
}

/// It has the status of a rate limit, but is permanent.
pub async fn an_unpaid_account_is_refused_for_good(under_test: &ModelsUnderTest) {
    let act = Act::Status { status: 429, retry_after: None, code: "insufficient_quota" };
    assert_eq!(status_of(&under_test.failure(act).await), Some(429));
}

/// The key must not be sent to another host.
pub async fn a_redirect_is_not_followed(under_test: &ModelsUnderTest) {
    assert_eq!(status_of(&under_test.failure(status(307)).await), Some(307));
}

/// A partial answer does not count.
pub async fn an_answer_that_breaks_off_is_none(under_test: &ModelsUnderTest) {
    let failure = under_test.failure(Act::BreakOff("Once upon")).await;
    assert!(matches!(failure, ModelError::Unavailable { .. }), "{failure:?}");
}

/// For example a proxy's error page.
pub async fn nonsense_is_no_answer(under_test: &ModelsUnderTest) {
    let failure = under_test.failure(Act::Nonsense).await;
    assert!(matches!(failure, ModelError::Unavailable { .. }), "{failure:?}");
}

/// Neither text nor calls would end a run without a result. It is billed nevertheless.
pub async fn an_answer_with_nothing_in_it_is_none(under_test: &ModelsUnderTest) {
    let usage = TokenCount { input: 7, output: 2, ..TokenCount::default() };
    let failure = under_test.failure(Act::Answer(Reply { usage, ..Reply::says(&[]) })).await;
    let ModelError::Unusable { answer, .. } = failure else { panic!("{failure:?}") };
    assert_eq!(answer.usage, usage);
}

/// It is unknown whether the answer is complete.
pub async fn an_answer_that_stops_for_an_unknown_reason_is_none(under_test: &ModelsUnderTest) {
    let failure = under_test.failure(Act::Stops("insufficient_system_resource")).await;
    assert!(matches!(failure, ModelError::Unavailable { .. }), "{failure:?}");
}

/// An answer is limited in size.
pub async fn an_endless_answer_is_refused(under_test: &ModelsUnderTest) {
    under_test.stage.prepare(Act::Endless);
    let failure = under_test.models.ask(&question(), &NoDeltas).await.expect_err("no answer");
    assert_eq!(status_of(&failure), None);
}

/// Within the request's deadline; distinct from the provider's own timeout.
pub async fn a_silent_provider_runs_out_of_time(under_test: &ModelsUnderTest) {
    under_test.stage.prepare(Act::Silence);
    let failure = under_test.models.ask(&hurried(), &NoDeltas).await.expect_err("no answer");
    assert!(matches!(failure, ModelError::OutOfTime), "{failure:?}");
}

/// The deadline also applies after the first bytes.
pub async fn a_provider_that_falls_silent_runs_out_of_time(under_test: &ModelsUnderTest) {
    under_test.stage.prepare(Act::Stall("Once upon"));
    let heard = Heard::default();
    let failure = under_test.models.ask(&hurried(), &heard).await.expect_err("no answer");
    assert!(matches!(failure, ModelError::OutOfTime) && heard.pieces() == ["Once upon"], "{failure:?}");
}

/// The provider can stop, too.
pub async fn dropping_the_question_hangs_up(under_test: &ModelsUnderTest) {
    under_test.stage.prepare(Act::Stall("Once upon"));
    let asked = question();
    tokio::time::timeout(Duration::from_millis(300), under_test.models.ask(&asked, &NoDeltas))
        .await
        .expect_err("silence");
    tokio::time::timeout(Duration::from_secs(5), under_test.stage.hung_up()).await.expect("the provider sees it");
}
