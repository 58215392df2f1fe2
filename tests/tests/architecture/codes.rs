//! Every code in use is documented: events by their examples, refusals and failures by their pages.

use std::collections::{BTreeMap, BTreeSet};

use crate::source::{self, SourceFile};

const GOLDEN: &str = "crates/domain/tests/golden/";
const ERRORS: &str = "docs/errors.md";
const FAILURES: &str = "docs/failures.md";
const EVENTS: &str = "docs/run-events.md";
/// The file with the public form of a run's events.
const PUBLISHED: &str = "crates/application/src/runs/published.rs";
/// Codes of refusals that reach no client, because no request can cause them.
const DEFECTS: &str = "crates/api/src/problem/codes/defects.rs";
/// Names of the same form that are no codes: scopes of claims.
const SCOPES: [&str; 2] = ["user.email", "user.invitation"];
/// The families of failure codes.
const FAILING: [&str; 4] = ["run", "model", "tool", "budget"];
/// Stored events with another public name.
const RENAMED: [&str; 2] = ["run.parked", "run.child_requested"];

/// Everything of the form `"family.name"` in a file, and its line.
fn named(file: &SourceFile) -> Vec<(String, usize)> {
    let code = |line: &str| !line.trim_start().starts_with("//");
    let lines = file.text.lines().enumerate().filter(|(_, line)| code(line));
    lines
        .flat_map(|(at, line)| line.split('"').filter(|text| is_code(text)).map(move |text| (text.to_owned(), at + 1)))
        .collect()
}

fn is_code(text: &str) -> bool {
    let word = |word: &str| !word.is_empty() && word.chars().all(|c| c.is_ascii_lowercase() || c == '_');
    text.split_once('.').is_some_and(|(family, name)| word(family) && word(name))
}

fn family(code: &str) -> &str {
    code.split('.').next().unwrap_or_default()
}

/// The codes that a page explains: the first cells of its tables.
fn explained(files: &[SourceFile], page: &str) -> BTreeSet<String> {
    let rows = files.iter().filter(|file| file.path == page).flat_map(|file| file.text.lines());
    let first = |row: &str| row.strip_prefix('|')?.split('`').nth(1).map(str::to_owned);
    rows.filter_map(first).filter(|code| is_code(code)).collect()
}

/// The names of events that were ever written.
fn recorded(files: &[SourceFile]) -> BTreeSet<String> {
    let inside = files.iter().filter_map(|file| file.path.strip_prefix(GOLDEN));
    inside.filter_map(|path| path.split_once('/')).map(|(name, _)| name.to_owned()).collect()
}

/// Codes in the rings below the edge that are not explained.
fn unknown(files: &[SourceFile]) -> Vec<String> {
    let mut known = recorded(files);
    let families: BTreeSet<String> = known.iter().map(|name| family(name)).chain(FAILING).map(str::to_owned).collect();
    known.extend([ERRORS, FAILURES, EVENTS].iter().flat_map(|page| explained(files, page)));
    known.extend(files.iter().filter(|file| file.path == DEFECTS).flat_map(named).map(|(code, _)| code));
    known.extend(SCOPES.map(str::to_owned));
    let rings = ["crates/domain/src/", "crates/application/src/", "crates/infrastructure/src/"];
    let below = |file: &&SourceFile| file.is_product_code() && rings.iter().any(|ring| file.path.starts_with(ring));
    let mut findings = Vec::new();
    for file in files.iter().filter(below).filter(|file| file.path != PUBLISHED) {
        for (code, line) in named(file) {
            if families.contains(family(&code)) && !known.contains(&code) {
                let pages = format!("no event of the log, nor in {ERRORS} or {FAILURES}");
                findings.push(file.finding(line, &format!("`{code}` is {pages}")));
            }
        }
    }
    findings
}

/// Failures that are explained, but never used.
fn unmet(files: &[SourceFile]) -> Vec<String> {
    let product = files.iter().filter(|file| file.is_product_code());
    let met: BTreeSet<String> = product.flat_map(named).map(|(code, _)| code).collect();
    explained(files, FAILURES).difference(&met).map(|code| format!("{FAILURES}: nothing fails with `{code}`")).collect()
}

/// Types of a run's events that are published but not explained, or the other way round.
fn untold(files: &[SourceFile]) -> Vec<String> {
    let told = files.iter().filter(|file| file.path == PUBLISHED).flat_map(named).map(|(code, _)| code);
    // The fallback for events without a public form.
    let told: BTreeSet<String> = told.filter(|code| family(code) == "run" && code != "run.changed").collect();
    let explained = explained(files, EVENTS);
    let of_runs = recorded(files).into_iter().filter(|name| family(name) == "run" && !RENAMED.contains(&&**name));
    let mut findings: Vec<String> = told
        .symmetric_difference(&explained)
        .map(|code| format!("`{code}` is in one of {PUBLISHED} and {EVENTS}"))
        .collect();
    findings
        .extend(of_runs.filter(|name| !told.contains(name)).map(|name| format!("{PUBLISHED} does not tell `{name}`")));
    findings
}

fn hold(rule: fn(&[SourceFile]) -> Vec<String>) {
    let findings = rule(&source::repository());
    assert!(findings.is_empty(), "\n{}\n", findings.join("\n"));
}

#[test]
fn every_code_is_an_event_or_is_explained() {
    hold(unknown);
}

#[test]
fn every_failure_that_is_explained_happens() {
    hold(unmet);
}

#[test]
fn every_event_of_a_run_is_told_and_explained() {
    hold(untold);
}

/// A repository about a lamp that is lit, and fails for want of power.
fn made_up(changed: &[(&str, &str)]) -> Vec<SourceFile> {
    let mut files = BTreeMap::from([
        ("crates/domain/tests/golden/run.lit/v1.json", "{}"),
        (PUBLISHED, "(\"run.lit\", data)"),
        (EVENTS, "| `run.lit` | it shines |"),
        (FAILURES, "| `run.dark` | no power |"),
        ("crates/application/src/runs/lamp.rs", "fail(\"run.dark\"); record(\"run.lit\")"),
    ]);
    files.extend(changed.iter().copied());
    files.into_iter().map(|(path, text)| SourceFile::made_up(path, text)).collect()
}

#[test]
fn a_misspelt_event_is_caught() {
    let files = made_up(&[("crates/infrastructure/src/runs/lamp.rs", "\n    wake(\"run.litt\")")]);
    assert_eq!(unknown(&files).len(), 1);
}

#[test]
fn a_failure_that_cannot_happen_is_caught() {
    assert_eq!(unmet(&made_up(&[("crates/application/src/runs/lamp.rs", "")])).len(), 1);
}

#[test]
fn an_event_that_is_not_explained_is_caught() {
    assert_eq!(untold(&made_up(&[(EVENTS, "")])).len(), 1);
}

#[test]
fn an_event_that_is_not_told_is_caught() {
    assert_eq!(untold(&made_up(&[("crates/domain/tests/golden/run.dimmed/v1.json", "{}")])).len(), 1);
}

#[test]
fn what_is_known_and_explained_is_fine() {
    let files = made_up(&[]);
    assert_eq!([unknown(&files), unmet(&files), untold(&files)].concat(), Vec::<String>::new());
}
