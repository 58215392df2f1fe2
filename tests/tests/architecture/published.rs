//! Events that may be in a log are readable for ever, so an example of each form ever written stays unchanged.

use std::collections::BTreeMap;

use devskyy_application::es::chain::digest;

use crate::source::{self, SourceFile};

const GOLDEN: &str = "crates/domain/tests/golden/";
/// SHA-256 and path of every published example, as `sha256sum` writes them. It only grows.
const PUBLISHED: &str = "crates/domain/tests/golden/SHA256SUMS";

/// Examples that are missing or changed since they were published, and unpublished ones.
fn changed_examples(files: &[SourceFile]) -> Vec<String> {
    let examples = files.iter().filter(|file| file.path.starts_with(GOLDEN) && file.path.ends_with(".json"));
    let mut examples: BTreeMap<&str, String> =
        examples.map(|file| (file.path.trim_start_matches(GOLDEN), sha256(&file.text))).collect();
    let published = files.iter().find(|file| file.path == PUBLISHED).map(|file| file.text.as_str()).unwrap_or_default();
    let mut findings = Vec::new();
    for (number, line) in published.lines().enumerate() {
        let why = match line.split_once("  ").map(|(hash, path)| (hash, path, examples.remove(path))) {
            Some((hash, _, Some(now))) if hash == now => continue,
            Some((_, path, Some(_))) => format!(
                "{path} is published and was changed: a new shape of an event gets a new schema version, \
                 an example of its own and an upcaster from this one"
            ),
            Some((_, path, None)) => format!("{path} is published and is gone: logs hold such events, so it stays"),
            None => format!("`{line}` is no line of sha256sum"),
        };
        findings.push(format!("{PUBLISHED}:{}: {why}", number + 1));
    }
    let new = examples
        .into_iter()
        .map(|(path, hash)| format!("{GOLDEN}{path} is new: append `{hash}  {path}` to {PUBLISHED}"));
    findings.extend(new);
    findings
}

fn sha256(text: &str) -> String {
    digest(text).iter().map(|byte| format!("{byte:02x}")).collect()
}

#[test]
fn published_events_stay_as_they_were() {
    let findings = changed_examples(&source::repository());
    assert!(findings.is_empty(), "\n{}\n", findings.join("\n"));
}

/// The example of a lamp that was lit, as it is now and as it was published.
fn lamp(now: Option<&str>, published: Option<&str>) -> Vec<String> {
    let example = now.map(|text| SourceFile::made_up(&format!("{GOLDEN}lamp.lit/v1.json"), text));
    let list = published.map(|text| format!("{}  lamp.lit/v1.json\n", sha256(text))).unwrap_or_default();
    let list = SourceFile::made_up(PUBLISHED, &list);
    changed_examples(&example.into_iter().chain([list]).collect::<Vec<_>>())
}

#[test]
fn an_example_that_is_as_it_was_published_is_fine() {
    assert_eq!(lamp(Some(r#"{"watts":5}"#), Some(r#"{"watts":5}"#)), Vec::<String>::new());
}

#[test]
fn a_published_example_that_is_edited_is_caught() {
    let findings = lamp(Some(r#"{"lumens":60}"#), Some(r#"{"watts":5}"#));
    assert!(matches!(&findings[..], [one] if one.contains("new schema version")), "{findings:?}");
}

#[test]
fn a_published_example_that_is_deleted_is_caught() {
    let findings = lamp(None, Some(r#"{"watts":5}"#));
    assert!(matches!(&findings[..], [one] if one.contains("is gone")), "{findings:?}");
}

#[test]
fn an_example_that_is_not_published_is_caught() {
    let findings = lamp(Some(r#"{"watts":5}"#), None);
    assert!(matches!(&findings[..], [one] if one.contains("append")), "{findings:?}");
}
