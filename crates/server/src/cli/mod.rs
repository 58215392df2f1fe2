//! The command line: its commands, and how the process exits after a failure.

mod arguments;
mod completions;
mod config;
mod demo;
mod keeping;
mod keys;
mod migrate;
mod openapi;
mod progress;
mod serve;
mod stopping;
mod subscriptions;
mod user;
mod worker;

pub(crate) use user::make_password;

use std::{io::Write as _, process::ExitCode};

use clap::Parser as _;
use devskyy_application::context::PlatformRole;

use self::{
    arguments::{Arguments, KeysVerb, ProjectionsVerb, SubscriptionsVerb, UserVerb, Verb},
    demo::Place,
};
use crate::{
    configuration::{Effective, Settings},
    demo::Answer,
    failure::Failure,
    telemetry,
};

/// Exit code of an invalid command line.
const USAGE: u8 = 2;

/// Parses the command line, runs the command and prints a failure in one line.
#[must_use]
pub fn main() -> ExitCode {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => return misunderstood(&error),
    };
    match run(&arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            for line in failure.to_string().lines() {
                let _ = writeln!(std::io::stderr(), "devskyy: {line}");
            }
            ExitCode::from(failure.code())
        }
    }
}

fn run(arguments: &Arguments) -> Result<(), Failure> {
    let effective = || Effective::read(&arguments.layers());
    match &arguments.verb {
        Verb::Serve { .. } => started(&effective()?, "info", serve::serve),
        Verb::Worker => started(&effective()?, "info", worker::work),
        Verb::Demo { lockfile, approve, deny, exit } => {
            let answer = match (approve, deny) {
                (true, _) => Some(Answer::Approve),
                (_, true) => Some(Answer::Deny),
                (false, false) => None,
            };
            let place = Place { named: arguments.names_data_dir(), database: arguments.names_database() };
            started(&effective()?, "error", |settings| demo::demo(settings, place, lockfile.clone(), answer, *exit))
        }
        Verb::Migrate => started(&effective()?, "warn", migrate::migrate),
        Verb::Verify => started(&effective()?, "warn", keeping::verify_log),
        Verb::Projections { verb: ProjectionsVerb::Rebuild { name } } => {
            started(&effective()?, "warn", |settings| keeping::rebuild_views(settings, name.as_deref()))
        }
        Verb::User { verb } => {
            let (user, role) = match verb {
                UserVerb::Create(user) => (user, PlatformRole::Member),
                UserVerb::CreateAdmin(user) => (user, PlatformRole::Admin),
            };
            started(&effective()?, "warn", |settings| user::create(settings, user, role))
        }
        Verb::Subscriptions { verb: None } => started(&effective()?, "warn", subscriptions::show),
        Verb::Subscriptions { verb: Some(SubscriptionsVerb::Resume { name, after }) } => {
            started(&effective()?, "warn", |settings| subscriptions::resume(settings, name, *after))
        }
        Verb::Keys { verb: KeysVerb::Rotate } => started(&effective()?, "warn", keys::rotate),
        Verb::Openapi => openapi::print(),
        Verb::Config { format } => config::print(&effective()?, *format),
        Verb::Completions { shell } => completions::print(*shell),
    }
}

/// Runs a command with logging enabled.
fn started<F: Future<Output = Result<(), Failure>>>(
    effective: &Effective,
    level: &str,
    work: impl FnOnce(Settings) -> F,
) -> Result<(), Failure> {
    let settings = Settings::from(effective);
    telemetry::start(&settings.log, level)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().map_err(Failure::operation)?;
    let done = runtime.block_on(work(settings));
    // After a second signal, do not wait for blocking threads.
    runtime.shutdown_background();
    done
}

/// Help and version succeed; any other error is printed in one line.
fn misunderstood(error: &clap::Error) -> ExitCode {
    if !error.use_stderr() {
        let _ = error.print();
        return ExitCode::SUCCESS;
    }
    let text = error.to_string();
    let said: Vec<&str> = text.lines().map(str::trim).take_while(|line| !line.starts_with("Usage:")).collect();
    let line = said.join(" ");
    let line = line.trim().trim_start_matches("error: ").to_owned();
    let line = line.split_whitespace().collect::<Vec<_>>().join(" ");
    let line = if line.is_empty() || line.contains("Commands:") { "say what to do".to_owned() } else { line };
    let _ = writeln!(std::io::stderr(), "devskyy: {line}; see devskyy --help");
    ExitCode::from(USAGE)
}

/// Writes to standard output; a closed pipe is not an error.
fn say(text: &str) -> Result<(), Failure> {
    let mut out = std::io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => {
            Err(Failure::operation(format!("cannot write to standard output: {error}")))
        }
        _ => Ok(()),
    }
}
