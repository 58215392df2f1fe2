use crate::program::{devskyy, ended, fails};

fn place() -> tempfile::TempDir {
    tempfile::tempdir().unwrap()
}

#[test]
fn help_and_version_are_answers() {
    for flag in ["--help", "--version"] {
        assert_eq!(ended(devskyy(place().path()).arg(flag)).0, 0);
    }
}

#[test]
fn an_unknown_verb_is_told_in_one_line() {
    fails(devskyy(place().path()).arg("sevre"), 2, &["sevre", "--help"]);
}

#[test]
fn an_unknown_flag_is_told_in_one_line() {
    fails(devskyy(place().path()).args(["config", "--prot", "1"]), 2, &["--prot"]);
}

#[test]
fn no_verb_is_told_in_one_line() {
    fails(&mut devskyy(place().path()), 2, &["--help"]);
}

#[test]
fn completions_are_a_script_of_the_shell() {
    for (shell, word) in [("bash", "complete -F"), ("zsh", "#compdef devskyy"), ("fish", "complete -c devskyy")] {
        let (code, out, _) = ended(devskyy(place().path()).args(["completions", shell]));
        assert!(code == 0 && out.contains(word), "{shell}");
    }
}
