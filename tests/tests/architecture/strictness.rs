//! What the code does not do: swallow a new error, silence a lint, panic, or read the clock without its port.

use crate::{
    rust_text::{code, product_code},
    source::{self, SourceFile},
};

/// A file that maps errors lists every case, so that a new one does not compile unnoticed.
fn maps_every_error(file: &SourceFile) -> Vec<String> {
    let maps_errors = file.path.rsplit('/').next().is_some_and(|name| name == "error.rs" || name == "errors.rs")
        || file.path.starts_with("crates/api/src/problem");
    if !(maps_errors && file.is_product_code()) {
        return Vec::new();
    }
    let arms = ["_ =>", "_ if "];
    // Most refusals point at no member of the request: `pointer` may have this once.
    let points_nowhere = "_ => None,";
    lines_with(file, &product_code(&file.text), "names no case; list them all", |line| {
        arms.iter().any(|arm| line.trim().starts_with(arm)) && line.trim() != points_nowhere
    })
}

fn silences_no_lint(file: &SourceFile) -> Vec<String> {
    let attributes = [concat!("#[al", "low("), concat!("#![al", "low(")];
    if !file.is_rust() {
        return Vec::new();
    }
    lines_with(file, &code(&file.text), "use #[expect(lint, reason = \"…\")]", |line| {
        attributes.iter().any(|attribute| line.contains(attribute))
    })
}

fn does_not_panic_on_bad_luck(file: &SourceFile) -> Vec<String> {
    if !file.is_product_code() {
        return Vec::new();
    }
    let calls = [".unwrap()", ".expect(", "panic!(", "unreachable!(", "todo!(", "unimplemented!(", "dbg!("];
    let code = product_code(&file.text);
    lines_with(file, &code, "return an error instead", |line| calls.iter().any(|call| line.contains(call)))
}

fn takes_time_and_chance_from_ports(file: &SourceFile) -> Vec<String> {
    let pure = ["crates/domain/src/", "crates/application/src/"].iter().any(|root| file.path.starts_with(root));
    if !pure {
        return Vec::new();
    }
    let sources =
        ["Utc::now", "Instant::now", "SystemTime::now", "now_v7(", "new_v4(", "env::var", "std::fs", "std::net"];
    lines_with(file, &product_code(&file.text), "ask a port", |line| sources.iter().any(|source| line.contains(source)))
}

fn lines_with(file: &SourceFile, code: &str, message: &str, offends: impl Fn(&str) -> bool) -> Vec<String> {
    code.lines()
        .enumerate()
        .filter(|(_, line)| offends(line))
        .map(|(number, line)| file.finding(number + 1, &format!("`{}`: {message}", line.trim())))
        .collect()
}

#[test]
fn errors_are_mapped_case_by_case() {
    source::hold(maps_every_error);
}

#[test]
fn a_catch_all_in_an_error_mapping_is_caught() {
    let culprit = SourceFile::made_up("crates/application/src/error.rs", "match e {\n    A => 1,\n    _ => 2,\n}");
    assert_eq!(maps_every_error(&culprit).len(), 1);
}

#[test]
fn no_lint_is_silenced_without_a_reason() {
    source::hold(silences_no_lint);
}

#[test]
fn a_silenced_lint_is_caught() {
    let text = concat!("#[al", "low(dead_code)]\nfn a() {}");
    assert_eq!(silences_no_lint(&SourceFile::made_up("crates/api/src/a.rs", text)).len(), 1);
}

#[test]
fn the_product_does_not_panic_on_bad_luck() {
    source::hold(does_not_panic_on_bad_luck);
}

#[test]
fn a_panic_on_bad_luck_is_caught() {
    let text = "fn a() { b().unwrap(); }\n#[cfg(test)]\nmod tests {\n    fn c() { d().unwrap(); }\n}\n";
    assert_eq!(does_not_panic_on_bad_luck(&SourceFile::made_up("crates/api/src/a.rs", text)).len(), 1);
}

#[test]
fn the_domain_and_the_use_cases_ask_ports_for_time_and_chance() {
    source::hold(takes_time_and_chance_from_ports);
}

#[test]
fn a_clock_read_behind_the_ports_is_caught() {
    let culprit = SourceFile::made_up("crates/domain/src/runs/run.rs", "let now = chrono::Utc::now();");
    assert_eq!(takes_time_and_chance_from_ports(&culprit).len(), 1);
}
