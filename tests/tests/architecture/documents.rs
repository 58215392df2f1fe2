//! Documentation stays true: codes are documented, links lead somewhere, migrations have an order.

use std::collections::BTreeSet;

use crate::{
    rust_text::{item_end, strings},
    source::{self, SourceFile},
};

/// Codes of a file's refusals: the strings in its `fn code`.
fn codes(file: &SourceFile) -> BTreeSet<String> {
    let lines: Vec<&str> = file.text.lines().collect();
    let mut codes = BTreeSet::new();
    for (start, line) in lines.iter().enumerate() {
        if file.is_product_code() && line.trim_start().trim_start_matches("pub ").starts_with("fn code(&self)") {
            codes.extend(
                strings(&lines[start..=item_end(&lines, start)].join("\n")).into_iter().filter(|code| is_code(code)),
            );
        }
    }
    codes
}

fn is_code(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|character| character.is_ascii_lowercase() || "._".contains(character))
}

/// Codes that reach no client, because no request can cause them.
const DEFECTS: &str = "crates/api/src/problem/codes/defects.rs";

fn undocumented(files: &[SourceFile], page: &str) -> Vec<String> {
    let all: BTreeSet<String> = files.iter().flat_map(codes).collect();
    let defects = files.iter().filter(|file| file.path == DEFECTS).flat_map(|file| strings(&file.text));
    let defects: BTreeSet<String> = defects.collect();
    let told = |code: &String| page.contains(&format!("`{code}`"));
    all.into_iter().filter(|code| told(code) == defects.contains(code)).collect()
}

/// Codes that occur only if two requests race.
const RACES: [&str; 1] = ["secret.removed"];

/// Codes of the error page that no test over HTTP asserts.
fn unasserted(files: &[SourceFile], page: &str) -> Vec<String> {
    let over_http = |file: &&SourceFile| {
        file.is_rust() && ["crates/api/tests/", "tests/journeys/"].iter().any(|root| file.path.starts_with(root))
    };
    let tests: Vec<&SourceFile> = files.iter().filter(over_http).collect();
    let met = |code: &&str| tests.iter().any(|test| test.text.contains(&format!("\"{code}\"")));
    let documented = page.split("<a id=\"").skip(1).filter_map(|rest| rest.split('"').next());
    documented.filter(|code| !met(code) && !RACES.contains(code)).map(str::to_owned).collect()
}

fn leads_nowhere(file: &SourceFile) -> Vec<String> {
    if !file.path.ends_with(".md") {
        return Vec::new();
    }
    let folder = source::root().join(&file.path);
    let targets = file.text.split("](").skip(1).filter_map(|rest| rest.split(')').next());
    targets
        .filter(|target| !(target.contains("://") || target.starts_with('#') || target.contains(' ')))
        .map(|target| target.split('#').next().unwrap_or(target))
        .filter(|target| !folder.parent().is_some_and(|parent| parent.join(target).exists()))
        .map(|target| file.finding(1, &format!("the link to {target} leads nowhere")))
        .collect()
}

/// Paths of this repository that a document names in backquotes; patterns and placeholders are ignored.
fn names_a_missing_file(file: &SourceFile) -> Vec<String> {
    if !file.path.ends_with(".md") {
        return Vec::new();
    }
    let roots = ["crates/", "migrations/", "tests/", "docs/", "examples/", ".ci/", ".github/"];
    let named = file.text.lines().flat_map(|line| line.split('`').skip(1).step_by(2));
    named
        .filter(|text| roots.iter().any(|root| text.starts_with(root)) && !text.contains(['<', '{', '*', ' ']))
        .filter(|path| !source::root().join(path).exists())
        .map(|path| file.finding(1, &format!("there is no {path}")))
        .collect()
}

fn names_no_machine(file: &SourceFile) -> Vec<String> {
    let places = [concat!("/wo", "rk/"), concat!("/ro", "ot/"), concat!("/ho", "me/"), concat!("../sha", "red")];
    let lines = file.text.lines().enumerate();
    lines
        .filter(|(_, line)| places.iter().any(|place| line.contains(place)))
        .map(|(number, line)| file.finding(number + 1, &format!("`{}` is a path of one machine", line.trim())))
        .collect()
}

/// Migrations have the form `m<date>_<number>_<what>.rs`, no number twice, and run in the order of their names.
fn disorder(names: &[&str], registry: &str) -> Vec<String> {
    let mut findings = Vec::new();
    let mut numbers = BTreeSet::new();
    for name in names {
        let parts: Vec<&str> = name.splitn(3, '_').collect();
        let digits = |part: &str, length: usize| part.len() == length && part.bytes().all(|byte| byte.is_ascii_digit());
        let well_formed = matches!(parts[..], [date, number, what]
            if digits(date.trim_start_matches('m'), 8) && digits(number, 6) && !what.is_empty());
        if !well_formed {
            findings.push(format!("{name} is not m<date>_<number>_<what>"));
        } else if !numbers.insert((parts[0], parts[1])) {
            findings.push(format!("{name} repeats a number"));
        }
    }
    let places: Vec<Option<usize>> = names.iter().map(|name| registry.rfind(&format!("{name}::"))).collect();
    if !places.is_sorted() || places.contains(&None) {
        findings.push("the registry does not list every migration in the order of the names".to_owned());
    }
    findings
}

#[test]
fn every_error_code_is_documented() {
    let missing = undocumented(&source::repository(), &source::file("docs/errors.md").text);
    assert!(missing.is_empty(), "document these codes or list them in {DEFECTS}, and not both: {missing:#?}");
}

#[test]
fn every_documented_code_is_met_over_http() {
    let missing = unasserted(&source::repository(), &source::file("docs/errors.md").text);
    assert!(missing.is_empty(), "no test of the interface meets these codes: {missing:#?}");
}

#[test]
fn a_code_no_test_meets_is_caught() {
    let page = "| <a id=\"agent.odd\"></a>`agent.odd` | 409 |\n| <a id=\"agent.even\"></a>`agent.even` | 409 |\n";
    let test = SourceFile::made_up("crates/api/tests/all/agents.rs", "answer.refused(409, \"agent.even\");");
    assert_eq!(unasserted(&[test], page), ["agent.odd"]);
}

#[test]
fn a_defect_that_is_documented_as_well_is_caught() {
    let text = "    fn code(&self) -> &'static str {\n        match self {\n            Self::A => \"agent.odd\",\n        }\n    }\n";
    let culprit = SourceFile::made_up("crates/domain/src/agents/error.rs", text);
    let defects = SourceFile::made_up(DEFECTS, "const DEFECTS: &[&str] = &[\"agent.odd\"];");
    assert_eq!(undocumented(&[culprit, defects], "`agent.odd`"), ["agent.odd"]);
}

#[test]
fn an_undocumented_code_is_caught() {
    let text = "    fn code(&self) -> &'static str {\n        match self {\n            Self::A => \"agent.odd\",\n        }\n    }\n";
    let culprit = SourceFile::made_up("crates/domain/src/agents/error.rs", text);
    assert_eq!(undocumented(&[culprit], "only `agent.retired` is here"), ["agent.odd"]);
}

#[test]
fn links_in_documents_lead_somewhere() {
    source::hold(leads_nowhere);
}

#[test]
fn a_dead_link_is_caught() {
    let culprit =
        SourceFile::made_up("docs/made-up.md", "[a](architecture.md#map) [b](https://example.org) [c](gone.md)");
    assert_eq!(leads_nowhere(&culprit).len(), 1);
}

#[test]
fn documents_name_files_that_exist() {
    source::hold(names_a_missing_file);
}

#[test]
fn a_document_that_names_a_missing_file_is_caught() {
    let text = "see `crates/domain/src/lib.rs`, `crates/<c>/src` and `crates/gone.rs`";
    assert_eq!(names_a_missing_file(&SourceFile::made_up("docs/made-up.md", text)).len(), 1);
}

#[test]
fn the_repository_names_no_machine() {
    source::hold(names_no_machine);
}

#[test]
fn a_path_of_one_machine_is_caught() {
    let culprit = SourceFile::made_up("docs/a.md", concat!("see /ho", "me/ada/devskyy"));
    assert_eq!(names_no_machine(&culprit).len(), 1);
}

#[test]
fn migrations_are_numbered_and_run_in_that_order() {
    let files = source::repository();
    let names: Vec<&str> = files
        .iter()
        .filter_map(|file| file.path.strip_prefix("migrations/src/")?.strip_suffix(".rs"))
        .filter(|name| !["lib", "change"].contains(name) && !name.contains('/'))
        .collect();
    let findings = disorder(&names, &source::file("migrations/src/lib.rs").text);
    assert!(!names.is_empty() && findings.is_empty(), "{names:?} {findings:#?}");
}

#[test]
fn migrations_out_of_order_are_caught() {
    let names = ["m20260101_000001_es", "m20260101_000002_identity"];
    let (first, second) = ("m20260101_000001_es::CHANGE", "m20260101_000002_identity::CHANGE");
    assert_eq!(disorder(&names, &format!("{first}, {second}")), Vec::<String>::new());
    assert_eq!(disorder(&names, &format!("{second}, {first}")).len(), 1);
    assert_eq!(
        disorder(&["m20260101_000001_es", "m20260101_000001_x"], "m20260101_000001_es:: m20260101_000001_x::").len(),
        1
    );
    assert_eq!(disorder(&["identity"], "identity::").len(), 1);
}
