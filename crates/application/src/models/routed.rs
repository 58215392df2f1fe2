//! Routes requests to providers by model name, with fallbacks and circuit breakers.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};
use devskyy_domain::{conversation::AppliedPrice, kernel::ids::ProjectId};

use super::{
    breaker::{BreakerHabits, Leave, Verdict},
    breakers::{BreakerKey, Breakers},
    ports::{ConfiguredModels, Deltas, ModelAnswer, ModelError, ModelRequest, Models},
    routing::{ModelPrices, ModelProviders, Provided, Route},
};
use crate::{error::PortError, ports::Clock};

/// Models by name, `<provider>/<model>`. A project's own providers take precedence over the platform's.
pub struct RoutedModels {
    providers: Arc<dyn ModelProviders>,
    clock: Arc<dyn Clock>,
    breakers: Breakers,
}

impl RoutedModels {
    /// Models of those providers, with one circuit breaker per model and provider for the whole process. Breakers are
    /// stored for failing models only, at most 10,000.
    #[must_use]
    pub fn new(providers: Arc<dyn ModelProviders>, clock: Arc<dyn Clock>, habits: BreakerHabits) -> Self {
        Self { providers, clock, breakers: Breakers::new(habits) }
    }

    async fn route(&self, project: ProjectId, name: &str) -> Result<(Route, String), ModelError> {
        let unconfigured = |why: String| ModelError::Unconfigured(format!("`{name}` cannot be asked: {why}"));
        let Some((provider, model)) = name.split_once('/') else {
            return Err(unconfigured("a model is named `<provider>/<model>`".to_owned()));
        };
        match self.providers.find(project, provider).await? {
            None => Err(unconfigured(format!("there is no provider `{provider}`"))),
            Some(Provided::Off(why)) => Err(unconfigured(why.to_owned())),
            Some(Provided::Ready(route)) if !route.allowed.allow(model) => {
                Err(unconfigured(format!("the provider `{provider}` does not allow the model")))
            }
            Some(Provided::Ready(route)) => Ok((*route, model.to_owned())),
        }
    }

    fn enter(&self, key: BreakerKey) -> Result<Passage<'_>, ModelError> {
        let entered = self.breakers.enter(&key, self.clock.now());
        let leave = entered.map_err(|retry_after| ModelError::Resting { retry_after })?;
        Ok(Passage { models: self, key, leave, verdict: Verdict::Unknown })
    }

    async fn attempt(&self, request: &ModelRequest, deltas: &dyn Deltas) -> Result<ModelAnswer, ModelError> {
        let (route, model) = self.route(request.project, &request.model).await?;
        // Looked up beforehand: an answer must not be lost because its price cannot be found.
        let price = route.price(&model);
        let mut passage = self.enter((route.id, model))?;
        let answered = route.models.ask(request, deltas).await;
        passage.verdict = verdict(&answered, request.timeout);
        match answered {
            Ok(answer) => Ok(ModelAnswer { price, ..answer }),
            Err(ModelError::Unusable { message, answer }) => {
                Err(ModelError::Unusable { message, answer: Box::new(ModelAnswer { price, ..*answer }) })
            }
            Err(error) => Err(error),
        }
    }

    fn left(&self, deadline: DateTime<Utc>) -> Result<Duration, ModelError> {
        let left = (deadline - self.clock.now()).to_std().unwrap_or_default();
        if left.is_zero() { Err(ModelError::OutOfTime) } else { Ok(left) }
    }
}

/// Records the outcome in the breaker, even if the caller goes away.
struct Passage<'a> {
    models: &'a RoutedModels,
    key: BreakerKey,
    leave: Leave,
    verdict: Verdict,
}

impl Drop for Passage<'_> {
    fn drop(&mut self) {
        self.models.breakers.leave(&self.key, self.leave, self.verdict, self.models.clock.now());
    }
}

/// The verdict on the provider, given the time it had. A short timeout is not its failure: one project could otherwise
/// open the breaker for all.
fn verdict(answered: &Result<ModelAnswer, ModelError>, time: Duration) -> Verdict {
    match answered {
        Ok(_) | Err(ModelError::TooLong { .. } | ModelError::Refused { .. } | ModelError::Unconfigured(_)) => {
            Verdict::Works
        }
        Err(ModelError::RateLimited { retry_after } | ModelError::Unavailable { retry_after, .. }) => {
            Verdict::Fails(*retry_after)
        }
        Err(ModelError::Timeout | ModelError::Unusable { .. }) => Verdict::Fails(None),
        Err(ModelError::OutOfTime) if time >= ModelRequest::LONGEST => Verdict::Fails(None),
        Err(ModelError::OutOfTime | ModelError::Resting { .. } | ModelError::Port(_)) => Verdict::Unknown,
    }
}

/// Whether another model may succeed: not if the request is invalid or the failure is ours.
const fn falls_back(error: &ModelError) -> bool {
    match error {
        ModelError::Unconfigured(_)
        | ModelError::RateLimited { .. }
        | ModelError::Resting { .. }
        | ModelError::Unavailable { .. }
        | ModelError::Unusable { .. }
        | ModelError::Timeout
        | ModelError::TooLong { .. }
        | ModelError::OutOfTime
        | ModelError::Refused { status: Some(401 | 402 | 403 | 404 | 429), .. } => true,
        ModelError::Refused { .. } | ModelError::Port(_) => false,
    }
}

/// The priority of an error in the final result: retryable ones before others, and those of a provider that was called
/// before those of one that was not.
const fn weight(error: &ModelError) -> u8 {
    match error {
        ModelError::RateLimited { .. }
        | ModelError::Unavailable { .. }
        | ModelError::Timeout
        | ModelError::OutOfTime => 2,
        // Its bill must be recorded.
        ModelError::Unusable { .. } => 3,
        ModelError::Resting { .. } | ModelError::TooLong { .. } => 1,
        ModelError::Unconfigured(_) | ModelError::Refused { .. } | ModelError::Port(_) => 0,
    }
}

/// Remembers whether any text was passed on, so that it can be discarded.
struct Overheard<'a> {
    deltas: &'a dyn Deltas,
    heard: AtomicBool,
}

impl Deltas for Overheard<'_> {
    fn text(&self, piece: &str) {
        self.heard.store(true, Ordering::Relaxed);
        self.deltas.text(piece);
    }

    fn restart(&self) {
        if self.heard.swap(false, Ordering::Relaxed) {
            self.deltas.restart();
        }
    }
}

#[async_trait]
impl Models for RoutedModels {
    /// Calls the model and then its fallbacks, in order. If none answers, a retryable error is preferred, so that the
    /// caller retries; an open breaker is reported only if no provider that was called gave one.
    async fn ask(&self, request: &ModelRequest, deltas: &dyn Deltas) -> Result<ModelAnswer, ModelError> {
        let deadline = self.clock.now() + TimeDelta::from_std(request.timeout).unwrap_or(TimeDelta::days(1));
        let overheard = Overheard { deltas, heard: AtomicBool::new(false) };
        let mut told: Option<ModelError> = None;
        for model in [&request.model].into_iter().chain(&request.fallbacks) {
            let timeout = match self.left(deadline) {
                Ok(left) => left,
                Err(late) => return Err(told.filter(|told| weight(told) > 0).unwrap_or(late)),
            };
            overheard.restart();
            let asked = ModelRequest { model: model.clone(), fallbacks: vec![], timeout, ..request.clone() };
            match self.attempt(&asked, &overheard).await {
                Ok(answer) => return Ok(answer),
                Err(error) if !falls_back(&error) => return Err(error),
                Err(error) => {
                    tracing::debug!(model = asked.model, %error, "a model does not answer");
                    if told.as_ref().is_none_or(|told| weight(told) < weight(&error)) {
                        told = Some(error);
                    }
                }
            }
        }
        Err(told.unwrap_or(ModelError::OutOfTime))
    }
}

#[async_trait]
impl ConfiguredModels for RoutedModels {
    async fn knows(&self, project: ProjectId, model: &str) -> Result<bool, PortError> {
        match self.route(project, model).await {
            Ok(_) => Ok(true),
            Err(ModelError::Port(error)) => Err(error),
            Err(_) => Ok(false),
        }
    }
}

#[async_trait]
impl ModelPrices for RoutedModels {
    async fn price(&self, project: ProjectId, model: &str) -> Result<Option<AppliedPrice>, PortError> {
        match self.route(project, model).await {
            Ok((route, model)) => Ok(route.price(&model)),
            Err(ModelError::Port(error)) => Err(error),
            Err(_) => Ok(None),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Duration, ModelError, ModelRequest, Verdict, verdict};

    #[test]
    fn a_model_that_had_all_the_time_there_is_has_failed() {
        assert_eq!(verdict(&Err(ModelError::OutOfTime), ModelRequest::LONGEST), Verdict::Fails(None));
    }

    #[test]
    fn a_model_that_had_less_has_not() {
        let little = ModelRequest::LONGEST.saturating_sub(Duration::from_millis(1));
        assert_eq!(verdict(&Err(ModelError::OutOfTime), little), Verdict::Unknown);
    }
}
