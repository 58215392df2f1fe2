use crate::kernel::{Refusal, RefusalKind, ids::OperationId};

/// Why a run refuses a request.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RunError {
    /// The run was never requested.
    #[error("there is no such run")]
    Unknown,
    /// The run exists already.
    #[error("the run has begun already")]
    Begun,
    /// A terminal state is final.
    #[error("the run has ended and can no longer change")]
    Ended,
    /// The run is being cancelled.
    #[error("the run is being cancelled")]
    Cancelling,
    /// Another worker holds the run now.
    #[error("the run has passed to another worker")]
    Superseded,
    /// The report does not match the recorded state of the step.
    #[error("step `{0}` is not in a state for that")]
    StepState(String),
    /// There is no such question.
    #[error("the run has no such approval")]
    ApprovalUnknown,
    /// The question was already answered differently.
    #[error("the approval has been decided already")]
    ApprovalDecided,
    /// The question expired before it was answered.
    #[error("the approval has expired and counts as denied")]
    ApprovalExpired,
    /// Arguments can be edited only for a call that is approved.
    #[error("arguments can be edited only for a call, and only with `approve`")]
    NothingToEdit,
    /// The edited arguments are too large or too deeply nested.
    #[error("the arguments are too large or too deeply nested for the run")]
    EditTooLarge,
    /// There is no such call.
    #[error("the run has no such operation")]
    OperationUnknown,
    /// The outcome of these calls is unknown.
    #[error("the outcome of these operations of the run or of runs below it is unknown, give a verdict on each first: {}", listed(.0))]
    InDoubt(Vec<OperationId>),
    /// The outcome of the call is known, or the call is still in progress.
    #[error("the outcome of the operation is not in doubt")]
    NotInDoubt,
    /// The deadline is not in the future.
    #[error("the deadline has passed; choose one in the future")]
    DeadlinePassed,
    /// The run would have too many ancestors.
    #[error("a run has at most {most} runs above it", most = super::run::MAX_ANCESTORS)]
    TooDeep,
    /// Only a run that has ended can be retried.
    #[error("the run has not ended; cancel it first, or fork it")]
    NotEnded,
    /// There is no such step to fork from.
    #[error("there is no step `{0}`")]
    StepUnknown(String),
    /// The steps before this one have not all happened.
    #[error("the run has not reached step `{0}`, or steps before it are still in progress")]
    StepNotReached(String),
    /// Steps that the fork would take over differ in the version it is to run.
    #[error("these steps differ in the other version and cannot be taken over: {}", .0.join(", "))]
    StepsDiffer(Vec<String>),
    /// The input is too large or too deeply nested.
    #[error("the input has at most {} bytes of JSON and {} levels", super::run::MAX_VALUE, crate::kernel::MAX_DEPTH)]
    InputTooLarge,
}

fn listed(operations: &[OperationId]) -> String {
    operations.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

impl Refusal for RunError {
    fn code(&self) -> &'static str {
        match self {
            Self::Unknown => "run.unknown",
            Self::Begun => "run.begun",
            Self::Ended => "run.ended",
            Self::Cancelling => "run.cancelling",
            Self::Superseded => "run.superseded",
            Self::StepState(_) => "run.step_state",
            Self::ApprovalUnknown => "run.approval_unknown",
            Self::ApprovalDecided => "run.approval_decided",
            Self::ApprovalExpired => "run.approval_expired",
            Self::NothingToEdit => "run.nothing_to_edit",
            Self::EditTooLarge => "run.value_too_large",
            Self::OperationUnknown => "run.operation_unknown",
            Self::InDoubt(_) => "run.in_doubt",
            Self::NotInDoubt => "run.not_in_doubt",
            Self::DeadlinePassed => "run.deadline_passed",
            Self::TooDeep => "run.too_deep",
            Self::InputTooLarge => "run.value_too_large",
            Self::NotEnded => "run.not_ended",
            Self::StepUnknown(_) => "run.step_unknown",
            Self::StepNotReached(_) => "run.step_not_reached",
            Self::StepsDiffer(_) => "run.steps_differ",
        }
    }

    fn kind(&self) -> RefusalKind {
        match self {
            Self::DeadlinePassed
            | Self::TooDeep
            | Self::InputTooLarge
            | Self::NothingToEdit
            | Self::EditTooLarge
            | Self::StepUnknown(_)
            | Self::StepNotReached(_)
            | Self::StepsDiffer(_) => RefusalKind::Invalid,
            Self::Unknown
            | Self::Begun
            | Self::NotEnded
            | Self::Ended
            | Self::Cancelling
            | Self::Superseded
            | Self::StepState(_)
            | Self::ApprovalUnknown
            | Self::ApprovalDecided
            | Self::ApprovalExpired
            | Self::OperationUnknown
            | Self::InDoubt(_)
            | Self::NotInDoubt => RefusalKind::Conflict,
        }
    }

    fn pointer(&self) -> Option<String> {
        match self {
            Self::DeadlinePassed => Some("/deadline".to_owned()),
            Self::InputTooLarge => Some("/input".to_owned()),
            Self::StepUnknown(_) | Self::StepNotReached(_) => Some("/step".to_owned()),
            Self::StepsDiffer(_) => Some("/agent_version".to_owned()),
            Self::NothingToEdit | Self::EditTooLarge => Some("/arguments".to_owned()),
            _ => None,
        }
    }
}
