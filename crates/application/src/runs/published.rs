//! The public form of a run's events: stable, and independent of the stored form.

use chrono::{DateTime, SecondsFormat, Utc};
use devskyy_domain::{
    kernel::{
        Json, Version,
        ids::{ProjectId, RunId},
    },
    runs::{ChildEnd, Choice, Failure, Leaving, Place, RunEvent, Unsummarised, Value, Verdict},
};
use uuid::Uuid;

use super::views::TokenCount;
use crate::es::{Position, RecordedEvent};

/// Maximum size of a value within a published event; larger ones are only in the run itself.
const INLINE: usize = 16 * 1024;

/// An event of a run in its public form.
#[derive(Debug, Clone, PartialEq)]
pub struct RunPublished {
    /// Its position in the log; the cursor of feeds and streams.
    pub position: Position,
    /// Its number among the run's events, from 1.
    pub sequence: Version,
    /// Its id.
    pub id: Uuid,
    /// Its type, for example `run.tool_succeeded`.
    pub kind: &'static str,
    /// The run.
    pub run_id: RunId,
    /// The project.
    pub project_id: Option<ProjectId>,
    /// When.
    pub at: DateTime<Utc>,
    /// Who caused it: `user:<id>` or `system:<name>`.
    pub actor: String,
    /// The payload.
    pub data: Json,
}

impl RunPublished {
    /// The public form of a recorded event.
    #[must_use]
    pub fn of(event: &RunEvent, recorded: &RecordedEvent) -> Self {
        let (kind, data) = public(event);
        Self {
            position: recorded.position,
            sequence: recorded.version,
            id: recorded.event_id,
            kind,
            run_id: RunId::from(recorded.stream_id),
            project_id: recorded.context.project,
            at: recorded.recorded_at,
            actor: recorded.context.actor.clone(),
            data: data.0.into_iter().collect(),
        }
    }
}

#[derive(Default)]
struct Data(Vec<(String, Json)>);

impl Data {
    fn with(mut self, name: &str, value: impl Into<Json>) -> Self {
        self.0.push((name.to_owned(), value.into()));
        self
    }

    fn place(self, place: &Place) -> Self {
        let data = self.with("step", place.step.clone());
        match place.index {
            Some(index) => data.with("index", i64::from(index)),
            None => data,
        }
    }

    fn error(self, error: &Failure) -> Self {
        let place = error.place.as_ref().map(|place| Self::default().place(place).0).unwrap_or_default();
        let own = Self::default().with("code", error.code.clone()).with("message", error.message.clone());
        self.with("error", own.0.into_iter().chain(place).collect::<Json>())
    }

    /// Adds a value if it is small enough for the event, else its size.
    fn value(self, name: &str, value: &Json) -> Self {
        let measure = value.measure();
        if measure.too_deep || measure.bytes > INLINE {
            return self.with(&format!("{name}_bytes"), measure.bytes as u64);
        }
        if value.is_null() { self } else { self.with(name, value.clone()) }
    }

    /// Adds a result: like any value if it is inline, else its size and hash.
    fn result(self, name: &str, result: &Value) -> Self {
        match result {
            Value::Inline(value) => self.value(name, value),
            Value::Stored(stored) => {
                let data = self.with(&format!("{name}_bytes"), stored.bytes);
                data.with(&format!("{name}_hash"), stored.hash.to_string())
            }
        }
    }

    fn reason(self, reason: Option<&String>) -> Self {
        match reason {
            Some(reason) => self.with("reason", reason.clone()),
            None => self,
        }
    }
}

fn time(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::AutoSi, true)
}

fn public(event: &RunEvent) -> (&'static str, Data) {
    let data = Data::default();
    match event {
        RunEvent::Queued(queued) => {
            let order = &queued.order;
            let data =
                data.with("agent_id", order.agent.to_string()).with("agent_version", u64::from(order.agent_version));
            let data = data.with("priority", order.priority.as_str()).with("deadline", time(order.deadline));
            (
                "run.queued",
                match order.parent {
                    Some(parent) => data.with("parent_run_id", parent.run.to_string()),
                    None => data,
                },
            )
        }
        RunEvent::Retried(retried) => ("run.retried", data.with("retry_of", retried.of.to_string())),
        RunEvent::Forked(forked) => {
            ("run.forked", data.with("from_run_id", forked.from.to_string()).with("from_step", forked.step.clone()))
        }
        RunEvent::Claimed(claimed) => ("run.claimed", data.with("worker", claimed.worker.clone())),
        RunEvent::Parked(parked) if parked.waiting.is_empty() => ("run.handed_over", data),
        RunEvent::Parked(parked) => {
            let waiting = parked.waiting.iter().map(|waiting| waiting.as_str().into()).collect();
            ("run.waiting", data.with("waiting_for", Json::Array(waiting)).with("until", time(parked.until)))
        }
        RunEvent::CancelRequested(cancel) => ("run.cancel_requested", data.reason(cancel.reason.as_ref())),
        RunEvent::Completed(completed) => ("run.completed", data.result("output", &completed.output)),
        RunEvent::Failed(failed) => ("run.failed", data.error(&failed.error)),
        RunEvent::Cancelled(_) => ("run.cancelled", data),
        RunEvent::Expired(_) => ("run.expired", data),
        _ => step(event, data),
    }
}

fn step(event: &RunEvent, data: Data) -> (&'static str, Data) {
    match event {
        RunEvent::StepSkipped(skipped) => ("run.step_skipped", data.with("step", skipped.step.clone())),
        RunEvent::StepTakenOver(taken) => ("run.step_taken_over", data.with("step", taken.step.clone())),
        RunEvent::StepExpanded(expanded) => {
            ("run.step_expanded", data.with("step", expanded.step.clone()).with("count", expanded.items.len() as u64))
        }
        RunEvent::StepFailed(failed) => ("run.step_failed", data.place(&failed.place).error(&failed.error)),
        RunEvent::ChildRequested(asked) => {
            let data = data.place(&asked.place).with("operation_id", asked.operation.to_string());
            (
                "run.child_started",
                data.with("child_run_id", asked.operation.to_string()).with("agent_id", asked.agent.to_string()),
            )
        }
        RunEvent::ChildEnded(ended) => {
            let data = data.with("operation_id", ended.operation.to_string());
            (
                "run.child_ended",
                match &ended.end {
                    ChildEnd::Completed { output } => data.with("ended", "completed").result("output", output),
                    ChildEnd::Failed { error } => data.with("ended", "failed").error(error),
                },
            )
        }
        _ => question(event, data),
    }
}

fn question(event: &RunEvent, data: Data) -> (&'static str, Data) {
    match event {
        RunEvent::ApprovalRequested(asked) => {
            let data = data.place(&asked.place).with("approval_id", asked.approval.to_string());
            let data = data.with("prompt", asked.prompt.clone()).value("data", &asked.data);
            let data = match &asked.call {
                Some(call) => data.with("tool", call.tool.clone()).with("arguments_hash", call.arguments_hash.clone()),
                None => data,
            };
            let expires = asked.expires_at.into_iter();
            ("run.approval_requested", expires.fold(data, |data, at| data.with("expires_at", time(at))))
        }
        RunEvent::ApprovalDecided(decided) => {
            let data = data.with("approval_id", decided.approval.to_string());
            let decision = match decided.decision {
                Choice::Approve => "approve",
                Choice::Deny => "deny",
            };
            let data = data.with("decision", decision).with("decided_by", decided.by.clone());
            let data = match &decided.edit {
                Some(edit) => {
                    data.with("arguments_hash", edit.arguments_hash.clone()).value("arguments", &edit.arguments)
                }
                None => data,
            };
            ("run.approval_decided", data.reason(decided.reason.as_ref()))
        }
        RunEvent::ApprovalExpired(expired) => {
            ("run.approval_expired", data.with("approval_id", expired.approval.to_string()))
        }
        _ => call(event, data),
    }
}

fn call(event: &RunEvent, data: Data) -> (&'static str, Data) {
    match event {
        RunEvent::ToolCalled(called) => {
            let data = data.place(&called.place).with("operation_id", called.operation.to_string());
            let data = data.with("tool", called.tool.clone()).with("attempt", u64::from(called.attempt));
            ("run.tool_called", data.value("arguments", &called.arguments))
        }
        RunEvent::ToolSucceeded(succeeded) => {
            let data = data.with("operation_id", succeeded.operation.to_string());
            ("run.tool_succeeded", data.result("result", &succeeded.result))
        }
        RunEvent::ToolFailed(failed) => {
            let data = data.with("operation_id", failed.operation.to_string()).error(&failed.error);
            (
                "run.tool_failed",
                match failed.retry_at {
                    Some(at) => data.with("retry_at", time(at)),
                    None => data,
                },
            )
        }
        RunEvent::OutcomeUnknown(unknown) => {
            ("run.outcome_unknown", data.with("operation_id", unknown.operation.to_string()).error(&unknown.error))
        }
        RunEvent::OutcomeSettled(settled) => {
            let verdict = match &settled.verdict {
                Verdict::Succeeded { .. } => "succeeded",
                Verdict::Failed { .. } => "failed",
                Verdict::Retry => "retry",
            };
            let data = data.with("operation_id", settled.operation.to_string()).with("verdict", verdict);
            ("run.outcome_settled", data.with("settled_by", settled.by.clone()))
        }
        _ => model(event, data),
    }
}

fn model(event: &RunEvent, data: Data) -> (&'static str, Data) {
    match event {
        RunEvent::ModelCalled(called) => {
            let data = data.place(&called.place).with("operation_id", called.operation.to_string());
            let attempt = u64::from(called.attempt);
            ("run.model_called", data.with("model", called.model.clone()).with("attempt", attempt))
        }
        RunEvent::ModelAnswered(answered) => {
            let tokens = tokens(&answered.usage);
            let data = data.with("operation_id", answered.operation.to_string()).with("model", answered.model.clone());
            let data = data.with("answered_by", answered.answered_by.clone());
            let data = data.with("tokens", tokens).value("answer", &answered.output());
            let cost = answered.cost_micros.into_iter();
            ("run.model_answered", cost.fold(data, |data, cost| data.with("cost_micros", cost)))
        }
        RunEvent::ModelFailed(failed) => {
            let data = data.with("operation_id", failed.operation.to_string()).error(&failed.error);
            let data = failed.retry_at.into_iter().fold(data, |data, at| data.with("retry_at", time(at)));
            let data = failed.billed.iter().fold(data, |data, bill| {
                let data = data.with("answered_by", bill.answered_by.clone()).with("tokens", tokens(&bill.usage));
                bill.cost_micros.into_iter().fold(data, |data, cost| data.with("cost_micros", cost))
            });
            ("run.model_failed", data)
        }
        RunEvent::AnswerRejected(rejected) => {
            let errors = Json::Array(rejected.errors.iter().cloned().map(Json::from).collect());
            ("run.answer_rejected", data.with("step", rejected.step.clone()).value("errors", &errors))
        }
        RunEvent::ContextCompacted(compacted) => {
            let data = data.with("from_turn", u64::from(compacted.from));
            let data = data.with("through_turn", u64::from(compacted.through));
            let data = data.with("cause", cause(compacted.cause));
            let summary = compacted.summary.into_iter();
            let data = summary.fold(data, |data, id| data.with("summary_operation_id", id.to_string()));
            let missing = compacted.unsummarised.into_iter();
            ("run.context_compacted", missing.fold(data, |data, why| data.with("unsummarised", unsummarised(why))))
        }
        _ => ("run.changed", data),
    }
}

const fn cause(leaving: Leaving) -> &'static str {
    match leaving {
        Leaving::Window => "window",
        Leaving::Overflow => "overflow",
    }
}

const fn unsummarised(why: Unsummarised) -> &'static str {
    match why {
        Unsummarised::Truncated => "truncated",
        Unsummarised::Refused => "refused",
        Unsummarised::Empty => "empty",
        Unsummarised::Failed => "failed",
    }
}

fn tokens(usage: &TokenCount) -> Json {
    let TokenCount { input, output, cache_read, cache_write, reasoning } = *usage;
    let classes = [
        ("input", input),
        ("output", output),
        ("cache_read", cache_read),
        ("cache_write", cache_write),
        ("reasoning", reasoning),
    ];
    classes.into_iter().map(|(class, count)| (class.to_owned(), count.into())).collect()
}
