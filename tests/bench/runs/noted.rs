//! A log that notes when what was recorded of a run, as its worker sees it.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use async_trait::async_trait;
use devskyy_application::{
    error::PortError,
    es::{AppendError, AppendRequest, Appended, EventFilter, EventStore, Page, Position, RecordedEvent, StreamId},
};
use devskyy_domain::kernel::Version;
use uuid::Uuid;

pub(crate) struct Noted {
    log: Arc<dyn EventStore>,
    appends: Mutex<Vec<Append>>,
}

#[derive(Clone)]
struct Append {
    run: Uuid,
    events: Vec<String>,
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

/// What one question to a model took its worker, from the end of whatever was recorded before.
#[derive(Default)]
pub(crate) struct ModelCalls {
    /// Until its answer is recorded: everything a model call adds to a run.
    pub(crate) whole: Vec<Duration>,
    /// Of that, recording that it will be asked.
    pub(crate) intent: Vec<Duration>,
    /// Of that, asking it and understanding what it says.
    pub(crate) exchange: Vec<Duration>,
    /// Of that, recording what it said.
    pub(crate) answer: Vec<Duration>,
}

impl Noted {
    pub(crate) fn over(log: Arc<dyn EventStore>) -> Self {
        Self { log, appends: Mutex::default() }
    }

    /// The model calls since the start, each between two appends of its run.
    pub(crate) fn model_calls(&self) -> ModelCalls {
        let mut runs: BTreeMap<Uuid, Vec<Append>> = BTreeMap::new();
        for append in self.appends.lock().unwrap().iter() {
            runs.entry(append.run).or_default().push(append.clone());
        }
        let mut calls = ModelCalls::default();
        for appends in runs.values() {
            for three in appends.windows(3) {
                let [before, called, answered] = three else { continue };
                if called.holds("run.model_called") && answered.holds("run.model_answered") {
                    calls.whole.push(answered.done - before.done);
                    calls.intent.push(called.took());
                    calls.exchange.push(answered.asked - called.done);
                    calls.answer.push(answered.took());
                }
            }
        }
        calls
    }
}

#[async_trait]
impl EventStore for Noted {
    async fn append(&self, request: AppendRequest) -> Result<Appended, AppendError> {
        let first = request.writes.first();
        let noted = first.map(|write| {
            let events = write.events.iter().map(|event| event.event_type.to_string()).collect();
            (write.stream.id, events)
        });
        let asked = Instant::now();
        let appended = self.log.append(request).await;
        if let Some((run, events)) = noted.filter(|_| appended.is_ok()) {
            self.appends.lock().unwrap().push(Append { run, events, asked, done: Instant::now() });
        }
        appended
    }

    async fn read_stream(&self, stream: StreamId, after: Version, max: usize) -> Result<Vec<RecordedEvent>, PortError> {
        self.log.read_stream(stream, after, max).await
    }

    async fn read_all(&self, after: Position, max: usize, filter: &EventFilter) -> Result<Page, PortError> {
        self.log.read_all(after, max, filter).await
    }

    async fn head(&self) -> Result<Position, PortError> {
        self.log.head().await
    }

    async fn beyond(&self, position: Position) -> Position {
        self.log.beyond(position).await
    }
}
