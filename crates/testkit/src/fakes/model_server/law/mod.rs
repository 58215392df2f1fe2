//! Vendors' validation of requests, from their documentation and their known responses.

mod anthropic;
mod anthropic_schema;
mod openai;
mod openai_schema;

use std::collections::{BTreeMap, BTreeSet};

use devskyy_domain::models::ProviderKind;
use serde_json::Value;

/// Data that a provider requires back with a call, by the call's id.
pub(super) type Minds = BTreeMap<String, String>;

type Judged = Result<(), String>;

/// Why a provider refuses a request; `None` if it accepts it.
pub(super) fn refusal(kind: ProviderKind, question: &Value, minds: &Minds) -> Option<String> {
    let judged = match kind {
        ProviderKind::OpenAi => openai::judge(question, minds),
        ProviderKind::Anthropic => anthropic::judge(question, minds),
    };
    judged.err()
}

fn ensure(holds: bool, why: impl FnOnce() -> String) -> Judged {
    if holds { Ok(()) } else { Err(why()) }
}

fn text<'a>(of: &'a Value, member: &str) -> &'a str {
    of.get(member).and_then(Value::as_str).unwrap_or_default()
}

fn list<'a>(of: &'a Value, member: &str) -> &'a [Value] {
    of.get(member).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

/// `^[a-zA-Z0-9_-]{1,64}$`
fn is_name(name: &str) -> bool {
    (1..=64).contains(&name.len()) && is_plain(name)
}

/// `^[a-zA-Z0-9_-]+$`
fn is_plain(id: &str) -> bool {
    !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'))
}

/// Ids that must be unique.
#[derive(Default)]
struct Seen(BTreeSet<String>);

impl Seen {
    fn once(&mut self, id: &str) -> bool {
        self.0.insert(id.to_owned())
    }
}
