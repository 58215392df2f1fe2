use crate::{
    kernel::{Refusal, RefusalKind},
    workflow::BodyFault,
};

/// A fault in an assistant.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// A model name without provider.
    #[error("`{0}` is not a model name: write `<provider>/<model>`")]
    Model(String),
    /// A model is listed more than once.
    #[error("`{0}` is listed twice; name another model as a fallback")]
    Fallback(String),
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
    /// A tool has a name that not every provider accepts.
    #[error("`{0}` is not a name: use a lower-case letter, then up to 63 of a-z, 0-9 and _")]
    Name(String),
    /// A required text is empty.
    #[error("{0} must not be empty")]
    Empty(&'static str),
    /// A number is out of range.
    #[error("{name} must be from {least} to {most}, not {found}")]
    Limit {
        /// The number's name.
        name: &'static str,
        /// Minimum value.
        least: u64,
        /// Maximum value.
        most: u64,
        /// Value found.
        found: u64,
    },
    /// The temperature is not between 0 and 2.
    #[error("temperature must be from 0 to 2")]
    Temperature,
    /// The schema of a tool's arguments is not that of an object.
    #[error("models send arguments as an object: the schema must have `\"type\": \"object\"`")]
    ArgumentsSchema,
    /// A tool's argument has a name that not every provider accepts.
    #[error("`{0}` is no name for an argument that every provider takes: use 1 to 64 of a-z, A-Z, 0-9, _, . and -")]
    ArgumentName(String),
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
    /// A tool sends requests to a destination that is not allowed.
    #[error("requests to this address are not allowed: {0}")]
    Destination(String),
    /// A schema is not a valid JSON Schema.
    #[error("this is not JSON Schema (draft 2020-12): {0}")]
    Schema(String),
}

impl Fault {
    /// Stable code of the fault.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Model(_) => "assistant.model",
            Self::Fallback(_) => "assistant.fallback",
            Self::TooMany { .. } => "assistant.too_many",
            Self::Name(_) => "assistant.tool_name",
            Self::Empty(_) => "assistant.empty",
            Self::Limit { .. } => "assistant.limit",
            Self::Temperature => "assistant.temperature",
            Self::ArgumentsSchema => "assistant.arguments_schema",
            Self::ArgumentName(_) => "assistant.argument_name",
            Self::MalformedComputed(_) => "assistant.computed_value",
            Self::Body(_) => "assistant.body",
            Self::Program(_) => "assistant.jq",
            Self::Template(_) => "assistant.template",
            Self::Destination(_) => "assistant.destination",
            Self::Schema(_) => "assistant.schema",
        }
    }
}

/// A fault of an assistant and its location.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{fault}")]
pub struct Problem {
    /// What is wrong.
    pub fault: Fault,
    /// JSON pointer (RFC 6901) into the assistant.
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
