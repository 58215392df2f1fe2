//! The formats of the `parse` tool; errors include line and column.

use std::collections::BTreeMap;

use devskyy_domain::kernel::Json;

use super::document::Strict;

/// Maximum bytes of a text to parse.
const MAX_TEXT: usize = 4 << 20;
/// Maximum characters of an error message.
const MAX_MESSAGE: usize = 300;

/// Parses a text; the error is written for the author of the workflow.
pub(super) fn parse(format: &str, text: &str) -> Result<Json, String> {
    if text.len() > MAX_TEXT {
        return Err(format!("a text to parse may be at most {MAX_TEXT} bytes long"));
    }
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let parsed = match format {
        "json" => json(text),
        "toml" => toml(text),
        "yaml" => yaml(text),
        "csv" => csv(text),
        other => return Err(format!("`{other}` is not a format; there are json, toml, yaml and csv")),
    };
    parsed.map_err(|message| {
        let message: String = message.chars().take(MAX_MESSAGE).collect();
        format!("the text is not {}: {message}", format.to_ascii_uppercase())
    })
}

fn json(text: &str) -> Result<Json, String> {
    serde_json::from_str(text).map(|Strict(document)| document).map_err(|error| {
        let (line, column) = (error.line(), error.column());
        let message = error.to_string();
        let what = message.split(" at line ").next().unwrap_or_default();
        format!("line {line}, column {column}: {what}")
    })
}

fn toml(text: &str) -> Result<Json, String> {
    ::toml::from_str(text).map(|Strict(document)| document).map_err(|error| {
        let what = error.message();
        match error.span().and_then(|span| text.get(..span.start)) {
            Some(before) => format!("{}: {what}", place(before)),
            None => what.to_owned(),
        }
    })
}

/// `line 3, column 7`: the position at the end of a text.
fn place(before: &str) -> String {
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
    format!("line {line}, column {column}")
}

fn yaml(text: &str) -> Result<Json, String> {
    let budget = serde_saphyr::budget! {
        max_depth: 64,
        max_nodes: 500_000,
        max_events: 2_000_000,
        max_aliases: 1_000,
        max_anchors: 1_000,
        max_documents: 1,
        max_merge_keys: 100,
        max_total_scalar_bytes: MAX_TEXT,
    };
    let options = serde_saphyr::options! {
        budget: budget,
        duplicate_keys: serde_saphyr::DuplicateKeyPolicy::Error,
        alias_limits: serde_saphyr::alias_limits! {
            max_total_replayed_events: 100_000,
            max_alias_expansions_per_anchor: 1_000,
        },
        strict_booleans: true,
        with_snippet: false,
    };
    serde_saphyr::from_str_with_options(text, options).map(|Strict(document)| document).map_err(|error| {
        let message = error.without_snippet().to_string();
        let what = message.lines().next().unwrap_or_default();
        match error.location() {
            Some(place) if !what.contains("line ") => {
                format!("line {}, column {}: {what}", place.line(), place.column())
            }
            _ => what.to_owned(),
        }
    })
}

/// Rows as objects, named by the header row.
fn csv(text: &str) -> Result<Json, String> {
    let mut reader = ::csv::ReaderBuilder::new().flexible(false).from_reader(text.as_bytes());
    let header = reader.headers().map_err(|error| error.to_string())?.clone();
    for (at, name) in header.iter().enumerate() {
        if header.iter().take(at).any(|earlier| earlier == name) {
            return Err(format!("line 1: the column `{name}` occurs twice"));
        }
    }
    let rows = reader.records().map(|record| {
        let record = record.map_err(|error| ragged(&error))?;
        let cells = header.iter().zip(&record).map(|(name, cell)| (name.to_owned(), Json::from(cell)));
        Ok(Json::Object(cells.collect::<BTreeMap<_, _>>()))
    });
    rows.collect::<Result<_, String>>().map(Json::Array)
}

fn ragged(error: &::csv::Error) -> String {
    match error.kind() {
        ::csv::ErrorKind::UnequalLengths { pos: Some(place), expected_len, len } => {
            format!("line {}: the row has {len} cells, the header {expected_len}", place.line())
        }
        _ => error.to_string(),
    }
}
