use clap::CommandFactory as _;
use clap_complete::Shell;

use super::{arguments::Arguments, say};
use crate::failure::Failure;

/// Prints the completion script of a shell.
pub(super) fn print(shell: Shell) -> Result<(), Failure> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Arguments::command(), "devskyy", &mut script);
    say(&String::from_utf8_lossy(&script))
}
