//! The program's log: on standard error, one JSON object per line unless it is a terminal.

use std::io::IsTerminal as _;

use tracing_subscriber::{EnvFilter, fmt};

use crate::{
    configuration::{Log, LogFormat},
    failure::Failure,
};

/// Hides the messages of the migration tool; a level of its own can still be set for it.
const HUSHED: &str = "sea_orm_migration=warn";

/// Starts logging, at the given level if none is configured.
///
/// # Errors
/// When logging was started before, or the level cannot be parsed.
pub fn start(log: &Log, level: &str) -> Result<(), Failure> {
    let level = log.level.as_deref().unwrap_or(level);
    let filter = EnvFilter::try_new(format!("{HUSHED},{level}")).map_err(Failure::configuration)?;
    let builder = fmt().with_env_filter(filter).with_writer(std::io::stderr);
    let started = if is_for_people(log) {
        builder.with_ansi(std::io::stderr().is_terminal()).with_target(false).try_init()
    } else {
        // Include every span: the innermost one rarely has the request's id.
        builder.json().flatten_event(true).with_current_span(false).with_span_list(true).try_init()
    };
    started.map_err(Failure::operation)
}

/// Whether the log is read by people, not programs.
pub(crate) fn is_for_people(log: &Log) -> bool {
    match log.format {
        LogFormat::Text => true,
        LogFormat::Auto => std::io::stderr().is_terminal(),
        LogFormat::Json => false,
    }
}
