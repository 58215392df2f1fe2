use std::{
    path::Path,
    process::{Command, Output},
};

/// The binary in a directory of its own, without the caller's environment variables that could change its behaviour.
pub(crate) fn devskyy(directory: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_devskyy"));
    for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("DEVSKYY_")) {
        command.env_remove(name);
    }
    command.current_dir(directory);
    command
}

/// How a command ended: exit code, standard output, standard error.
pub(crate) fn ended(command: &mut Command) -> (i32, String, String) {
    let Output { status, stdout, stderr } = command.output().unwrap();
    (
        status.code().unwrap_or(-1),
        String::from_utf8_lossy(&stdout).into_owned(),
        String::from_utf8_lossy(&stderr).into_owned(),
    )
}

/// Asserts that a command fails with this code and one line on standard error that contains all of these words.
pub(crate) fn fails(command: &mut Command, code: i32, words: &[&str]) {
    let (actual, _, stderr) = ended(command);
    assert_eq!((actual, stderr.lines().count()), (code, 1), "{stderr}");
    for word in words {
        assert!(stderr.contains(word), "`{word}` is missing in: {stderr}");
    }
}
