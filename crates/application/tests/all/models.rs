//! Models by name: fallbacks, and circuit breakers.

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use devskyy_application::{
    error::PortError,
    models::{
        BreakerHabits, ConfiguredModels as _, ModelAnswer, ModelError, ModelPrices as _, ModelProviders, ModelRequest,
        Models as _, PriceListOf, Provided, Route, RoutedModels,
    },
};
use devskyy_domain::{
    kernel::ids::ProjectId,
    models::{AllowedModels, Price, PriceList},
};
use devskyy_testkit::{
    contracts::models::question,
    fakes::{FixedClock, Heard, NamedModels, NoDeltas, ScriptedModels, Turn},
};
use uuid::Uuid;

struct Routed {
    models: RoutedModels,
    clock: Arc<FixedClock>,
    first: Arc<ScriptedModels>,
    second: Arc<ScriptedModels>,
}

/// The providers `first` and `second`, with these turns.
fn routed(first: impl IntoIterator<Item = Turn>, second: impl IntoIterator<Item = Turn>) -> Routed {
    let (first, second) = (Arc::new(ScriptedModels::taking(first)), Arc::new(ScriptedModels::taking(second)));
    let clock = Arc::new(FixedClock::default());
    let providers = NamedModels::default()
        .with("first", first.clone())
        .with("second", second.clone())
        .with_provided("off", Provided::Off("the provider is disabled"));
    let models = RoutedModels::new(Arc::new(providers), clock.clone(), BreakerHabits::default());
    Routed { models, clock, first, second }
}

fn asking(model: &str, fallbacks: &[&str]) -> ModelRequest {
    let fallbacks = fallbacks.iter().map(|name| (*name).to_owned()).collect();
    ModelRequest { model: model.to_owned(), fallbacks, ..question() }
}

impl Routed {
    async fn ask(&self, model: &str, fallbacks: &[&str]) -> Result<ModelAnswer, ModelError> {
        self.models.ask(&asking(model, fallbacks), &NoDeltas).await
    }
}

fn says(text: &str) -> Turn {
    Turn::says(text)
}

#[tokio::test]
async fn a_model_is_asked_by_the_name_of_its_provider() {
    let it = routed([], [says("hello")]);
    assert_eq!(it.ask("second/m", &[]).await.unwrap().answered_by, "second/m");
}

#[tokio::test]
async fn a_provider_that_cannot_answer_is_replaced_by_the_next() {
    for turn in
        [Turn::RateLimited(None), Turn::Unavailable(None), Turn::Timeout, Turn::TooLong, Turn::Refused(Some(401))]
    {
        let it = routed([turn.clone()], [says("hello")]);
        let answered = it.ask("first/m", &["second/m"]).await.map(|answer| answer.answered_by);
        assert_eq!(answered.ok().as_deref(), Some("second/m"), "{turn:?}");
    }
}

#[tokio::test]
async fn a_question_that_is_wrong_is_put_to_nobody_else() {
    let it = routed([Turn::Refused(Some(400))], [says("hello")]);
    let failure = it.ask("first/m", &["second/m"]).await.unwrap_err();
    assert!(matches!(failure, ModelError::Refused { status: Some(400), .. }) && it.second.asked().is_empty());
}

#[tokio::test]
async fn a_provider_that_is_off_is_replaced_by_the_next() {
    let it = routed([], [says("hello")]);
    assert_eq!(it.ask("off/m", &["second/m"]).await.unwrap().text, "hello");
}

#[tokio::test]
async fn nobody_by_that_name_is_told_with_what_is_missing() {
    let failure = routed([], []).ask("third/m", &[]).await.unwrap_err();
    assert_eq!(failure.to_string(), "`third/m` cannot be asked: there is no provider `third`");
}

#[tokio::test]
async fn of_all_failures_one_that_may_pass_is_told() {
    let it = routed([Turn::Unavailable(None)], [Turn::Refused(Some(401))]);
    let failure = it.ask("third/m", &["first/m", "second/m"]).await.unwrap_err();
    assert!(matches!(failure, ModelError::Unavailable { .. }), "{failure:?}");
}

#[tokio::test]
async fn that_a_model_is_left_alone_is_told_where_nobody_else_was_asked() {
    let it = routed([Turn::RateLimited(Some(Duration::from_secs(60)))], []);
    it.ask("first/m", &[]).await.unwrap_err();
    let failure = it.ask("first/m", &["off/m"]).await.unwrap_err();
    assert!(matches!(failure, ModelError::Resting { .. }), "{failure:?}");
}

#[tokio::test]
async fn that_a_model_is_left_alone_is_not_told_where_a_fallback_was_asked_and_failed() {
    let it = routed([Turn::RateLimited(Some(Duration::from_secs(60)))], [Turn::Timeout]);
    it.ask("first/m", &[]).await.unwrap_err();
    let failure = it.ask("first/m", &["second/m"]).await.unwrap_err();
    assert!(matches!(failure, ModelError::Timeout), "{failure:?}");
}

#[tokio::test]
async fn what_a_failed_model_said_is_taken_back() {
    let it = routed([Turn::BreaksOff("Once upon".to_owned())], [says("hello")]);
    let heard = Heard::default();
    it.models.ask(&asking("first/m", &["second/m"]), &heard).await.unwrap();
    assert_eq!(heard.pieces(), ["hello"]);
}

#[tokio::test]
async fn a_model_that_keeps_failing_is_left_alone() {
    let it = routed(std::iter::repeat_n(Turn::Unavailable(None), 9), []);
    for _ in 0..9 {
        it.ask("first/m", &[]).await.unwrap_err();
    }
    assert_eq!(it.first.asked().len(), 5);
}

#[tokio::test]
async fn a_project_in_a_hurry_does_not_have_a_model_left_alone_for_others() {
    let silent = Turn::FallsSilent("Once upon".to_owned());
    let it = routed(std::iter::repeat_n(silent, 9).chain([says("hello")]), []);
    let hurried = ModelRequest { timeout: Duration::from_millis(2), ..asking("first/m", &[]) };
    for _ in 0..9 {
        it.models.ask(&hurried, &NoDeltas).await.unwrap_err();
    }
    let other = ModelRequest { project: ProjectId::from(Uuid::from_u128(8)), ..asking("first/m", &[]) };
    assert_eq!(it.models.ask(&other, &NoDeltas).await.unwrap().text, "hello");
}

#[tokio::test]
async fn a_provider_that_keeps_silent_is_left_alone_for_all() {
    let it = routed(std::iter::repeat_n(Turn::Timeout, 9), []);
    for _ in 0..9 {
        it.ask("first/m", &[]).await.unwrap_err();
    }
    assert_eq!(it.first.asked().len(), 5);
}

#[tokio::test]
async fn another_model_of_the_same_provider_is_not_left_alone_with_it() {
    let it = routed(std::iter::repeat_n(Turn::Unavailable(None), 5).chain([says("hello")]), []);
    for _ in 0..5 {
        it.ask("first/m", &[]).await.unwrap_err();
    }
    assert_eq!(it.ask("first/n", &[]).await.unwrap().text, "hello");
}

#[tokio::test]
async fn a_provider_is_left_alone_for_as_long_as_it_says() {
    let it = routed([Turn::RateLimited(Some(Duration::from_secs(60))), says("hello")], []);
    it.ask("first/m", &[]).await.unwrap_err();
    it.clock.advance(Duration::from_secs(59));
    let early = it.ask("first/m", &[]).await.unwrap_err();
    it.clock.advance(Duration::from_secs(1));
    let late = it.ask("first/m", &[]).await.unwrap().text;
    let ModelError::Resting { retry_after } = early else { panic!("{early:?}") };
    assert_eq!((retry_after, late.as_str()), (Duration::from_secs(1), "hello"));
}

#[tokio::test]
async fn one_question_sees_whether_a_provider_works_again() {
    let it = routed(std::iter::repeat_n(Turn::Unavailable(None), 5).chain([says("hello"), says("again")]), []);
    for _ in 0..5 {
        it.ask("first/m", &[]).await.unwrap_err();
    }
    it.clock.advance(Duration::from_secs(10));
    it.ask("first/m", &[]).await.unwrap();
    assert_eq!(it.ask("first/m", &[]).await.unwrap().text, "again");
}

#[tokio::test]
async fn a_probe_whose_caller_goes_away_makes_room_for_another() {
    let silent = Turn::FallsSilent(String::new());
    let it = routed([Turn::Unavailable(Some(Duration::from_secs(5))), silent, says("hello")], []);
    it.ask("first/m", &[]).await.unwrap_err();
    it.clock.advance(Duration::from_secs(5));
    tokio::time::timeout(Duration::from_millis(20), it.ask("first/m", &[])).await.unwrap_err();
    assert_eq!(it.ask("first/m", &[]).await.unwrap().text, "hello");
}

#[tokio::test]
async fn a_model_is_known_where_its_provider_can_be_asked() {
    let it = routed([], []);
    let mut known = vec![];
    for name in ["first/m", "third/m", "off/m", "first", "first/"] {
        known.push(it.models.knows(question().project, name).await.unwrap());
    }
    assert_eq!(known, [true, false, false, false, false]);
}

#[tokio::test]
async fn a_model_without_a_price_has_none() {
    assert_eq!(routed([], []).models.price(question().project, "first/m").await.unwrap(), None);
}

/// Providers that count the lookups of one of them.
struct Counted(NamedModels, AtomicUsize);

#[async_trait]
impl ModelProviders for Counted {
    async fn find(&self, project: ProjectId, name: &str) -> Result<Option<Provided>, PortError> {
        self.1.fetch_add(1, Ordering::SeqCst);
        self.0.find(project, name).await
    }
}

/// A provider whose one model takes this turn and has this price per input token.
fn priced(id: &str, turn: Turn, input: u64) -> Provided {
    let price = Price { input, ..Price::default() };
    Provided::Ready(Box::new(Route {
        id: id.to_owned(),
        models: Arc::new(ScriptedModels::taking([turn])),
        allowed: AllowedModels::default(),
        prices: PriceList::parse(BTreeMap::from([("m".to_owned(), price)])).unwrap(),
        price_list: PriceListOf::Configuration,
    }))
}

fn counted(first: Turn, second: Turn) -> (RoutedModels, Arc<Counted>) {
    let providers = NamedModels::default()
        .with_provided("first", priced("first", first, 9))
        .with_provided("second", priced("second", second, 2));
    let providers = Arc::new(Counted(providers, AtomicUsize::new(0)));
    (RoutedModels::new(providers.clone(), Arc::new(FixedClock::default()), BreakerHabits::default()), providers)
}

#[tokio::test]
async fn an_answer_brings_the_price_of_the_model_that_gave_it() {
    let (models, _) = counted(Turn::Unavailable(None), says("hello"));
    let answer = models.ask(&asking("first/m", &["second/m"]), &NoDeltas).await.unwrap();
    assert_eq!(answer.price.map(|applied| applied.price.input), Some(2));
}

#[tokio::test]
async fn a_provider_is_looked_up_once_for_an_answer_and_its_price() {
    let (models, providers) = counted(says("hello"), says("hello"));
    models.ask(&asking("first/m", &["second/m"]), &NoDeltas).await.unwrap();
    assert_eq!(providers.1.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn an_answer_of_a_model_without_a_price_brings_none() {
    let answer = routed([says("hello")], []).ask("first/m", &[]).await.unwrap();
    assert_eq!(answer.price, None);
}
