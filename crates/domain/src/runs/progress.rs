//! What a worker reports, and what is recorded of it.

use chrono::{DateTime, Utc};

use super::{
    error::RunError,
    event::{
        ApprovalRequested, ChildRequested, OutcomeUnknown, RunEvent, StepExpanded, StepFailed, StepSkipped, ToolCalled,
        ToolFailed, ToolSucceeded,
    },
    run::{MAX_STATE, MAX_VALUE, Run},
    state::{StepState, Unit},
    values::{Failure, Place},
};
use crate::{
    kernel::{
        Aggregate, Decision, Json,
        ids::{AgentId, ApprovalId, OperationId},
    },
    workflow::{Denial, Effect, StepId},
};

/// One thing a worker found or did.
#[derive(Debug, Clone, PartialEq)]
pub enum Progress {
    /// A step's condition does not hold.
    Skip {
        /// Which step.
        step: StepId,
    },
    /// A step with `for_each` knows its elements.
    Expand {
        /// Which step.
        step: StepId,
        /// They.
        items: Vec<Json>,
    },
    /// An execution cannot begin.
    Unable {
        /// Where.
        place: Place,
        /// Why.
        error: Failure,
    },
    /// A tool will be called next.
    Call {
        /// Where.
        place: Place,
        /// Under which id.
        operation: OperationId,
        /// Which tool.
        tool: String,
        /// Whether it may be repeated.
        effect: Effect,
        /// With what.
        arguments: Json,
    },
    /// A call will be made again under its old id.
    Again {
        /// Which call.
        operation: OperationId,
    },
    /// A call answered.
    Answer {
        /// Which call.
        operation: OperationId,
        /// What.
        result: Json,
    },
    /// A try of a call failed.
    Fail {
        /// Which call.
        operation: OperationId,
        /// Why.
        error: Failure,
        /// When it is tried again; never, without.
        retry_at: Option<DateTime<Utc>>,
    },
    /// Nobody knows what became of a call.
    Lose {
        /// Which call.
        operation: OperationId,
        /// What is known.
        error: Failure,
    },
    /// A person has to be asked.
    Ask {
        /// Where.
        place: Place,
        /// Which question.
        approval: ApprovalId,
        /// The question.
        prompt: String,
        /// What to look at.
        data: Json,
        /// What a denial means.
        on_deny: Denial,
        /// When.
        at: DateTime<Utc>,
    },
    /// Another agent runs.
    Delegate {
        /// Where.
        place: Place,
        /// Under which id.
        operation: OperationId,
        /// Which agent.
        agent: AgentId,
        /// Which of its versions.
        agent_version: u32,
    },
}

impl Run {
    /// Records what the holder of the fence reports, in order.
    ///
    /// A value that is too large is not recorded; the execution fails instead.
    ///
    /// # Errors
    /// When the worker no longer holds the run, or a report does not fit what is recorded.
    pub fn record(&self, fence: u64, reports: &[Progress]) -> Decision<Self> {
        self.held(fence)?;
        let (mut state, mut recorded) = (self.clone(), Vec::new());
        for report in reports {
            let event = state.report(report)?;
            state.apply(&event);
            recorded.push(event);
        }
        Ok(recorded)
    }

    fn report(&self, report: &Progress) -> Result<RunEvent, RunError> {
        match report {
            Progress::Skip { step } => {
                self.untouched(step)?;
                Ok(StepSkipped { step: step.clone() }.into())
            }
            Progress::Expand { step, items } => self.expand(step, items),
            Progress::Unable { place, error } => {
                self.free(place)?;
                Ok(StepFailed { place: place.clone(), error: error.clone() }.into())
            }
            Progress::Ask { place, approval, prompt, data, on_deny, at } => self.begin(place, data, || {
                let (place, prompt, data) = (place.clone(), prompt.clone(), data.clone());
                ApprovalRequested { place, approval: *approval, prompt, data, on_deny: *on_deny, at: *at }.into()
            }),
            Progress::Delegate { place, operation, agent, agent_version } => self.begin(place, &Json::Null, || {
                let (place, agent_version) = (place.clone(), *agent_version);
                ChildRequested { place, operation: *operation, agent: *agent, agent_version }.into()
            }),
            Progress::Call { place, operation, tool, effect, arguments } => self.begin(place, arguments, || {
                let (place, tool, arguments) = (place.clone(), tool.clone(), arguments.clone());
                ToolCalled { place, operation: *operation, tool, effect: *effect, attempt: 1, arguments }.into()
            }),
            Progress::Again { operation } => self.again(*operation),
            Progress::Answer { operation, result } => self.answer(*operation, result),
            Progress::Fail { operation, error, retry_at } => {
                self.calling(*operation)?;
                Ok(ToolFailed { operation: *operation, error: error.clone(), retry_at: *retry_at }.into())
            }
            Progress::Lose { operation, error } => {
                self.calling(*operation)?;
                Ok(OutcomeUnknown { operation: *operation, error: error.clone() }.into())
            }
        }
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
        Ok(match self.fits(value) {
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
        let (place, tool) = (place.clone(), call.tool.clone());
        let (effect, attempt) = (call.effect, call.attempt + 1);
        Ok(ToolCalled { place, operation, tool, effect, attempt, arguments: Json::Null }.into())
    }

    fn answer(&self, operation: OperationId, result: &Json) -> Result<RunEvent, RunError> {
        self.calling(operation)?;
        Ok(match self.fits(result) {
            Ok(()) => ToolSucceeded { operation, result: result.clone() }.into(),
            Err(error) => ToolFailed { operation, error, retry_at: None }.into(),
        })
    }

    fn calling(&self, operation: OperationId) -> Result<(), RunError> {
        match self.operation(operation)? {
            (_, Unit::Calling(_)) => Ok(()),
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
                (index as usize) < items.len() && !units.contains_key(&index)
            }
            _ => false,
        };
        if free { Ok(()) } else { Err(RunError::StepState(place.step.clone())) }
    }

    /// Whether the run may take in one more value.
    pub(super) fn fits(&self, value: &Json) -> Result<(), Failure> {
        let measure = value.measure();
        if measure.too_deep { Err(too_large()) } else { self.room(measure.bytes) }
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

fn too_large() -> Failure {
    let depth = crate::kernel::MAX_DEPTH;
    let message = format!("a value of a run has at most {MAX_VALUE} bytes of JSON and {depth} levels");
    Failure::new("run.value_too_large", message)
}
