use super::body::BodyFault;
use crate::kernel::{Refusal, RefusalKind};

/// A fault in a workflow.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// There are no steps.
    #[error("a workflow has at least one step")]
    NoSteps,
    /// There are too many steps.
    #[error("a workflow has at most {most} steps, not {found}", most = super::bounds::STEPS.end())]
    TooManySteps {
        /// Number found.
        found: usize,
    },
    /// There are too many of something.
    #[error("there are at most {most} {what}, not {found}")]
    TooMany {
        /// What there are too many of.
        what: &'static str,
        /// Maximum number.
        most: usize,
        /// Number found.
        found: usize,
    },
    /// A step or tool has a name that cannot be used in expressions.
    #[error("`{0}` is not a name: use a lower-case letter, then up to 63 of a-z, 0-9 and _")]
    Name(String),
    /// Two steps have the same name.
    #[error("another step is named `{0}` already")]
    DuplicateStep(String),
    /// A step needs a step that does not exist.
    #[error("there is no step `{0}`")]
    UnknownStep(String),
    /// A step calls a tool that does not exist.
    #[error("there is no tool `{0}`: define it under `tools`, or use parse, jq or template")]
    UnknownTool(String),
    /// A tool has the name of a builtin one.
    #[error("`{0}` is the name of a builtin tool; choose another")]
    ShadowedTool(String),
    /// Steps need each other in a cycle.
    #[error("these steps form a cycle: {}", .0.join(" -> "))]
    Cycle(Vec<String>),
    /// An expression reads a step that may not be settled yet.
    #[error("the expression reads step `{0}`, which the step does not need: add it to `needs`")]
    NotNeeded(String),
    /// A number is out of range.
    #[error("{name} must be from {least} to {most}, not {found}")]
    Limit {
        /// The number's name.
        name: &'static str,
        /// Minimum value.
        least: u32,
        /// Maximum value.
        most: u32,
        /// Value found.
        found: u32,
    },
    /// `$jq` or `$template` is used incorrectly.
    #[error("an object with `{0}` has no other member, and its value is a string")]
    MalformedComputed(&'static str),
    /// The request's body is not valid.
    #[error("{0}")]
    Body(BodyFault),
    /// A jq program does not parse.
    #[error("the jq program is invalid: {0}")]
    Program(String),
    /// A template does not parse.
    #[error("the template is invalid: {0}")]
    Template(String),
    /// A schema is not a valid JSON Schema.
    #[error("this is not JSON Schema (draft 2020-12): {0}")]
    Schema(String),
    /// A tool sends requests to a destination that is not allowed.
    #[error("requests to this address are not allowed: {0}")]
    Destination(String),
}

impl Fault {
    /// Stable code of the fault.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::NoSteps => "workflow.no_steps",
            Self::TooManySteps { .. } => "workflow.too_many_steps",
            Self::TooMany { .. } => "workflow.too_many",
            Self::Name(_) => "workflow.name",
            Self::DuplicateStep(_) => "workflow.step_duplicate",
            Self::UnknownStep(_) => "workflow.step_unknown",
            Self::UnknownTool(_) => "workflow.tool_unknown",
            Self::ShadowedTool(_) => "workflow.tool_shadowed",
            Self::Cycle(_) => "workflow.cycle",
            Self::NotNeeded(_) => "workflow.step_not_needed",
            Self::Limit { .. } => "workflow.limit",
            Self::MalformedComputed(_) => "workflow.computed_value",
            Self::Body(_) => "workflow.body",
            Self::Program(_) => "workflow.jq",
            Self::Template(_) => "workflow.template",
            Self::Schema(_) => "workflow.schema",
            Self::Destination(_) => "workflow.destination",
        }
    }
}

/// A fault of a workflow and its location.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{fault}")]
pub struct Problem {
    /// What is wrong.
    pub fault: Fault,
    /// JSON pointer (RFC 6901) into the workflow.
    pub pointer: String,
}

impl Refusal for Problem {
    fn code(&self) -> &'static str {
        self.fault.code()
    }

    fn kind(&self) -> RefusalKind {
        RefusalKind::Invalid
    }

    fn pointer(&self) -> Option<String> {
        Some(self.pointer.clone())
    }
}
