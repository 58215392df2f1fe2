//! Regular expressions for programs: linear time, no backtracking.

use regex::{Captures, Regex, RegexBuilder};

use super::{
    budget,
    value::{Key, Text, Value},
};

/// Maximum bytes of a text to match.
const MAX_SUBJECT: usize = 1 << 20;
/// Maximum bytes of a compiled regular expression.
const MAX_COMPILED: usize = 1 << 18;

/// What to return: the matches, the texts between them, or both in turn.
#[derive(Debug, Clone, Copy)]
pub(super) struct Parts {
    matches: bool,
    between: bool,
}

impl Parts {
    pub(super) const MATCHES: Self = Self { matches: true, between: false };
    pub(super) const BETWEEN: Self = Self { matches: false, between: true };
    pub(super) const BOTH: Self = Self { matches: true, between: true };
}

#[derive(Debug, Default)]
struct Flags {
    all: bool,
    skip_empty: bool,
}

/// Matches a pattern against a text.
pub(super) fn matches(text: &str, pattern: &str, flags: &str, parts: Parts) -> Result<Value, String> {
    if text.len() > MAX_SUBJECT {
        return Err(format!("a regular expression is applied to at most {MAX_SUBJECT} bytes"));
    }
    budget::step(1_000 + 8 * pattern.len() as u64 + text.len() as u64);
    let (regex, flags) = compile(pattern, flags)?;
    let mut found = Vec::new();
    let mut place = Place::default();
    let mut rest = 0;
    for captures in regex.captures_iter(text) {
        budget::step(16);
        let Some(whole) = captures.get(0) else { continue };
        if flags.skip_empty && whole.is_empty() {
            continue;
        }
        if parts.between {
            found.push(Value::text(text.get(rest..whole.start()).unwrap_or_default()));
            rest = whole.end();
        }
        if parts.matches {
            found.push(describe(text, &regex, &captures, &mut place));
        }
        if !flags.all {
            break;
        }
    }
    if parts.between {
        found.push(Value::text(text.get(rest..).unwrap_or_default()));
    }
    Ok(Value::array(found))
}

fn compile(pattern: &str, raw: &str) -> Result<(Regex, Flags), String> {
    let mut flags = Flags::default();
    let mut builder = RegexBuilder::new(pattern);
    builder.size_limit(MAX_COMPILED).dfa_size_limit(MAX_COMPILED * 4).nest_limit(50);
    for flag in raw.chars() {
        match flag {
            'g' => flags.all = true,
            'n' => flags.skip_empty = true,
            'i' => _ = builder.case_insensitive(true),
            's' => _ = builder.dot_matches_new_line(true),
            'l' => _ = builder.swap_greed(true),
            'x' => _ = builder.ignore_whitespace(true),
            'p' => _ = builder.multi_line(true).dot_matches_new_line(true),
            other => return Err(format!("`{other}` is no flag of a regular expression")),
        }
    }
    let regex = builder.build().map_err(|error| format!("the regular expression is refused: {error}"))?;
    Ok((regex, flags))
}

/// Converts increasing byte positions to character positions.
#[derive(Default)]
struct Place {
    bytes: usize,
    characters: usize,
}

impl Place {
    fn at(&mut self, text: &str, byte: usize) -> usize {
        if byte >= self.bytes {
            self.characters += text.get(self.bytes..byte).map_or(0, |between| between.chars().count());
            self.bytes = byte;
            return self.characters;
        }
        self.characters - text.get(byte..self.bytes).map_or(0, |between| between.chars().count())
    }
}

/// One match in jq's form: the whole match first, then each group.
fn describe(text: &str, regex: &Regex, captures: &Captures<'_>, place: &mut Place) -> Value {
    let groups = captures.iter().zip(regex.capture_names());
    Value::array(groups.filter_map(|(group, name)| {
        let group = group?;
        let member = |name: &str, value| (Key(Text::new(name.to_owned())), value);
        let described = [
            member("offset", Value::from(place.at(text, group.start()))),
            member("length", Value::from(group.as_str().chars().count())),
            member("string", Value::text(group.as_str())),
        ];
        Some(Value::object(described.into_iter().chain(name.map(|name| member("name", Value::text(name))))))
    }))
}
