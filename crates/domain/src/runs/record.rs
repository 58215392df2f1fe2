//! How a worker's reports are recorded.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};

use super::{
    approval_event::{ApprovalExpired, ApprovalRequested},
    error::RunError,
    event::{
        ChildRequested, OutcomeUnknown, RunEvent, StepExpanded, StepFailed, StepSkipped, ToolCalled, ToolFailed,
        ToolSucceeded,
    },
    model_event::{AnswerRejected, ContextCompacted, ModelAnswered, ModelCalled, ModelFailed},
    progress::{Progress, Reply},
    run::{MAX_STATE, MAX_VALUE, Run},
    state::{Call, Callee, StepState, Unit},
    turns::MAX_CARRY,
    value::Value,
    values::{Failure, Place},
};
use crate::{
    conversation::ToolCall,
    kernel::{
        Aggregate, Decision, Json, Measure,
        ids::{ApprovalId, OperationId},
    },
    workflow::Effect,
};

impl Run {
    /// Records the reports of the fence's holder, in order.
    ///
    /// A value that is too large is not recorded; the execution fails instead.
    ///
    /// # Errors
    /// When the worker no longer holds the run, or a report does not match the recorded state.
    pub fn record(&self, fence: u64, reports: &[Progress]) -> Decision<Self> {
        self.held(fence)?;
        let (mut state, mut recorded) = (self.excerpt(reports), Vec::new());
        for report in reports {
            let event = state.report(report)?;
            state.apply(&event);
            recorded.push(event);
        }
        Ok(recorded)
    }

    pub(super) fn report(&self, report: &Progress) -> Result<RunEvent, RunError> {
        match report {
            Progress::Skip { step } => self.untouched(step).map(|()| StepSkipped { step: step.clone() }.into()),
            Progress::Expand { step, items } => self.expand(step, items),
            Progress::Unable { place, error } => {
                self.free(place)?;
                Ok(StepFailed { place: place.clone(), error: error.clone() }.into())
            }
            Progress::Ask { place, approval, prompt, data, on_deny, call, expires_at, at } => {
                self.begin(place, data, || {
                    let (place, prompt, data) = (place.clone(), prompt.clone(), data.clone());
                    let (approval, on_deny, call) = (*approval, *on_deny, call.clone());
                    let (expires_at, at) = (*expires_at, *at);
                    ApprovalRequested { place, approval, prompt, data, on_deny, call, expires_at, at }.into()
                })
            }
            Progress::Delegate { place, operation, agent, agent_version } => self.begin(place, &Json::Null, || {
                let (place, agent_version) = (place.clone(), *agent_version);
                ChildRequested { place, operation: *operation, agent: *agent, agent_version }.into()
            }),
            Progress::Call { place, operation, tool, effect, arguments } => self.begin(place, arguments, || {
                let (place, tool, arguments) = (place.clone(), tool.clone(), arguments.clone());
                ToolCalled { place, operation: *operation, tool, effect: *effect, attempt: 1, arguments }.into()
            }),
            Progress::Again { operation } => self.again(*operation),
            Progress::Answer { operation, result } => self.succeeded(*operation, result),
            Progress::Fail { operation, error, retry_at } => self.failed(*operation, error, *retry_at),
            Progress::Lose { operation, error } => {
                let (operation, error) = (*operation, error.clone());
                self.calling(operation).map(|_| OutcomeUnknown { operation, error }.into())
            }
            _ => self.report_turn(report),
        }
    }

    fn failed(
        &self,
        operation: OperationId,
        error: &Failure,
        retry_at: Option<DateTime<Utc>>,
    ) -> Result<RunEvent, RunError> {
        let error = error.clone();
        Ok(match self.calling(operation)? {
            Callee::Tool(_) => ToolFailed { operation, error, retry_at }.into(),
            Callee::Model(_) => {
                ModelFailed { operation, error, retry_at, unasked: false, overflow: false, billed: None }.into()
            }
        })
    }

    fn report_turn(&self, report: &Progress) -> Result<RunEvent, RunError> {
        match report {
            Progress::Expire { approval, at } => self.expire(*approval, *at),
            Progress::Prompt { place, operation, model } => {
                self.free(place)?;
                Ok(ModelCalled { place: place.clone(), operation: *operation, model: model.clone(), attempt: 1 }.into())
            }
            Progress::Reply { operation, reply } => self.reply(*operation, reply),
            Progress::Postpone { operation, error, retry_at } => match self.calling(*operation)? {
                Callee::Model(_) => {
                    let (operation, error, retry_at) = (*operation, error.clone(), Some(*retry_at));
                    Ok(ModelFailed { operation, error, retry_at, unasked: true, overflow: false, billed: None }.into())
                }
                Callee::Tool(_) => Err(RunError::OperationUnknown),
            },
            Progress::Waste { operation, error, retry_at, billed } => match self.calling(*operation)? {
                Callee::Model(_) => {
                    let (operation, error, billed) = (*operation, error.clone(), Some(billed.clone()));
                    let retry_at = *retry_at;
                    Ok(ModelFailed { operation, error, retry_at, unasked: false, overflow: false, billed }.into())
                }
                Callee::Tool(_) => Err(RunError::OperationUnknown),
            },
            Progress::Overflow { operation, error, at } => self.overflowing(*operation, error, *at),
            Progress::Reject { step, errors } => match self.answer(step) {
                Some(_) if !self.rejected.contains_key(step) => {
                    Ok(AnswerRejected { step: step.clone(), errors: errors.clone() }.into())
                }
                _ => Err(RunError::StepState(step.clone())),
            },
            Progress::Compact { from, through, summary, cause, unsummarised } => {
                let (from, through, summary) = (*from, *through, *summary);
                let (cause, unsummarised) = (*cause, *unsummarised);
                Ok(ContextCompacted { from, through, summary, cause, unsummarised }.into())
            }
            _ => Err(RunError::OperationUnknown),
        }
    }

    /// A prompt is shortened at most once, and a summary prompt never.
    fn overflowing(&self, operation: OperationId, error: &Failure, at: DateTime<Utc>) -> Result<RunEvent, RunError> {
        if let Callee::Tool(_) = self.calling(operation)? {
            return Err(RunError::OperationUnknown);
        }
        let (place, _) = self.operation(operation)?;
        if !self.asks_in_full(place) {
            return Err(RunError::StepState(place.step.clone()));
        }
        let (error, retry_at) = (error.clone(), Some(at));
        Ok(ModelFailed { operation, error, retry_at, unasked: false, overflow: true, billed: None }.into())
    }

    fn expire(&self, approval: ApprovalId, at: DateTime<Utc>) -> Result<RunEvent, RunError> {
        let question = self.approvals.get(&approval).ok_or(RunError::ApprovalUnknown)?;
        if question.answer.is_some() {
            Err(RunError::ApprovalDecided)
        } else {
            Ok(ApprovalExpired { approval, at }.into())
        }
    }

    fn reply(&self, operation: OperationId, reply: &Reply) -> Result<RunEvent, RunError> {
        self.calling(operation)?;
        let Reply { text, calls, finish, usage, estimated, model, answered_by, price, carry } = reply.clone();
        let (calls, cost_micros) = (distinct(calls), price.as_ref().map(|applied| applied.price.of(&usage)));
        let carry = carry.filter(bearable);
        let answered = ModelAnswered {
            operation,
            text,
            calls,
            finish,
            usage,
            estimated,
            model,
            answered_by,
            cost_micros,
            price,
            carry,
        };
        let deep = answered.calls.iter().any(|call| call.arguments.measure().too_deep);
        let fits = if deep { Err(too_large()) } else { self.room(answered.bytes()) };
        Ok(match fits {
            Ok(()) => answered.into(),
            Err(error) => {
                let (billed, retry_at) = (Some(answered.bill()), None);
                ModelFailed { operation, error, retry_at, unasked: false, overflow: false, billed }.into()
            }
        })
    }

    fn expand(&self, step: &str, items: &[Json]) -> Result<RunEvent, RunError> {
        self.untouched(step)?;
        let mut bytes = 0;
        for item in items {
            let measure = item.measure();
            bytes += measure.bytes;
            if measure.too_deep || self.room(bytes).is_err() {
                return Ok(StepFailed { place: Place::step(step), error: too_large() }.into());
            }
        }
        Ok(StepExpanded { step: step.to_owned(), items: items.to_vec() }.into())
    }

    fn begin(&self, place: &Place, value: &Json, event: impl FnOnce() -> RunEvent) -> Result<RunEvent, RunError> {
        self.free(place)?;
        Ok(match self.fits(value.measure()) {
            Ok(()) => event(),
            Err(error) => StepFailed { place: place.clone(), error }.into(),
        })
    }

    fn again(&self, operation: OperationId) -> Result<RunEvent, RunError> {
        let (place, unit) = self.operation(operation)?;
        let call = match unit {
            Unit::Calling(call) if call.repeatable() => call,
            Unit::Backoff { call, .. } => call,
            _ => return Err(RunError::StepState(place.step.clone())),
        };
        let (place, effect, attempt) = (place.clone(), call.effect, call.attempt + 1);
        Ok(match call.callee.clone() {
            Callee::Tool(tool) => ToolCalled { place, operation, tool, effect, attempt, arguments: Json::Null }.into(),
            Callee::Model(model) => ModelCalled { place, operation, model, attempt }.into(),
        })
    }

    /// A call with an effect does not fail for lack of room: its result is replaced by a note, `{note}`.
    fn succeeded(&self, operation: OperationId, result: &Value) -> Result<RunEvent, RunError> {
        self.calling(operation)?;
        let reads = |call: &Call| call.effect == Effect::ReadOnly;
        let only_read = self.operation(operation).is_ok_and(|(_, unit)| unit.call().is_some_and(reads));
        Ok(match self.fits(result.measure()) {
            Ok(()) => ToolSucceeded { operation, result: result.clone() }.into(),
            Err(error) if only_read => ToolFailed { operation, error, retry_at: None }.into(),
            Err(error) => {
                let note = format!("the call was made; its result was left out: {}", error.message);
                let note: Json = [("note".to_owned(), Json::from(note))].into_iter().collect();
                ToolSucceeded { operation, result: note.into() }.into()
            }
        })
    }

    fn calling(&self, operation: OperationId) -> Result<&Callee, RunError> {
        match self.operation(operation)? {
            (_, Unit::Calling(call)) => Ok(&call.callee),
            (place, _) => Err(RunError::StepState(place.step.clone())),
        }
    }

    fn untouched(&self, step: &str) -> Result<(), RunError> {
        if self.steps.contains_key(step) { Err(RunError::StepState(step.to_owned())) } else { Ok(()) }
    }

    /// Whether an execution may begin at a place.
    fn free(&self, place: &Place) -> Result<(), RunError> {
        let free = match (place.index, self.steps.get(&place.step)) {
            (None, None) => true,
            (Some(index), Some(StepState::Each { items, units })) => {
                let begun = units.get(&index).is_some_and(|unit| !matches!(unit, Unit::Approved(_)));
                (index as usize) < items.len() && !begun
            }
            (None, Some(StepState::Once(Unit::Approved(_)))) => true,
            _ => false,
        };
        if free { Ok(()) } else { Err(RunError::StepState(place.step.clone())) }
    }

    /// Whether the run has room for one more value.
    pub(super) fn fits(&self, value: Measure) -> Result<(), Failure> {
        if value.too_deep { Err(too_large()) } else { self.room(value.bytes) }
    }

    fn room(&self, bytes: usize) -> Result<(), Failure> {
        if bytes > MAX_VALUE {
            return Err(too_large());
        }
        if self.bytes.saturating_add(bytes) > MAX_STATE {
            let message = format!("all values of a run together have at most {MAX_STATE} bytes of JSON");
            return Err(Failure::new("run.state_too_large", message));
        }
        Ok(())
    }
}

/// Models match results to calls by id; a call with a missing or duplicate id gets a new one.
fn distinct(calls: Vec<ToolCall>) -> Vec<ToolCall> {
    let mut seen = BTreeSet::new();
    let mut named = |(index, call): (usize, ToolCall)| {
        let id =
            if call.id.is_empty() || !seen.insert(call.id.clone()) { format!("{}_{index}", call.id) } else { call.id };
        seen.insert(id.clone());
        ToolCall { id, ..call }
    };
    calls.into_iter().enumerate().map(&mut named).collect()
}

/// Whether the provider's data is kept: it may have at most [`MAX_CARRY`] bytes. At worst, without it the provider
/// refuses the next prompt; a fallback does not need it.
fn bearable(carry: &Json) -> bool {
    let measure = carry.measure();
    !measure.too_deep && measure.bytes <= MAX_CARRY
}

fn too_large() -> Failure {
    let depth = crate::kernel::MAX_DEPTH;
    let message = format!("a value of a run has at most {MAX_VALUE} bytes of JSON and {depth} levels");
    Failure::new("run.value_too_large", message)
}
