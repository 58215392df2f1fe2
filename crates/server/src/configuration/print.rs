use std::fmt::Write as _;

use serde_json::json;

use super::{
    effective::Effective,
    keys::{self, KEYS, Key},
    value::Value,
};

/// The effective configuration as a valid file, each value with its source; secrets are masked.
#[must_use]
pub fn as_toml(effective: &Effective) -> String {
    let mut text = String::new();
    let mut section = "";
    for (name, key, value, source) in effective.entries() {
        let (of, name) = keys::path(name);
        if of != section {
            let _ = write!(text, "\n[{of}]\n");
            section = of;
        }
        let _ = match value.map(|value| key.kind.shown(value)) {
            Some(value) => writeln!(text, "{name} = {} # {source}", written(&value)),
            None => writeln!(text, "# {name} is not set"),
        };
    }
    text
}

/// The effective configuration as JSON, each value with its source; secrets are masked.
#[must_use]
pub fn as_json(effective: &Effective) -> String {
    let members: serde_json::Map<String, serde_json::Value> = effective
        .entries()
        .map(|(name, key, value, source)| {
            let value = value.map(|value| plain(&key.kind.shown(value)));
            (name.to_owned(), json!({"value": value, "source": source.to_string()}))
        })
        .collect();
    format!("{:#}\n", serde_json::Value::Object(members))
}

/// The reference of all keys in `docs/configuration.md`.
#[must_use]
pub fn reference() -> String {
    let mut text = String::from(HEAD);
    let mut section = None;
    for key in KEYS {
        let of = keys::path(key.name).0;
        if section != Some(of) {
            let title = if of.is_empty() { "Top level".to_owned() } else { format!("`[{of}]`") };
            let _ = write!(text, "\n## {title}\n\n| key | values | default | what it does |\n|---|---|---|---|\n");
            section = Some(of);
        }
        let _ = writeln!(text, "{}", row(key));
    }
    text
}

const HEAD: &str = "# Configuration

<!-- Generated from the table in crates/server/src/configuration/keys.rs; CONTRIBUTING.md describes how to regenerate it. -->

DevSkyy needs no configuration. Later layers override earlier ones:

1. the defaults below;
2. `devskyy.toml` in the working directory, or the file named by `--config` or `DEVSKYY_CONFIG`;
3. environment variables. The variable of `server.port` is `DEVSKYY_SERVER__PORT`: upper case, two underscores between the
   levels. Items of a list are separated by commas;
4. flags. Every key can be set with `--set server.port=8001`.

An unknown key is an error (exit code 78) that names the nearest known one. `devskyy config` prints the effective values
with their source, secrets masked.
";

fn row(key: &Key) -> String {
    let default = key.default.map_or_else(|| "not set".to_owned(), |default| format!("`{}`", or_none(default)));
    format!("| `{}` | {} | {default} | {} |", key.name, key.kind.must_be(), key.about)
}

fn or_none(default: &str) -> &str {
    if default.is_empty() { "[]" } else { default }
}

fn written(value: &Value) -> String {
    match value {
        Value::Text(text) => toml::Value::String(text.clone()).to_string(),
        Value::Integer(number) => number.to_string(),
        Value::Boolean(truth) => truth.to_string(),
        Value::List(items) => toml::Value::from(items.clone()).to_string(),
    }
}

fn plain(value: &Value) -> serde_json::Value {
    match value {
        Value::Text(text) => json!(text),
        Value::Integer(number) => json!(number),
        Value::Boolean(truth) => json!(truth),
        Value::List(items) => json!(items),
    }
}
