//! Static checks of an assistant: names and numbers, and the places of its texts and schemas.

use std::{collections::BTreeSet, ops::RangeInclusive};

use super::{
    definition::{Assistant, AssistantLimits, ContextPolicy},
    price::Price,
    problem::{Fault, Problem},
    tool::AssistantTool,
};
use crate::{
    kernel::Json,
    workflow::{
        self, Approval, BodyFault, Computed, HttpRequest, Sent,
        bounds::{
            APPROVAL_EXPIRES_S, ATTEMPTS, CONCURRENCY, Excess, MAX_STEPS, PAUSE_MS, SERVERS_NAME, TEXT, TIMEOUT_S,
            TOOLS, WALL_CLOCK_S,
        },
        is_name, member, within,
    },
};

/// Maximum length of an argument's name.
const ARGUMENT: usize = 64;

/// All faults of the assistant itself, each with a JSON pointer; empty if it is valid.
#[must_use]
pub fn problems(assistant: &Assistant) -> Vec<Problem> {
    let mut found = Vec::new();
    models(assistant, &mut found);
    texts(assistant, &mut found);
    tools(assistant, &mut found);
    amounts(assistant, &mut found);
    numbers(assistant, &mut found);
    prices(assistant, &mut found);
    found
}

fn push(found: &mut Vec<Problem>, pointer: impl Into<String>, fault: Fault) {
    found.push(Problem { fault, pointer: pointer.into() });
}

fn models(assistant: &Assistant, found: &mut Vec<Problem>) {
    let named = |model: &str| {
        let (provider, name) = model.split_once('/')?;
        let odd = |c: char| c.is_whitespace() || c.is_control();
        let sound = !provider.is_empty() && !name.is_empty() && !model.contains(odd);
        (sound && Assistant::MODEL.contains(&model.chars().count())).then_some(())
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
}

/// Checks that no list is too long.
fn amounts(assistant: &Assistant, found: &mut Vec<Problem>) {
    let Assistant { fallbacks, tools, prices, .. } = assistant;
    let counted = [
        Excess::of("/fallbacks".to_owned(), "fallbacks", Assistant::FALLBACKS, fallbacks.len()),
        Excess::of("/tools".to_owned(), "tools", TOOLS, tools.len()),
        Excess::of("/prices".to_owned(), "prices", Assistant::PRICES, prices.len()),
    ];
    let mut excess: Vec<Excess> = counted.into_iter().flatten().collect();
    for (name, tool) in tools {
        let at = member("/tools", name);
        excess.extend(Excess::of_text(format!("{at}/description"), TEXT, tool.description()));
        if let AssistantTool::Mcp { server, .. } = tool {
            excess.extend(Excess::of_text(format!("{at}/server/tool"), SERVERS_NAME, &server.tool));
        }
    }
    excess.extend(assistant.sent().iter().flat_map(Excess::of_sent));
    let texts = places(assistant).into_iter();
    excess.extend(texts.filter_map(|(pointer, computed)| Excess::of_text(pointer, TEXT, computed.text())));
    for Excess { pointer, what, most, found: amount } in excess {
        push(found, pointer, Fault::TooMany { what, most, found: amount });
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
        let arguments = tool.input_schema().get("properties").and_then(Json::as_object);
        for name in arguments.into_iter().flat_map(|arguments| arguments.keys()).filter(|name| !is_argument(name)) {
            push(found, member(&format!("{at}/input_schema/properties"), name), Fault::ArgumentName(name.clone()));
        }
        if let AssistantTool::Http { request, .. } = tool {
            body(&format!("{at}/request/body"), request, found);
        }
    }
}

/// Whether every provider accepts an argument name. Anthropic, which may be a fallback, refuses a whole request unless
/// the names under `properties` of a tool's schema match `^[a-zA-Z0-9_.-]{1,64}$`.
fn is_argument(name: &str) -> bool {
    let taken = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-');
    (1..=ARGUMENT).contains(&name.len()) && name.bytes().all(taken)
}

fn body(at: &str, request: &HttpRequest, found: &mut Vec<Problem>) {
    if let Some(fault) = BodyFault::of(request) {
        push(found, at, Fault::Body(fault));
    }
    let malformed = request.body.iter().flat_map(|body| within(at.to_owned(), body).1);
    for workflow::Problem { fault, pointer } in malformed {
        if let workflow::Fault::MalformedComputed(name) = fault {
            push(found, pointer, Fault::MalformedComputed(name));
        }
    }
}

fn numbers(assistant: &Assistant, found: &mut Vec<Problem>) {
    let Assistant { limits, retry, context, .. } = assistant;
    let numbers = [
        ("/limits/max_steps", "max_steps", MAX_STEPS, Some(limits.max_steps)),
        ("/limits/wall_clock_s", "wall_clock_s", WALL_CLOCK_S, Some(limits.wall_clock_s)),
        ("/limits/concurrency", "concurrency", CONCURRENCY, Some(limits.concurrency)),
        ("/retry/max_attempts", "max_attempts", ATTEMPTS, Some(retry.max_attempts)),
        ("/retry/initial_ms", "initial_ms", PAUSE_MS, Some(retry.initial_ms)),
        ("/retry/max_ms", "max_ms", PAUSE_MS, Some(retry.max_ms)),
        ("/max_output_tokens", "max_output_tokens", Assistant::OUTPUT_TOKENS, Some(assistant.max_output_tokens)),
        ("/approval_expires_s", "approval_expires_s", APPROVAL_EXPIRES_S, assistant.approval_expires_s),
        ("/context/pinned_turns", "pinned_turns", ContextPolicy::PINNED_TURNS, Some(context.pinned_turns)),
        ("/context/window_turns", "window_turns", ContextPolicy::WINDOW_TURNS, context.window_turns),
        ("/context/window_tokens", "window_tokens", ContextPolicy::WINDOW_TOKENS, context.window_tokens),
    ];
    for (pointer, name, range, value) in numbers {
        ranged(found, pointer.to_owned(), name, &wide(&range), value.map(u64::from));
    }
    let spending = [
        ("/limits/max_tokens", "max_tokens", limits.max_tokens),
        ("/limits/max_cost_micros", "max_cost_micros", limits.max_cost_micros),
    ];
    for (pointer, name, value) in spending {
        ranged(found, pointer.to_owned(), name, &AssistantLimits::SPENDING, value);
    }
    for (name, tool) in &assistant.tools {
        let (at, seconds) = match tool {
            AssistantTool::Http { request, .. } => ("/request/timeout_s", request.timeout_s),
            AssistantTool::Mcp { server, .. } => ("/server/timeout_s", server.timeout_s),
            AssistantTool::Builtin { .. } | AssistantTool::Agent { .. } => continue,
        };
        ranged(found, member("/tools", name) + at, "timeout_s", &wide(&TIMEOUT_S), Some(seconds.into()));
    }
}

fn prices(assistant: &Assistant, found: &mut Vec<Problem>) {
    for (model, Price { input, output, cache_read, cache_write, reasoning }) in &assistant.prices {
        let parts = [
            ("input", Some(*input)),
            ("output", Some(*output)),
            ("cache_read", Some(*cache_read)),
            ("cache_write", Some(*cache_write)),
            ("reasoning", *reasoning),
        ];
        for (part, price) in parts {
            ranged(found, member(&member("/prices", model), part), part, &Price::RANGE, price);
        }
    }
}

/// Checks that a number, if set, is within its range.
fn ranged(
    found: &mut Vec<Problem>,
    pointer: String,
    name: &'static str,
    range: &RangeInclusive<u64>,
    value: Option<u64>,
) {
    if let Some(value) = value.filter(|value| !range.contains(value)) {
        push(found, pointer, Fault::Limit { name, least: *range.start(), most: *range.end(), found: value });
    }
}

fn wide(range: &RangeInclusive<u32>) -> RangeInclusive<u64> {
    u64::from(*range.start())..=u64::from(*range.end())
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
            found.extend(request.body.iter().flat_map(|body| within(format!("{at}/request/body"), body).0));
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
