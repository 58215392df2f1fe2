//! A name expresses a purpose. Words without meaning are refused.

use crate::{
    rust_text::code,
    source::{self, SourceFile},
};

const EMPTY_WORDS: [&str; 9] = ["util", "utils", "common", "helper", "helpers", "misc", "manager", "managers", "base"];

fn says_what_it_is_for(file: &SourceFile) -> Vec<String> {
    let mut findings = Vec::new();
    if let Some(word) = file.path.split(['/', '.', '-']).find_map(empty_word) {
        findings.push(file.finding(1, &format!("a path with the word `{word}`")));
    }
    if file.is_rust() {
        for (number, line) in code(&file.text).lines().enumerate() {
            if let Some(word) = defined_name(line).and_then(|name| empty_word(&name)) {
                findings.push(file.finding(number + 1, &format!("a name with the word `{word}`")));
            }
        }
    }
    findings
}

/// The type or module that a line defines.
fn defined_name(line: &str) -> Option<String> {
    let mut words = line.split_whitespace().skip_while(|word| word.starts_with("pub"));
    let keyword = words.next()?;
    let name = words.next()?;
    ["struct", "enum", "trait", "mod", "type"]
        .contains(&keyword)
        .then(|| name.chars().take_while(|character| character.is_alphanumeric() || *character == '_').collect())
}

/// The first meaningless word of a name. `common` is allowed as part of a name ("common passwords"), but not alone.
fn empty_word(name: &str) -> Option<String> {
    let mut words = vec![String::new()];
    for character in name.chars() {
        if character.is_uppercase() || character == '_' {
            words.push(String::new());
        }
        if let Some(word) = words.last_mut().filter(|_| character != '_') {
            word.extend(character.to_lowercase());
        }
    }
    let alone = words.iter().filter(|word| !word.is_empty()).count() == 1;
    words.into_iter().find(|word| EMPTY_WORDS.contains(&word.as_str()) && (alone || word != "common"))
}

#[test]
fn names_say_what_things_are_for() {
    source::hold(says_what_it_is_for);
}

#[test]
fn empty_names_are_caught() {
    for (path, text) in [
        ("crates/api/src/utils.rs", ""),
        ("crates/api/src/common/mod.rs", ""),
        ("crates/api/src/a.rs", "pub struct AgentManager;"),
        ("crates/api/src/a.rs", "pub(crate) trait BaseRepository {"),
        ("crates/api/src/a.rs", "mod string_helpers;"),
    ] {
        assert_eq!(says_what_it_is_for(&SourceFile::made_up(path, text)).len(), 1, "{path} {text}");
    }
}

#[test]
fn words_inside_words_are_fine() {
    let file = SourceFile::made_up("crates/domain/src/common_passwords.rs", "pub struct Database;\n// a helper\n");
    assert_eq!(says_what_it_is_for(&file), Vec::<String>::new());
}
