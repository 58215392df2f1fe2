//! When events of a run were recorded, and when models had answered, from the point of view of the worker.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use async_trait::async_trait;
use devskyy_application::{
    es::{AppendError, AppendRequest, Appended, EventStore},
    models::{Deltas, ModelAnswer, ModelError, ModelRequest, Models},
};
use devskyy_testkit::reads_through;
use serde_json::Value;
use uuid::Uuid;

/// A log, and models, whose responses are timed.
pub(crate) struct Noted {
    log: Arc<dyn EventStore>,
    models: Arc<dyn Models>,
    appends: Mutex<Vec<Append>>,
    answered: Mutex<HashMap<Uuid, Instant>>,
}

#[derive(Clone)]
struct Append {
    run: Uuid,
    events: Vec<String>,
    /// The operation whose answer it contains.
    answers: Option<Uuid>,
    asked: Instant,
    done: Instant,
}

impl Append {
    fn holds(&self, event: &str) -> bool {
        self.events.iter().any(|recorded| recorded == event)
    }

    fn took(&self) -> Duration {
        self.done - self.asked
    }
}

/// The duration of model calls for a worker, from the end of the previous append.
#[derive(Default)]
pub(crate) struct ModelCalls {
    /// Until its answer is recorded: everything a model call adds to a run.
    pub(crate) whole: Vec<Duration>,
    /// Of that, deciding that it is next, building the request, and waiting for a turn at budgets.
    pub(crate) before: Vec<Duration>,
    /// Of that, recording the intent.
    pub(crate) intent: Vec<Duration>,
    /// Of that, encoding the request, finding the provider, the call, and decoding the answer.
    pub(crate) exchange: Vec<Duration>,
    /// Of that, processing the answer, and waiting for a turn at budgets.
    pub(crate) after: Vec<Duration>,
    /// Of that, recording the answer.
    pub(crate) answer: Vec<Duration>,
}

impl Noted {
    pub(crate) fn over(log: Arc<dyn EventStore>, models: Arc<dyn Models>) -> Self {
        Self { log, models, appends: Mutex::default(), answered: Mutex::default() }
    }

    /// The model calls since the start, each between two appends of its run.
    pub(crate) fn model_calls(&self) -> ModelCalls {
        let mut runs: BTreeMap<Uuid, Vec<Append>> = BTreeMap::new();
        for append in self.appends.lock().unwrap().iter() {
            runs.entry(append.run).or_default().push(append.clone());
        }
        let (mut calls, answers) = (ModelCalls::default(), self.answered.lock().unwrap());
        for appends in runs.values() {
            for three in appends.windows(3) {
                let [before, called, answered] = three else { continue };
                let arrived = answered.answers.and_then(|operation| answers.get(&operation));
                if let Some(arrived) = arrived.filter(|_| called.holds("run.model_called")) {
                    calls.whole.push(answered.done - before.done);
                    calls.before.push(called.asked - before.done);
                    calls.intent.push(called.took());
                    calls.exchange.push(*arrived - called.done);
                    calls.after.push(answered.asked - *arrived);
                    calls.answer.push(answered.took());
                }
            }
        }
        calls
    }
}

impl devskyy_application::es::Rewindable for Noted {}

#[async_trait]
impl EventStore for Noted {
    async fn append(&self, request: AppendRequest) -> Result<Appended, AppendError> {
        let first = request.writes.first();
        let noted = first.map(|write| {
            let events = write.events.iter().map(|event| event.event_type.to_string()).collect();
            let answer = write.events.iter().find(|event| event.event_type == "run.model_answered");
            (write.stream.id, events, answer.map(|event| event.data.clone()))
        });
        let asked = Instant::now();
        let appended = self.log.append(request).await;
        let done = Instant::now();
        if let Some((run, events, answer)) = noted.filter(|_| appended.is_ok()) {
            let answers = answer.map(|data| serde_json::from_str::<Value>(&data).unwrap()["operation"].clone());
            let answers = answers.map(|operation| serde_json::from_value(operation).unwrap());
            self.appends.lock().unwrap().push(Append { run, events, answers, asked, done });
        }
        appended
    }

    reads_through!(log);
}

#[async_trait]
impl Models for Noted {
    async fn ask(&self, request: &ModelRequest, deltas: &dyn Deltas) -> Result<ModelAnswer, ModelError> {
        let answer = self.models.ask(request, deltas).await;
        self.answered.lock().unwrap().insert(request.operation.into(), Instant::now());
        answer
    }
}
