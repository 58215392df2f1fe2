//! Sizes: a file fits in a head, a function on a screen, a port in one hand.

use crate::{
    rust_text::{item_end, product_code},
    source::{self, SourceFile},
};

const FILE_LINES: usize = 400;
const FUNCTION_LINES: usize = 40;
const PORT_METHODS: usize = 5;

fn file_is_short(file: &SourceFile) -> Vec<String> {
    let lines = file.text.lines().count();
    let too_long = file.is_rust() && lines > FILE_LINES;
    too_long.then(|| file.finding(FILE_LINES, &format!("{lines} lines; at most {FILE_LINES}"))).into_iter().collect()
}

fn functions_are_short(file: &SourceFile) -> Vec<String> {
    if !file.is_product_code() {
        return Vec::new();
    }
    let code = product_code(&file.text);
    let lines: Vec<&str> = code.lines().collect();
    let mut findings = Vec::new();
    for (start, line) in lines.iter().enumerate() {
        let Some(name) = function_name(line) else { continue };
        let length = item_end(&lines, start) - start + 1;
        if length > FUNCTION_LINES {
            findings.push(file.finding(start + 1, &format!("{name} has {length} lines; at most {FUNCTION_LINES}")));
        }
    }
    findings
}

fn ports_are_small(file: &SourceFile) -> Vec<String> {
    if !file.path.starts_with("crates/application/src/") {
        return Vec::new();
    }
    let code = product_code(&file.text);
    let lines: Vec<&str> = code.lines().collect();
    let mut findings = Vec::new();
    for (start, line) in lines.iter().enumerate() {
        let Some(name) = line.trim_start().strip_prefix("pub trait ") else { continue };
        let name: String = name.chars().take_while(|character| character.is_alphanumeric()).collect();
        let methods =
            lines[start..=item_end(&lines, start)].iter().filter(|line| function_name(line).is_some()).count();
        if methods > PORT_METHODS {
            findings
                .push(file.finding(start + 1, &format!("port {name} has {methods} methods; at most {PORT_METHODS}")));
        }
    }
    findings
}

/// The name of the function that is defined on a line.
fn function_name(line: &str) -> Option<String> {
    let (before, after) = line.split_once("fn ")?;
    let qualifiers = ["pub", "pub(crate)", "pub(super)", "async", "const", "unsafe"];
    let defines = before.split_whitespace().all(|word| qualifiers.contains(&word)) && after.contains(['(', '<']);
    defines.then(|| after.chars().take_while(|character| character.is_alphanumeric() || *character == '_').collect())
}

#[test]
fn files_fit_in_a_head() {
    source::hold(file_is_short);
}

#[test]
fn a_long_file_is_caught() {
    let culprit = SourceFile::made_up("crates/api/src/long.rs", &"\n".repeat(FILE_LINES + 1));
    assert_eq!(file_is_short(&culprit).len(), 1);
}

#[test]
fn functions_fit_on_a_screen() {
    source::hold(functions_are_short);
}

#[test]
fn a_long_function_is_caught() {
    let body = "    let a = 1;\n".repeat(FUNCTION_LINES);
    let culprit =
        SourceFile::made_up("crates/api/src/a.rs", &format!("pub async fn long() {{\n{body}}}\nfn short() {{}}\n"));
    let findings = functions_are_short(&culprit);
    assert_eq!(findings.len(), 1, "{findings:?}");
}

#[test]
fn ports_have_at_most_five_methods() {
    source::hold(ports_are_small);
}

#[test]
fn a_port_of_six_methods_is_caught() {
    let methods = (1..=6).map(|number| format!("    async fn m{number}(&self);\n")).collect::<String>();
    let culprit =
        SourceFile::made_up("crates/application/src/ports.rs", &format!("pub trait Six: Send {{\n{methods}}}\n"));
    assert_eq!(ports_are_small(&culprit).len(), 1);
}
