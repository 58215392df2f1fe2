//! Model calls: sending a recorded call, and what to record of its answer.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use chrono::{DateTime, Utc};
use devskyy_domain::{
    assistant::Assistant,
    conversation::{AppliedPrice, Message},
    definition::Definition,
    kernel::ids::{OperationId, RunId},
    runs::{Bill, CONTEXT_OVERFLOW, Call, Failure, Place, Progress, Reply, Run, SummaryWanted},
};

use super::{
    budget::at_most,
    compute::failed,
    stored::Recalled,
    tasks::{Brief, Outcome},
    transcript::{leaving, transcript},
};
use crate::{
    error::PortError,
    models::{Deltas, ModelAnswer, ModelError, ModelRequest, OutputFormat, ToolOffer},
    runs::live::{Delta, LiveRuns},
};

/// The prompt of a model call, without instructions: for a turn, or for a summary of turns that are removed.
pub(super) enum Question {
    Turn {
        messages: Vec<Message>,
        /// Whether it may be sent again with fewer turns if it is too long.
        can_shorten: bool,
    },
    Summary {
        messages: Vec<Message>,
        max_output_tokens: u32,
    },
}

/// The prompt of the model call at a place.
pub(super) fn question(run: &Run, recalled: &Recalled, assistant: &Assistant, place: &Place) -> Question {
    match run.summary_wanted(assistant, &place.step) {
        Some(SummaryWanted { from, through, max_output_tokens }) => {
            Question::Summary { messages: leaving(run, recalled, from, through), max_output_tokens }
        }
        None => {
            let messages = transcript(run, recalled, assistant);
            Question::Turn { messages, can_shorten: run.can_shorten(assistant, place) }
        }
    }
}

impl Brief {
    /// Calls the model.
    pub(super) async fn ask(self, call: Call, place: Place, question: Question) -> Outcome {
        let operation = call.operation;
        let Definition::Assistant(assistant) = self.definition.as_ref() else {
            let error = Failure::new("run.agent_missing", "the agent's version asks no model");
            return Outcome::Report(vec![Progress::Fail { operation, error, retry_at: None }]);
        };
        let can_shorten = matches!(question, Question::Turn { can_shorten: true, .. });
        let request = match self.request(assistant, operation, question).await {
            Ok(request) => request,
            Err(error) => return Outcome::Report(vec![Progress::Fail { operation, error, retry_at: None }]),
        };
        let preview = Preview::new(&self, &call, place);
        let report = match self.ports.models.ask(&request, &preview).await {
            Ok(answer) => self.reply(assistant, &request, operation, answer),
            Err(error @ ModelError::TooLong { .. }) if can_shorten => self.too_long(&call, &error),
            Err(ModelError::Unusable { message, answer }) => self.unusable(assistant, &call, &message, *answer),
            Err(error) => self.unanswered(&call, &error),
        };
        Outcome::Report(vec![report])
    }

    /// Prices of the models that may answer: from the agent's version, else from their providers' price lists.
    pub(super) async fn prices(&self, assistant: &Assistant) -> Result<Vec<AppliedPrice>, PortError> {
        let mut prices = Vec::new();
        for model in assistant.models() {
            prices.extend(match self.own_price(assistant, model) {
                Some(own) => Some(own),
                None => self.ports.prices.price(self.order.project, model).await?,
            });
        }
        Ok(prices)
    }

    /// The price of a model in the agent's version, if any.
    fn own_price(&self, assistant: &Assistant, model: &str) -> Option<AppliedPrice> {
        let price = assistant.prices.get(model).copied()?;
        Some(AppliedPrice { list: format!("agent:{}", self.order.agent_version), price: price.into() })
    }

    pub(super) async fn request(
        &self,
        assistant: &Assistant,
        operation: OperationId,
        question: Question,
    ) -> Result<ModelRequest, Failure> {
        let left = (self.order.deadline - self.ports.clock.now()).to_std().unwrap_or_default();
        let request = ModelRequest {
            project: self.order.project,
            model: assistant.model.clone(),
            fallbacks: assistant.fallbacks.clone(),
            messages: Vec::new(),
            tools: Vec::new(),
            output: None,
            max_output_tokens: assistant.max_output_tokens,
            temperature: assistant.temperature_thousandths(),
            operation,
            timeout: left.min(ModelRequest::LONGEST),
        };
        let turns = match question {
            Question::Summary { messages, max_output_tokens } => {
                return Ok(ModelRequest { messages, max_output_tokens, ..request });
            }
            Question::Turn { messages, .. } => messages,
        };
        let text = self.ports.expressions.render(&assistant.instructions, &self.context).await;
        let text =
            text.map_err(|error| Failure::new("run.expression", format!("instructions: {}", failed(error).message)))?;
        let messages = std::iter::once(Message::System { text }).chain(turns).collect();
        let tools = assistant.tools.iter().map(|(name, tool)| ToolOffer {
            name: name.clone(),
            description: tool.description().to_owned(),
            schema: tool.input_schema().clone(),
        });
        let schema = assistant.output_schema.clone();
        let output = schema.map(|schema| OutputFormat { name: "output".to_owned(), schema });
        Ok(ModelRequest { messages, tools: tools.collect(), output, ..request })
    }

    /// Classifies a failed model call: retry, or fail.
    fn unanswered(&self, call: &Call, error: &ModelError) -> Progress {
        let (code, asked, passes) = match error {
            ModelError::Resting { retry_after } => return self.postponed(call, *retry_after, error),
            ModelError::Unconfigured(_) => ("model.unconfigured", None, false),
            ModelError::RateLimited { retry_after } => ("model.rate_limited", *retry_after, true),
            ModelError::Unavailable { retry_after, .. } => ("model.unavailable", *retry_after, true),
            ModelError::Unusable { .. } => ("model.unavailable", None, true),
            ModelError::Timeout | ModelError::OutOfTime => ("model.timeout", None, true),
            ModelError::TooLong { .. } => (CONTEXT_OVERFLOW, None, false),
            ModelError::Refused { .. } => ("model.refused", None, false),
            ModelError::Port(error) => ("model.failed", None, error.retryable),
        };
        let retry_at: Option<DateTime<Utc>> = if passes { self.again(call, asked) } else { None };
        Progress::Fail { operation: call.operation, error: Failure::new(code, error.to_string()), retry_at }
    }

    /// A prompt that is too long for the model is sent once more after compaction.
    fn too_long(&self, call: &Call, error: &ModelError) -> Progress {
        let (operation, error) = (call.operation, Failure::new(CONTEXT_OVERFLOW, error.to_string()));
        Progress::Overflow { operation, error, at: self.ports.clock.now() }
    }

    /// An attempt that was not made does not count, so it is repeated until the run's deadline, with growing backoff.
    fn postponed(&self, call: &Call, asked: Duration, error: &ModelError) -> Progress {
        let (operation, error) = (call.operation, Failure::new("model.unavailable", error.to_string()));
        match self.later(call, call.unasked + 1, Some(asked)) {
            Some(retry_at) => Progress::Postpone { operation, error, retry_at },
            None => Progress::Fail { operation, error, retry_at: None },
        }
    }

    /// An unusable answer is billed nevertheless; it is retried like any other failure.
    fn unusable(&self, assistant: &Assistant, call: &Call, message: &str, answer: ModelAnswer) -> Progress {
        let ModelAnswer { usage, answered_by, price, .. } = answer;
        let price = self.own_price(assistant, &answered_by).or(price);
        let cost_micros = price.as_ref().map(|applied| applied.price.of(&usage));
        let error = Failure::new("model.unavailable", format!("the provider is not available: {message}"));
        let billed = Bill { usage, estimated: false, answered_by, cost_micros, price };
        Progress::Waste { operation: call.operation, error, retry_at: self.again(call, None), billed }
    }

    fn reply(
        &self,
        assistant: &Assistant,
        request: &ModelRequest,
        operation: OperationId,
        answer: ModelAnswer,
    ) -> Progress {
        let ModelAnswer { text, calls, finish, usage, model, answered_by, price, carry } = answer;
        // No prompt has zero tokens: a usage of zero counts as not reported.
        let estimated = usage.total() == 0;
        let usage = if estimated { at_most(request) } else { usage };
        let price = self.own_price(assistant, &answered_by).or(price);
        // A summary is text: calls without offered tools are dropped.
        let calls = if request.tools.is_empty() { Vec::new() } else { calls };
        // Without calls the conversation ends, or continues from the text alone.
        let carry = carry.filter(|_| !calls.is_empty());
        let reply = Reply { text, calls, finish, usage, estimated, model, answered_by, price, carry };
        Progress::Reply { operation, reply }
    }
}

/// Publishes a model's partial answer to subscribers.
struct Preview {
    live: Arc<LiveRuns>,
    run: RunId,
    fence: u64,
    next: Mutex<Delta>,
}

impl Preview {
    fn new(brief: &Brief, call: &Call, place: Place) -> Self {
        let (operation, attempt) = (call.operation, call.attempt);
        let next = Delta { step: place.step, operation, attempt, offset: 0, text: String::new() };
        Self { live: Arc::clone(&brief.ports.live), run: brief.run, fence: brief.fence, next: Mutex::new(next) }
    }

    fn say(&self, text: &str, from: Option<u64>) {
        let mut next = self.next.lock().unwrap_or_else(PoisonError::into_inner);
        next.offset = from.unwrap_or(next.offset);
        let delta = Delta { text: text.to_owned(), ..next.clone() };
        next.offset += text.len() as u64;
        drop(next);
        self.live.publish(self.run, self.fence, &delta);
    }
}

impl Deltas for Preview {
    fn text(&self, piece: &str) {
        if !piece.is_empty() {
            self.say(piece, None);
        }
    }

    fn restart(&self) {
        self.say("", Some(0));
    }
}
