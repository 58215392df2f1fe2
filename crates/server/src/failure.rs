//! Failures of the program: one line that explains what to do, and an exit code.

use std::fmt;

use tokio::signal::unix::SignalKind;

/// Exit code of a configuration error (`EX_CONFIG` of sysexits).
const CONFIGURATION: u8 = 78;
/// Exit code of any other failure.
const OPERATION: u8 = 1;
/// Offset of the exit code after a signal (POSIX shell, 2.8.2).
const SIGNALLED: i32 = 128;

/// A failure that ends the program, in one line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    code: u8,
    line: String,
}

impl Failure {
    /// The configuration is wrong; restarting does not help.
    pub fn configuration(line: impl fmt::Display) -> Self {
        Self { code: CONFIGURATION, line: one_line(&line.to_string()) }
    }

    /// The configuration is unsafe in production; each finding is one line.
    pub(crate) fn unsafe_settings(findings: &[String]) -> Self {
        let lines: Vec<String> = findings.iter().map(|finding| one_line(finding)).collect();
        Self { code: CONFIGURATION, line: lines.join("\n") }
    }

    /// The configuration is right, but something it refers to is not usable now.
    pub fn operation(line: impl fmt::Display) -> Self {
        Self { code: OPERATION, line: one_line(&line.to_string()) }
    }

    /// The process was stopped by a second signal without waiting for work in progress; the exit code is that of the
    /// signal, as in shells.
    pub(crate) fn stopped(signal: SignalKind) -> Self {
        let line = "stopped at once; acknowledged changes are kept, and runs in progress resume at the next start";
        let code = u8::try_from(SIGNALLED.saturating_add(signal.as_raw_value())).unwrap_or(OPERATION);
        Self { code, line: line.to_owned() }
    }

    /// The exit code of the process.
    #[must_use]
    pub const fn code(&self) -> u8 {
        self.code
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.line)
    }
}

impl std::error::Error for Failure {}

/// The messages of an error and its causes, without repetitions.
#[must_use]
pub fn causes(error: &(dyn std::error::Error + 'static)) -> String {
    let mut told = error.to_string();
    let mut beneath = error.source();
    while let Some(cause) = beneath {
        let text = cause.to_string();
        if !told.contains(&text) {
            told = format!("{told}: {text}");
        }
        beneath = cause.source();
    }
    told
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::Failure;

    #[test]
    fn a_failure_is_one_line_whatever_its_cause_says() {
        assert_eq!(Failure::operation("first\n  second").to_string(), "first second");
    }
}
