//! Programs that some journeys need.

use std::process::Command;

/// If set, no journey may be skipped.
const ALL: &str = "DEVSKYY_TEST_ALL";

/// Whether the machine has these programs. If one is missing, the journey is skipped, and prints that.
///
/// # Panics
/// If one is missing and nothing may be skipped.
#[expect(clippy::print_stderr, reason = "whoever runs the tests hears what is left out")]
pub(crate) fn at_hand(programs: &[&str]) -> bool {
    let found = |program: &str| {
        let asked = Command::new("sh").args(["-c", &format!("command -v {program}")]).output();
        asked.is_ok_and(|asked| asked.status.success())
    };
    let missing: Vec<_> = programs.iter().copied().filter(|program| !found(program)).collect();
    assert!(missing.is_empty() || std::env::var_os(ALL).is_none(), "missing: {}", missing.join(", "));
    if !missing.is_empty() {
        eprintln!("NOT TESTED: missing: {}", missing.join(", "));
    }
    missing.is_empty()
}

#[test]
fn a_program_that_is_not_there_is_missed() {
    let asked = std::panic::catch_unwind(|| at_hand(&["no-such-program-of-devskyy"]));
    assert!(!asked.unwrap_or_default());
}
