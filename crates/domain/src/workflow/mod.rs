//! The language workflows are written in: shared by agents, who publish it, and runs, who execute it.

mod definition;

pub use definition::{
    Action, Backoff, Builtin, Denial, Effect, HttpMethod, HttpRequest, Limits, Step, StepId, Tool, Workflow,
};
