//! Values as text: JSON for programs, excerpts for messages, and the conversion to the domain's documents.

use std::fmt::{self, Write};

use devskyy_domain::kernel::{Json, Number};

use super::{
    budget::{self, Exhausted},
    value::{Key, Value, fraction},
};

/// Maximum characters of a value in a message.
const EXCERPT: usize = 60;
/// Maximum nesting of results, so that everything that stores or sends them can read them back.
const MAX_RESULT_DEPTH: usize = 64;

impl Value {
    /// The value as compact JSON.
    pub(super) fn to_json_text(&self) -> String {
        let mut sink = Sink { text: String::new(), most: budget::room() };
        if write(self, &mut sink).is_err() {
            budget::stop(Exhausted::Memory);
        }
        sink.text
    }

    /// The value as a domain document.
    pub(super) fn to_json(&self, room: &mut usize) -> Result<Json, String> {
        self.to_json_at(MAX_RESULT_DEPTH, room)
    }

    fn to_json_at(&self, depth: usize, room: &mut usize) -> Result<Json, String> {
        let cost = 8 + self.as_text().map_or(0, str::len);
        *room = room.checked_sub(cost).ok_or("the result is too large")?;
        let below = || depth.checked_sub(1).ok_or("the result is nested too deeply");
        Ok(match self {
            Self::Null(_) => Json::Null,
            Self::Bool(value) => Json::Bool(*value),
            Self::Number(Number::Float(number)) if !number.is_finite() => {
                return Err("the result holds a number that JSON has no form for".to_owned());
            }
            Self::Number(number) => Json::Number(*number),
            Self::Text(text) => Json::String(text.as_str().to_owned()),
            Self::Array(array) => {
                let below = below()?;
                Json::Array(array.items().iter().map(|item| item.to_json_at(below, room)).collect::<Result<_, _>>()?)
            }
            Self::Object(object) => {
                let below = below()?;
                let member = |(name, value): (&Key, &Self)| {
                    *room = room.checked_sub(name.0.as_str().len()).ok_or("the result is too large")?;
                    Ok::<_, String>((name.0.as_str().to_owned(), value.to_json_at(below, room)?))
                };
                Json::Object(object.members().iter().map(member).collect::<Result<_, _>>()?)
            }
        })
    }
}

/// Shows an excerpt, because values in messages can be huge.
impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(text) = self.as_text() {
            return excerpt(text, f);
        }
        let mut sink = Sink { text: String::new(), most: EXCERPT * 4 };
        let _ = write(self, &mut sink);
        excerpt(&sink.text, f)
    }
}

fn excerpt(text: &str, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    match text.char_indices().nth(EXCERPT * 4) {
        None => f.write_str(text),
        Some((end, _)) => write!(f, "{}…", text.get(..end).unwrap_or_default()),
    }
}

struct Sink {
    text: String,
    most: usize,
}

impl Write for Sink {
    fn write_str(&mut self, part: &str) -> fmt::Result {
        budget::step(1 + part.len() as u64 / 32);
        if self.text.len() + part.len() > self.most {
            let fits = self.most.saturating_sub(self.text.len());
            self.text.extend(part.chars().scan(0, |taken, c| {
                *taken += c.len_utf8();
                (*taken <= fits).then_some(c)
            }));
            return Err(fmt::Error);
        }
        self.text.push_str(part);
        Ok(())
    }
}

fn write(value: &Value, out: &mut Sink) -> fmt::Result {
    match value {
        Value::Null(_) => out.write_str("null"),
        Value::Bool(value) => write!(out, "{value}"),
        Value::Number(number) => write_number(*number, out),
        Value::Text(text) => write_string(text.as_str(), out),
        Value::Array(array) => {
            out.write_char('[')?;
            for (index, item) in array.items().iter().enumerate() {
                if index > 0 {
                    out.write_char(',')?;
                }
                write(item, out)?;
            }
            out.write_char(']')
        }
        Value::Object(object) => {
            out.write_char('{')?;
            for (index, (name, value)) in object.members().iter().enumerate() {
                if index > 0 {
                    out.write_char(',')?;
                }
                write_string(name.0.as_str(), out)?;
                out.write_char(':')?;
                write(value, out)?;
            }
            out.write_char('}')
        }
    }
}

fn write_number(number: Number, out: &mut Sink) -> fmt::Result {
    match number {
        Number::Int(number) => write!(out, "{number}"),
        Number::Big(number) => write!(out, "{number}"),
        Number::Float(_) => match fraction(number) {
            number if !number.is_finite() => out.write_str("null"),
            #[expect(clippy::cast_possible_truncation, reason = "guarded: whole and below 2^53")]
            number if number.fract() == 0.0 && number.abs() < 9_007_199_254_740_992.0 => {
                write!(out, "{}", number as i64)
            }
            number => out.write_str(&serde_json::to_string(&number).unwrap_or_default()),
        },
    }
}

fn write_string(text: &str, out: &mut Sink) -> fmt::Result {
    out.write_char('"')?;
    let mut plain = 0;
    for (at, byte) in text.bytes().enumerate() {
        let escape = match byte {
            b'"' => "\\\"",
            b'\\' => "\\\\",
            b'\n' => "\\n",
            b'\r' => "\\r",
            b'\t' => "\\t",
            0..0x20 => "",
            _ => continue,
        };
        out.write_str(text.get(plain..at).unwrap_or_default())?;
        match escape {
            "" => write!(out, "\\u{byte:04x}")?,
            escape => out.write_str(escape)?,
        }
        plain = at + 1;
    }
    out.write_str(text.get(plain..).unwrap_or_default())?;
    out.write_char('"')
}
