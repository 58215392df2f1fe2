//! Where the program's log goes: standard error, one JSON object per line unless a person is watching.

use std::io::IsTerminal as _;

use tracing_subscriber::{EnvFilter, fmt};

use crate::{
    configuration::{Log, LogFormat},
    failure::Failure,
};

/// What the schema's tool says about itself is not worth a line; a level of its own can still be set for it.
const HUSHED: &str = "sea_orm_migration=warn";

/// Starts writing the log, at a level that counts where nobody set one.
///
/// # Errors
/// When the process has started a log before or the level cannot be understood.
pub fn start(log: &Log, level: &str) -> Result<(), Failure> {
    let level = log.level.as_deref().unwrap_or(level);
    let filter = EnvFilter::try_new(format!("{HUSHED},{level}")).map_err(Failure::configuration)?;
    let builder = fmt().with_env_filter(filter).with_writer(std::io::stderr);
    let started = if is_for_people(log) {
        builder.with_ansi(std::io::stderr().is_terminal()).with_target(false).try_init()
    } else {
        // Every span, for the innermost seldom is the one that knows the request's id.
        builder.json().flatten_event(true).with_current_span(false).with_span_list(true).try_init()
    };
    started.map_err(Failure::operation)
}

/// Whether people read the log, and not programs.
pub(crate) fn is_for_people(log: &Log) -> bool {
    match log.format {
        LogFormat::Text => true,
        LogFormat::Auto => std::io::stderr().is_terminal(),
        LogFormat::Json => false,
    }
}
