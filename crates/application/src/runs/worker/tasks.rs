//! The execution of one task of a run, from evaluating a step to the reports to record.

use std::{sync::Arc, time::Duration};

use chrono::{DateTime, Utc};
use devskyy_domain::{
    definition::{Callable, Definition},
    kernel::{
        Json,
        ids::{AgentId, ApprovalId, OperationId, RunId},
    },
    runs::{Allowance, Call, Callee, Failure, MAX_ANCESTORS, Order, Parent, Place, Progress, ProposedCall},
    workflow::{Action, Approval, Denial, Step, Tool},
};
use futures_util::{FutureExt, future::BoxFuture};

use super::{
    WorkerPorts,
    compute::{compute, failed, program_of},
};
use crate::{
    error::PortError,
    runs::{
        begin::{check_input, deadline},
        hash::arguments_hash,
    },
    workflow::{ToolCall, ToolError},
};

/// Maximum length of an approval's question, in characters.
const PROMPT: usize = 4_000;

/// The outcome of a task.
#[derive(Debug)]
pub(super) enum Outcome {
    /// These are recorded.
    Report(Vec<Progress>),
    /// This is recorded together with the beginning of a child run.
    Delegate(Box<(Progress, Order)>),
    /// The task failed for reasons outside the run; the run is released for now.
    Broken(PortError),
}

impl Outcome {
    fn unable(place: &Place, error: Failure) -> Self {
        Self::Report(vec![Progress::Unable { place: place.clone(), error }])
    }
}

/// The data of a task, apart from the run itself.
#[derive(Clone)]
pub(super) struct Brief {
    pub(super) ports: WorkerPorts,
    pub(super) run: RunId,
    /// The fence under which the task is executed.
    pub(super) fence: u64,
    pub(super) order: Arc<Order>,
    pub(super) definition: Arc<Definition>,
    /// The context of the step's expressions.
    pub(super) context: Json,
    /// The limits on model usage of its child runs.
    pub(super) left: Allowance,
    /// The limit that was reached, if child runs are no longer allowed.
    pub(super) exhausted: Option<Failure>,
}

impl Brief {
    /// Evaluates a step for the first time.
    pub(super) async fn enter(self, step: Step) -> Outcome {
        let expressions = self.ports.expressions.as_ref();
        let place = Place::step(&step.id);
        if let Some(condition) = &step.when {
            match program_of(expressions, condition, &self.context).await {
                Err(error) => return Outcome::unable(&place, named("when", failed(error))),
                Ok(Json::Null | Json::Bool(false)) => {
                    return Outcome::Report(vec![Progress::Skip { step: step.id }]);
                }
                Ok(_) => {}
            }
        }
        let Some(program) = &step.for_each else { return self.act(&step, place).await };
        match program_of(expressions, program, &self.context).await {
            Err(error) => Outcome::unable(&place, named("for_each", failed(error))),
            Ok(Json::Array(items)) => Outcome::Report(vec![Progress::Expand { step: step.id, items }]),
            Ok(_) => Outcome::unable(&place, Failure::new("run.for_each_array", "for_each must give an array")),
        }
    }

    /// Executes a step's action, once or for one element.
    pub(super) async fn act(self, step: &Step, place: Place) -> Outcome {
        let expressions = self.ports.expressions.as_ref();
        match &step.action {
            Action::Tool { name, arguments } => match compute(expressions, arguments, &self.context).await {
                Ok(arguments) => self.propose(name, arguments, place).await,
                Err(error) => Outcome::unable(&place, named("arguments", error)),
            },
            Action::Agent { agent, input } => match compute(expressions, input, &self.context).await {
                Ok(input) => self.delegate(*agent, input, place).await,
                Err(error) => Outcome::unable(&place, named("input", error)),
            },
            Action::Approval { prompt, data, on_deny } => {
                let prompt = expressions.render(prompt, &self.context).await.map_err(failed);
                let data = compute(expressions, data, &self.context).await;
                let (prompt, data) = match (prompt, data) {
                    (Ok(prompt), Ok(data)) => (legible(&prompt), data),
                    (Err(error), _) => return Outcome::unable(&place, named("prompt", error)),
                    (_, Err(error)) => return Outcome::unable(&place, named("data", error)),
                };
                let approval = ApprovalId::from(self.ports.ids.next());
                let (on_deny, at, call) = (*on_deny, self.ports.clock.now(), None);
                let expires_at = self.expiry(at);
                Outcome::Report(vec![Progress::Ask { place, approval, prompt, data, on_deny, call, expires_at, at }])
            }
        }
    }

    /// Reports that the model is called next.
    pub(super) fn prompt(self, place: Place) -> BoxFuture<'static, Outcome> {
        let operation = OperationId::from(self.ports.ids.next());
        let outcome = match self.definition.as_ref() {
            Definition::Assistant(assistant) => {
                Outcome::Report(vec![Progress::Prompt { place, operation, model: assistant.model.clone() }])
            }
            Definition::Workflow(_) => {
                Outcome::unable(&place, Failure::new("run.agent_missing", "the agent's version asks no model"))
            }
        };
        std::future::ready(outcome).boxed()
    }

    /// Makes a call, unless its arguments do not match the tool's schema or it needs approval.
    pub(super) async fn propose(self, name: &str, arguments: Json, place: Place) -> Outcome {
        let Some(offer) = self.definition.offer(name) else {
            return Outcome::unable(&place, Failure::new("run.tool_unknown", format!("there is no tool `{name}`")));
        };
        if let Some(schema) = &offer.schema
            && let Err(violations) = self.ports.schemas.validate(schema, &arguments).await
        {
            let all = violations.iter().map(|found| format!("{}: {}", found.pointer, found.message));
            let message = format!("the arguments break the tool's schema: {}", all.collect::<Vec<_>>().join("; "));
            return Outcome::unable(&place, Failure::new("run.arguments_schema", message));
        }
        let asks = match &offer.approval {
            Approval::Never => false,
            Approval::Always => true,
            Approval::When(condition) => {
                match program_of(self.ports.expressions.as_ref(), condition, &arguments).await {
                    Ok(found) => !matches!(found, Json::Null | Json::Bool(false)),
                    Err(error) => return Outcome::unable(&place, named("approval", failed(error))),
                }
            }
        };
        if asks { self.question(name, arguments, place) } else { self.perform(name, arguments, place).await }
    }

    /// Asks a person to approve a call.
    fn question(self, name: &str, arguments: Json, place: Place) -> Outcome {
        let arguments_hash = match arguments_hash(&arguments) {
            Ok(hash) => hash,
            Err(error) => return Outcome::Broken(error),
        };
        let at = self.ports.clock.now();
        Outcome::Report(vec![Progress::Ask {
            place,
            approval: ApprovalId::from(self.ports.ids.next()),
            prompt: format!("Call `{name}`?"),
            data: arguments,
            on_deny: Denial::Fail,
            call: Some(ProposedCall { tool: name.to_owned(), arguments_hash }),
            expires_at: self.expiry(at),
            at,
        }])
    }

    /// When a question asked now counts as denied.
    fn expiry(&self, at: DateTime<Utc>) -> Option<DateTime<Utc>> {
        self.definition.approval_expires_s().map(|seconds| at + Duration::from_secs(seconds.into()))
    }

    /// Calls pure tools at once and reports their result; all other calls are recorded before they are made.
    pub(super) async fn perform(self, name: &str, arguments: Json, place: Place) -> Outcome {
        let tool = match self.definition.offer(name).map(|offer| offer.callee) {
            Some(Callable::Tool(tool)) => tool,
            Some(Callable::Agent(agent)) => return self.delegate(agent, arguments, place).await,
            None => {
                return Outcome::unable(&place, Failure::new("run.tool_unknown", format!("there is no tool `{name}`")));
            }
        };
        let (operation, effect, tool_name) = (OperationId::from(self.ports.ids.next()), tool.effect(), name.to_owned());
        let call = |arguments| Progress::Call { place, operation, tool: tool_name, effect, arguments };
        if !matches!(tool, Tool::Builtin { .. }) {
            return Outcome::Report(vec![call(arguments)]);
        }
        let made = self.tool_call(operation, 1, tool, arguments);
        let result = match self.ports.tools.call(made).await {
            Ok(result) => match self.ports.kept(self.order.project, &result).await {
                Ok(result) => Progress::Answer { operation, result },
                Err(error) => return Outcome::Broken(error),
            },
            Err(error) => Progress::Fail { operation, error: failure(&error), retry_at: None },
        };
        Outcome::Report(vec![call(Json::Null), result])
    }

    async fn delegate(self, agent: AgentId, input: Json, place: Place) -> Outcome {
        let found = match self.ports.agents.find(agent).await {
            Ok(found) => found,
            Err(error) => return Outcome::Broken(error),
        };
        let own = found.filter(|found| found.project == self.order.project);
        let Some((agent_version, definition)) = own.and_then(|found| found.current) else {
            let message = format!("agent {agent} is not an active agent of the same project");
            return Outcome::unable(&place, Failure::new("run.child_unavailable", message));
        };
        if self.order.depth >= MAX_ANCESTORS {
            let message = format!("a run has at most {MAX_ANCESTORS} runs above it");
            return Outcome::unable(&place, Failure::new("run.too_deep", message));
        }
        if let Some(failure) = self.exhausted {
            return Outcome::unable(&place, failure);
        }
        if let Err(refused) = check_input(self.ports.schemas.as_ref(), &definition, &input).await {
            let first = refused
                .first()
                .map(|found| format!("{}: {}", found.pointer.as_deref().unwrap_or_default(), found.detail));
            let message = format!("the input breaks the agent's schema: {}", first.unwrap_or_default());
            return Outcome::unable(&place, Failure::new("run.child_input", message));
        }
        let operation = OperationId::from(self.ports.ids.next());
        let now = self.ports.clock.now();
        let order = Order {
            agent,
            agent_version,
            project: self.order.project,
            parent: Some(Parent { run: self.run, operation }),
            depth: self.order.depth + 1,
            callers: callers(&self.order),
            allowance: self.left,
            input,
            priority: self.order.priority,
            deadline: deadline(&definition, now, Some(self.order.deadline)),
        };
        Outcome::Delegate(Box::new((Progress::Delegate { place, operation, agent, agent_version }, order)))
    }

    /// Makes a call whose intent is recorded.
    pub(super) async fn dispatch(self, call: Call) -> Outcome {
        let operation = call.operation;
        let name = match &call.callee {
            Callee::Tool(name) | Callee::Model(name) => name,
        };
        let Some(Callable::Tool(tool)) = self.definition.offer(name).map(|offer| offer.callee) else {
            let error = Failure::new("run.tool_unknown", format!("there is no tool `{name}`"));
            return Outcome::Report(vec![Progress::Fail { operation, error, retry_at: None }]);
        };
        let arguments = call.arguments.as_ref().clone();
        let made = self.tool_call(operation, call.attempt, tool, arguments);
        let progress = match self.ports.tools.call(made).await {
            Ok(result) => match self.ports.kept(self.order.project, &result).await {
                Ok(result) => Progress::Answer { operation, result },
                Err(error) => return Outcome::Broken(error),
            },
            Err(error) => self.judge(&call, &error),
        };
        Outcome::Report(vec![progress])
    }

    fn tool_call(&self, operation: OperationId, attempt: u32, tool: Tool, arguments: Json) -> ToolCall {
        let Order { project, deadline, .. } = *self.order;
        ToolCall { project, run: self.run, operation, tool, arguments, attempt, deadline }
    }

    /// When a failed call is retried, if it is.
    pub(super) fn again(&self, call: &Call, asked: Option<Duration>) -> Option<DateTime<Utc>> {
        let tries = call.tries();
        self.later(call, tries, asked).filter(|_| tries < self.definition.retry().max_attempts)
    }

    /// When a call is made again after this many attempts, unless the run is over by then.
    pub(super) fn later(&self, call: &Call, times: u32, asked: Option<Duration>) -> Option<DateTime<Utc>> {
        let at = self.ports.clock.now() + self.definition.retry().pause(times, call.operation.into(), asked);
        (at < self.order.deadline).then_some(at)
    }

    /// Classifies a failed attempt: retry, fail, or ask a person for a verdict.
    fn judge(&self, call: &Call, error: &ToolError) -> Progress {
        let (operation, failure) = (call.operation, failure(error));
        match error {
            ToolError::Permanent { .. } => Progress::Fail { operation, error: failure, retry_at: None },
            ToolError::Transient { retry_after, .. } => {
                Progress::Fail { operation, error: failure, retry_at: self.again(call, *retry_after) }
            }
            ToolError::OutcomeUnknown { .. } if call.repeatable() => {
                Progress::Fail { operation, error: failure, retry_at: self.again(call, None) }
            }
            ToolError::OutcomeUnknown { .. } => Progress::Lose { operation, error: failure },
        }
    }
}

/// The agents of the ancestors of a child run.
fn callers(order: &Order) -> Vec<AgentId> {
    let above = order.callers.iter().filter(|agent| **agent != order.agent);
    std::iter::once(order.agent).chain(above.copied()).collect()
}

/// A question in a form that can be displayed and stored: PostgreSQL text cannot contain U+0000.
fn legible(prompt: &str) -> String {
    prompt.chars().take(PROMPT).map(|c| if c == '\0' { char::REPLACEMENT_CHARACTER } else { c }).collect()
}

fn failure(error: &ToolError) -> Failure {
    match error {
        ToolError::Permanent { code, message }
        | ToolError::Transient { code, message, .. }
        | ToolError::OutcomeUnknown { code, message } => Failure::new(code.clone(), message.clone()),
    }
}

fn named(member: &str, failure: Failure) -> Failure {
    Failure { message: format!("{member}: {}", failure.message), ..failure }
}

/// Longest pause for which a worker keeps a run; for a longer one it releases the run.
pub(super) const PATIENCE: Duration = Duration::from_secs(2);
