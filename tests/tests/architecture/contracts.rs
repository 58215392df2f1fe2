//! Every port has a contract, every promise of a contract is tested with a real adapter and broken by a culprit; every
//! aggregate is tested with the laws of folding.

use std::collections::BTreeSet;

use crate::{
    rust_text::{code, item_end, product_code},
    source::{self, SourceFile},
};

/// Traits of the application that only receive; their callers have the contract.
const LISTENERS: [&str; 2] = ["Deltas", "Reaction"];

/// Suites whose adapters need nothing of the infrastructure.
const WITHOUT_INFRASTRUCTURE: [&str; 1] = ["offers_contract"];

const CONTRACTS: &str = "crates/testkit/src/contracts/";

/// The code of every file below a folder.
fn below(files: &[SourceFile], folder: &str) -> String {
    let files = files.iter().filter(|file| file.path.starts_with(folder) && file.is_rust());
    files.map(|file| code(&file.text)).collect::<Vec<_>>().join("\n")
}

fn words(code: &str) -> BTreeSet<&str> {
    code.split(|character: char| !(character.is_alphanumeric() || character == '_')).collect()
}

/// What a line defines after these words.
fn named<'a>(line: &'a str, defining: &str) -> Option<&'a str> {
    let rest = line.trim_start().strip_prefix(defining)?;
    rest.split(|character: char| !(character.is_alphanumeric() || character == '_')).next()
}

/// Ports that no contract names.
fn ports_without_contract(files: &[SourceFile]) -> Vec<String> {
    let contracts = below(files, CONTRACTS);
    let known = words(&contracts);
    let application = files.iter().filter(|file| file.path.starts_with("crates/application/src/") && file.is_rust());
    let mut findings = Vec::new();
    for file in application {
        for (number, line) in product_code(&file.text).lines().enumerate() {
            let port = named(line, "pub trait ").filter(|port| !LISTENERS.contains(port));
            if let Some(port) = port.filter(|port| !known.contains(port)) {
                findings.push(file.finding(number + 1, &format!("no contract in {CONTRACTS} names the port {port}")));
            }
        }
    }
    findings
}

/// The names of the macros that list promises.
fn suites(files: &[SourceFile]) -> BTreeSet<String> {
    let contracts = below(files, CONTRACTS);
    let macros = contracts.lines().filter_map(|line| named(line, "macro_rules! "));
    macros.filter(|name| name.ends_with("_contract")).map(str::to_owned).collect()
}

/// Promises that no suite lists, so that no adapter is tested with them and no culprit breaks them.
fn promises_without_suite(files: &[SourceFile]) -> Vec<String> {
    let contracts = below(files, CONTRACTS);
    let lines: Vec<&str> = contracts.lines().collect();
    let mut listed = BTreeSet::new();
    for (start, line) in lines.iter().enumerate() {
        if named(line, "macro_rules! ").is_some_and(|name| name.ends_with("_contract")) {
            let list = &lines[start..=item_end(&lines, start)];
            listed.extend(list.iter().filter_map(|line| line.trim().strip_suffix(',')));
        }
    }
    let promises =
        files.iter().filter(|file| file.path.starts_with(CONTRACTS) && file.path != format!("{CONTRACTS}mod.rs"));
    let mut findings = Vec::new();
    for file in promises {
        for (number, line) in file.text.lines().enumerate().filter(|(_, line)| line.starts_with("pub ")) {
            let promise = named(line, "pub async fn ");
            if let Some(promise) = promise.filter(|promise| !listed.contains(promise)) {
                findings.push(file.finding(number + 1, &format!("no `…_contract` macro lists the promise {promise}")));
            }
        }
    }
    findings
}

/// Suites that are not run by an in-memory adapter, by a real one, or by culprits promise by promise.
fn suites_not_run(files: &[SourceFile]) -> Vec<String> {
    let (testkit, real) = (below(files, "crates/testkit/tests/"), below(files, "crates/infrastructure/tests/"));
    let runs = |tests: &str, suite: &str, broken: bool| {
        let invocation = format!("{suite}!(");
        tests
            .split(&invocation)
            .skip(1)
            .any(|rest| rest.trim_start().trim_start_matches("each ").starts_with("broken ") == broken)
    };
    let mut findings = Vec::new();
    for suite in suites(files) {
        if !runs(&testkit, &suite, false) {
            findings.push(format!("no adapter in crates/testkit/tests keeps `{suite}!(factory)`"));
        }
        if !runs(&real, &suite, false) && !WITHOUT_INFRASTRUCTURE.contains(&suite.as_str()) {
            findings.push(format!("no adapter in crates/infrastructure/tests keeps `{suite}!(factory)`"));
        }
        if !runs(&testkit, &suite, true) {
            findings.push(format!("no culprits in crates/testkit/tests break `{suite}!(broken factory)`"));
        }
    }
    findings
}

/// Aggregates whose folding is not tested with generated histories.
fn aggregates_without_laws(files: &[SourceFile]) -> Vec<String> {
    let folding = below(files, "crates/domain/tests/all/folding/");
    let mut findings = Vec::new();
    for file in files.iter().filter(|file| file.path.starts_with("crates/domain/src/") && file.is_product_code()) {
        for (number, line) in product_code(&file.text).lines().enumerate() {
            let aggregate = named(line, "impl Aggregate for ");
            if let Some(name) = aggregate.filter(|name| !folding.contains(&format!("Rules<{name}>"))) {
                let why = format!("no Rules<{name}> in crates/domain/tests/all/folding hold it to the laws of folding");
                findings.push(file.finding(number + 1, &why));
            }
        }
    }
    findings
}

#[test]
fn every_aggregate_is_held_to_the_laws_of_folding() {
    let findings = aggregates_without_laws(&source::repository());
    assert!(findings.is_empty(), "{findings:#?}");
}

#[test]
fn an_aggregate_without_laws_is_caught() {
    let lamp = SourceFile::made_up("crates/domain/src/lamps/lamp.rs", "impl Aggregate for Lamp {\n}\n");
    assert_eq!(aggregates_without_laws(&[lamp]).len(), 1);
}

#[test]
fn every_port_has_a_contract() {
    let findings = ports_without_contract(&source::repository());
    assert!(findings.is_empty(), "{findings:#?}");
}

#[test]
fn a_port_without_a_contract_is_caught() {
    let port = SourceFile::made_up("crates/application/src/lamps/ports.rs", "pub trait Lamps: Send + Sync {\n}\n");
    let contract = SourceFile::made_up("crates/testkit/src/contracts/lamps.rs", "// Lamps\nuse x::LampsOfOthers;\n");
    assert_eq!(ports_without_contract(&[port, contract]).len(), 1);
}

#[test]
fn every_promise_is_listed_by_a_suite() {
    let findings = promises_without_suite(&source::repository());
    assert!(findings.is_empty(), "{findings:#?}");
}

#[test]
fn a_promise_nobody_is_held_to_is_caught() {
    let text = "pub async fn it_shines(lamp: &Lamp) {\n}\n\npub async fn it_glows(lamp: &Lamp) {\n}\n\n\
                macro_rules! lamps_contract {\n    () => {\n        it_shines,\n    };\n}\n";
    let contract = SourceFile::made_up("crates/testkit/src/contracts/lamps.rs", text);
    assert_eq!(promises_without_suite(&[contract]).len(), 1);
}

#[test]
fn every_suite_is_kept_and_broken() {
    let findings = suites_not_run(&source::repository());
    assert!(findings.is_empty(), "{findings:#?}");
}

#[test]
fn suites_without_culprits_or_a_real_adapter_are_caught() {
    let contract = "macro_rules! lamps_contract {\n    () => {};\n}\n";
    let contract = SourceFile::made_up("crates/testkit/src/contracts/lamps.rs", contract);
    let kept =
        SourceFile::made_up("crates/testkit/tests/all/lamps.rs", "devskyy_testkit::lamps_contract!(in_memory);\n");
    assert_eq!(suites_not_run(&[contract, kept]).len(), 2);
}
