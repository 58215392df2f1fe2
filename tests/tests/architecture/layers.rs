//! Dependencies point one way: api → application → domain ← infrastructure, and only the server sees all.

use crate::source::{self, SourceFile};

/// What a crate's manifest may name. `only` is exhaustive; `never` forbids.
struct Layer {
    manifest: &'static str,
    only: &'static [&'static str],
    never: &'static [&'static str],
}

const LAYERS: [Layer; 6] = [
    Layer {
        manifest: "crates/domain/Cargo.toml",
        only: &["chrono", "serde", "thiserror", "uuid", "zeroize"],
        never: &[],
    },
    Layer {
        manifest: "crates/application/Cargo.toml",
        only: &[],
        never: &[
            "devskyy-infrastructure",
            "devskyy-api",
            "devskyy-server",
            "devskyy-migrations",
            "tokio",
            "actix-web",
            "sea-orm",
            "sqlx",
            "reqwest",
            "config",
            "clap",
        ],
    },
    Layer {
        manifest: "crates/api/Cargo.toml",
        only: &[],
        never: &["devskyy-infrastructure", "devskyy-server", "devskyy-migrations", "sea-orm", "sqlx", "reqwest"],
    },
    Layer {
        manifest: "crates/infrastructure/Cargo.toml",
        only: &[],
        never: &["devskyy-api", "devskyy-server", "actix-web", "utoipa", "clap"],
    },
    Layer {
        manifest: "migrations/Cargo.toml",
        only: &[],
        never: &["devskyy-domain", "devskyy-application", "devskyy-infrastructure", "devskyy-api", "devskyy-server"],
    },
    Layer {
        manifest: "crates/testkit/Cargo.toml",
        only: &[],
        never: &["devskyy-infrastructure", "devskyy-api", "devskyy-server", "devskyy-migrations"],
    },
];

fn points_one_way(file: &SourceFile) -> Vec<String> {
    let Some(layer) = LAYERS.iter().find(|layer| layer.manifest == file.path) else { return Vec::new() };
    dependencies(file, "dependencies")
        .into_iter()
        .filter(|name| {
            layer.never.contains(&name.as_str()) || !(layer.only.is_empty() || layer.only.contains(&name.as_str()))
        })
        .map(|name| file.finding(1, &format!("this layer must not depend on {name}")))
        .collect()
}

fn ships_without_test_tools(file: &SourceFile) -> Vec<String> {
    if !file.path.ends_with("Cargo.toml") {
        return Vec::new();
    }
    dependencies(file, "dependencies")
        .into_iter()
        .filter(|name| ["devskyy-testkit", "devskyy-tests", "proptest", "tempfile"].contains(&name.as_str()))
        .filter(|name| !(file.path == "crates/testkit/Cargo.toml" && name == "proptest"))
        .filter(|name| !(file.path == "crates/server/Cargo.toml" && name == "tempfile"))
        .map(|name| file.finding(1, &format!("{name} is for dev-dependencies")))
        .collect()
}

fn dependencies(file: &SourceFile, table: &str) -> Vec<String> {
    let Ok(manifest) = file.text.parse::<toml::Table>() else { return vec!["an unreadable manifest".to_owned()] };
    manifest.get(table).and_then(toml::Value::as_table).map(|table| table.keys().cloned().collect()).unwrap_or_default()
}

#[test]
fn crates_depend_in_one_direction() {
    for layer in &LAYERS {
        let findings = points_one_way(&source::file(layer.manifest));
        assert!(findings.is_empty(), "{findings:#?}");
    }
}

#[test]
fn a_domain_that_knows_a_runtime_is_caught() {
    let culprit = SourceFile::made_up("crates/domain/Cargo.toml", "[dependencies]\ntokio.workspace = true\n");
    assert_eq!(points_one_way(&culprit).len(), 1);
}

#[test]
fn an_api_that_reaches_past_the_ports_is_caught() {
    let culprit =
        SourceFile::made_up("crates/api/Cargo.toml", "[dependencies]\ndevskyy-infrastructure = { path = \"../x\" }\n");
    assert_eq!(points_one_way(&culprit).len(), 1);
}

#[test]
fn the_product_is_built_without_test_tools() {
    source::hold(ships_without_test_tools);
}

#[test]
fn a_product_with_test_tools_is_caught() {
    let culprit = SourceFile::made_up("crates/server/Cargo.toml", "[dependencies]\ndevskyy-testkit.workspace = true\n");
    assert_eq!(ships_without_test_tools(&culprit).len(), 1);
}
