//! What can be said of an assistant without asking anybody: its names and its numbers, and where its texts and schemas are.

use std::collections::BTreeSet;

use super::{
    definition::Assistant,
    problem::{Fault, Problem},
    tool::AssistantTool,
};
use crate::{
    kernel::Json,
    workflow::{Approval, Computed, Sent, is_name, member},
};

/// Most tools of one assistant.
const MAX_TOOLS: usize = 128;
/// Most models asked in place of the first.
const MAX_FALLBACKS: usize = 8;
const MAX_SECONDS: u64 = 2_592_000;

/// Everything that is wrong with an assistant by itself, each with a JSON pointer; empty when it is sound.
#[must_use]
pub fn problems(assistant: &Assistant) -> Vec<Problem> {
    let mut found = Vec::new();
    models(assistant, &mut found);
    texts(assistant, &mut found);
    tools(assistant, &mut found);
    numbers(assistant, &mut found);
    found
}

fn push(found: &mut Vec<Problem>, pointer: impl Into<String>, fault: Fault) {
    found.push(Problem { fault, pointer: pointer.into() });
}

fn models(assistant: &Assistant, found: &mut Vec<Problem>) {
    let named = |model: &str| {
        let (provider, name) = model.split_once('/')?;
        (!provider.is_empty() && !name.is_empty() && !model.contains(char::is_whitespace)).then_some(())
    };
    if named(&assistant.model).is_none() {
        push(found, "/model", Fault::Model(assistant.model.clone()));
    }
    let mut seen = BTreeSet::from([&assistant.model]);
    for (index, model) in assistant.fallbacks.iter().enumerate() {
        let pointer = format!("/fallbacks/{index}");
        if named(model).is_none() {
            push(found, pointer, Fault::Model(model.clone()));
        } else if !seen.insert(model) {
            push(found, pointer, Fault::Fallback(model.clone()));
        }
    }
    if assistant.fallbacks.len() > MAX_FALLBACKS {
        let fault = Fault::TooMany { what: "fallbacks", most: MAX_FALLBACKS, found: assistant.fallbacks.len() };
        push(found, "/fallbacks", fault);
    }
}

fn texts(assistant: &Assistant, found: &mut Vec<Problem>) {
    if assistant.instructions.trim().is_empty() {
        push(found, "/instructions", Fault::Empty("instructions"));
    }
    if assistant.temperature.is_some_and(|temperature| !(0.0..=2.0).contains(&temperature)) {
        push(found, "/temperature", Fault::Temperature);
    }
}

fn tools(assistant: &Assistant, found: &mut Vec<Problem>) {
    if assistant.tools.len() > MAX_TOOLS {
        push(found, "/tools", Fault::TooMany { what: "tools", most: MAX_TOOLS, found: assistant.tools.len() });
    }
    for (name, tool) in &assistant.tools {
        let at = member("/tools", name);
        if !is_name(name) {
            push(found, &at, Fault::Name(name.clone()));
        }
        if tool.description().trim().is_empty() {
            push(found, format!("{at}/description"), Fault::Empty("description"));
        }
        if tool.input_schema().get("type").and_then(Json::as_str) != Some("object") {
            push(found, format!("{at}/input_schema"), Fault::ArgumentsSchema);
        }
    }
}

fn numbers(assistant: &Assistant, found: &mut Vec<Problem>) {
    let Assistant { limits, retry, context, .. } = assistant;
    let mut check = |pointer: String, name, least: u64, most: u64, value: u64| {
        if !(least..=most).contains(&value) {
            push(found, pointer, Fault::Limit { name, least, most, found: value });
        }
    };
    check("/limits/max_steps".into(), "max_steps", 1, 10_000, limits.max_steps.into());
    check("/limits/wall_clock_s".into(), "wall_clock_s", 1, MAX_SECONDS, limits.wall_clock_s.into());
    check("/limits/concurrency".into(), "concurrency", 1, 64, limits.concurrency.into());
    check("/retry/max_attempts".into(), "max_attempts", 1, 20, retry.max_attempts.into());
    check("/retry/initial_ms".into(), "initial_ms", 1, 3_600_000, retry.initial_ms.into());
    check("/retry/max_ms".into(), "max_ms", 1, 3_600_000, retry.max_ms.into());
    check("/max_output_tokens".into(), "max_output_tokens", 1, 1_000_000, assistant.max_output_tokens.into());
    check("/context/pinned_turns".into(), "pinned_turns", 0, 100, context.pinned_turns.into());
    let optional = [
        ("/limits/max_tokens", "max_tokens", 1, u64::MAX, limits.max_tokens),
        ("/limits/max_cost_micros", "max_cost_micros", 1, u64::MAX, limits.max_cost_micros),
        ("/approval_expires_s", "approval_expires_s", 1, MAX_SECONDS, assistant.approval_expires_s.map(u64::from)),
        ("/context/window_turns", "window_turns", 1, 1_000, context.window_turns.map(u64::from)),
        ("/context/window_tokens", "window_tokens", 100, 10_000_000, context.window_tokens.map(u64::from)),
    ];
    for (pointer, name, least, most, value) in optional {
        value.into_iter().for_each(|value| check(pointer.into(), name, least, most, value));
    }
    for (name, tool) in &assistant.tools {
        let (at, seconds) = match tool {
            AssistantTool::Http { request, .. } => ("/request/timeout_s", request.timeout_s),
            AssistantTool::Mcp { server, .. } => ("/server/timeout_s", server.timeout_s),
            AssistantTool::Builtin { .. } | AssistantTool::Agent { .. } => continue,
        };
        check(member("/tools", name) + at, "timeout_s", 1, 300, seconds.into());
    }
}

/// Every jq program and template of an assistant, each with a JSON pointer.
#[must_use]
pub fn places(assistant: &Assistant) -> Vec<(String, Computed<'_>)> {
    let mut found = vec![("/instructions".to_owned(), Computed::Template(&assistant.instructions))];
    for (name, tool) in &assistant.tools {
        let at = member("/tools", name);
        if let Approval::When(program) = tool.approval() {
            found.push((format!("{at}/approval/when"), Computed::Program(program)));
        }
        if let AssistantTool::Http { request, .. } = tool {
            found.push((format!("{at}/request/url"), Computed::Template(&request.url)));
        }
    }
    for Sent { pointer, headers, .. } in assistant.sent() {
        for (name, template) in headers {
            found.push((member(&format!("{pointer}/headers"), name), Computed::Template(template)));
        }
    }
    found
}

/// Every JSON Schema of an assistant, each with a JSON pointer.
#[must_use]
pub fn schemas(assistant: &Assistant) -> Vec<(String, &Json)> {
    let own = [("/input_schema", &assistant.input_schema), ("/output_schema", &assistant.output_schema)];
    let own = own.into_iter().filter_map(|(at, schema)| schema.as_ref().map(|schema| (at.to_owned(), schema)));
    let tools =
        assistant.tools.iter().map(|(name, tool)| (member("/tools", name) + "/input_schema", tool.input_schema()));
    own.chain(tools).collect()
}
