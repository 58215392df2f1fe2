//! Bounds of members that the document's types cannot express: those that the domain enforces.

use std::{collections::BTreeMap, ops::RangeInclusive};

use devskyy_application::access::Permission;
use devskyy_domain::{
    agents::VersionNumber,
    assistant::{Assistant, AssistantLimits, AssistantTool, ContextPolicy, Price},
    budgets::Terms,
    models::{self, AllowedModels},
    workflow::{Builtin, Denial, Effect, HttpMethod, Tool, bounds},
};
use serde::Serialize;
use serde_json::Value;
use utoipa::{
    Number,
    openapi::{
        RefOr, Schema,
        schema::{AdditionalProperties, ArrayItems, SchemaType, Type},
    },
};

/// The bound of a value.
enum Bound {
    /// A number of this range.
    Number(RangeInclusive<u64>),
    /// A text of this many characters.
    Text(RangeInclusive<usize>),
    /// One of these texts.
    OneOf(Vec<Value>),
    /// This many elements, or members of any name.
    Count(RangeInclusive<usize>),
    /// Each element, or each member of any name, has this bound.
    Each(Box<Self>),
}

/// A schema of the document, a member of it, and the member's bound.
type Row = (&'static str, &'static str, Bound);

fn number(range: &RangeInclusive<u32>) -> Bound {
    Bound::Number(u64::from(*range.start())..=u64::from(*range.end()))
}

const fn at_most(most: usize) -> Bound {
    Bound::Count(0..=most)
}

const fn text(most: usize) -> Bound {
    Bound::Text(0..=most)
}

fn each(bound: Bound) -> Bound {
    Bound::Each(Box::new(bound))
}

fn one_of<T: Serialize>(all: &[T]) -> Bound {
    Bound::OneOf(all.iter().map(|one| serde_json::to_value(one).unwrap_or_default()).collect())
}

fn of_workflows() -> Vec<Row> {
    vec![
        ("Definition", "steps", Bound::Count(bounds::STEPS)),
        ("Definition", "tools", at_most(bounds::TOOLS)),
        ("Definition", "approval_expires_s", number(&bounds::APPROVAL_EXPIRES_S)),
        ("Step", "needs", at_most(bounds::NEEDS)),
        ("Step", "needs", each(Bound::Text(bounds::NAME))),
        ("Step", "when", text(bounds::TEXT)),
        ("Step", "for_each", text(bounds::TEXT)),
        ("Step", "tool", Bound::Text(bounds::NAME)),
        ("ApprovalStep", "prompt", text(bounds::TEXT)),
        ("ApprovalStep", "on_deny", one_of(&Denial::ALL)),
        ("Tool", "kind", one_of(&Tool::KINDS)),
        ("Tool", "builtin", one_of(&Builtin::ALL)),
        ("Tool", "effect", one_of(&Effect::ALL)),
        ("McpServer", "url", text(bounds::ADDRESS)),
        ("McpServer", "tool", text(bounds::SERVERS_NAME)),
        ("McpServer", "headers", at_most(bounds::HEADERS)),
        ("McpServer", "headers", each(text(bounds::TEXT))),
        ("McpServer", "timeout_s", number(&bounds::TIMEOUT_S)),
        ("ToolRequest", "method", one_of(&HttpMethod::ALL)),
        ("ToolRequest", "url", text(bounds::ADDRESS)),
        ("ToolRequest", "headers", at_most(bounds::HEADERS)),
        ("ToolRequest", "headers", each(text(bounds::TEXT))),
        ("ToolRequest", "timeout_s", number(&bounds::TIMEOUT_S)),
        ("Limits", "max_steps", number(&bounds::MAX_STEPS)),
        ("Limits", "wall_clock_s", number(&bounds::WALL_CLOCK_S)),
        ("Limits", "concurrency", number(&bounds::CONCURRENCY)),
        ("Retry", "max_attempts", number(&bounds::ATTEMPTS)),
        ("Retry", "initial_ms", number(&bounds::PAUSE_MS)),
        ("Retry", "max_ms", number(&bounds::PAUSE_MS)),
    ]
}

fn of_assistants() -> Vec<Row> {
    let prices = ["input", "output", "cache_read", "cache_write", "reasoning"];
    let mut rows = vec![
        ("Assistant", "model", Bound::Text(Assistant::MODEL)),
        ("Assistant", "fallbacks", at_most(Assistant::FALLBACKS)),
        ("Assistant", "fallbacks", each(Bound::Text(Assistant::MODEL))),
        ("Assistant", "instructions", Bound::Text(1..=bounds::TEXT)),
        ("Assistant", "tools", at_most(bounds::TOOLS)),
        ("Assistant", "max_output_tokens", number(&Assistant::OUTPUT_TOKENS)),
        ("Assistant", "approval_expires_s", number(&bounds::APPROVAL_EXPIRES_S)),
        ("Assistant", "prices", at_most(Assistant::PRICES)),
        ("AssistantTool", "kind", one_of(&AssistantTool::KINDS)),
        ("AssistantTool", "description", text(bounds::TEXT)),
        ("AssistantTool", "builtin", one_of(&Builtin::ALL)),
        ("AssistantTool", "effect", one_of(&Effect::ALL)),
        ("ContextPolicy", "window_turns", number(&ContextPolicy::WINDOW_TURNS)),
        ("ContextPolicy", "window_tokens", number(&ContextPolicy::WINDOW_TOKENS)),
        ("ContextPolicy", "pinned_turns", number(&ContextPolicy::PINNED_TURNS)),
        ("AssistantLimits", "max_steps", number(&bounds::MAX_STEPS)),
        ("AssistantLimits", "max_tokens", Bound::Number(AssistantLimits::SPENDING)),
        ("AssistantLimits", "max_cost_micros", Bound::Number(AssistantLimits::SPENDING)),
        ("AssistantLimits", "wall_clock_s", number(&bounds::WALL_CLOCK_S)),
        ("AssistantLimits", "concurrency", number(&bounds::CONCURRENCY)),
    ];
    rows.extend(prices.map(|part| ("Price", part, Bound::Number(Price::RANGE))));
    rows.extend(prices.map(|part| ("ModelPrice", part, Bound::Number(models::Price::RANGE))));
    rows
}

fn of_projects() -> Vec<Row> {
    let scopes: Vec<&str> = Permission::ALL.into_iter().filter(|it| it.suits_keys()).map(Permission::as_str).collect();
    let mut rows = vec![
        ("NewApiKey", "scopes", each(one_of(&scopes))),
        ("NewBudget", "max_tokens", Bound::Number(Terms::LIMIT)),
        ("NewBudget", "max_cost_micros", Bound::Number(Terms::LIMIT)),
        ("NewFork", "agent_version", number(&(1..=VersionNumber::MAX))),
    ];
    for provider in ["NewProvider", "ProviderChange"] {
        rows.push((provider, "models", at_most(AllowedModels::MOST)));
        rows.push((provider, "models", each(Bound::Text(AllowedModels::LENGTH))));
        rows.push((provider, "prices", at_most(AllowedModels::MOST)));
    }
    rows
}

/// Adds the bounds of the table, and names the members that do not exist or cannot have them.
pub(super) fn say(schemas: &mut BTreeMap<String, RefOr<Schema>>) -> Vec<String> {
    let rows = [of_workflows(), of_assistants(), of_projects()].into_iter().flatten();
    let mut missed = Vec::new();
    for (schema, name, bound) in rows {
        let member = match schemas.get_mut(schema) {
            Some(RefOr::T(Schema::Object(object))) => object.properties.get_mut(name),
            Some(_) | None => None,
        };
        if !member.is_some_and(|member| bind(member, bound)) {
            missed.push(format!("{schema}.{name}"));
        }
    }
    missed
}

fn bind(value: &mut RefOr<Schema>, bound: Bound) -> bool {
    match (value, bound) {
        (RefOr::T(Schema::Object(object)), Bound::Number(range)) => {
            let ends = (Number::from(*range.start()), Number::from(*range.end()));
            (object.minimum, object.maximum) = (Some(ends.0), Some(ends.1));
        }
        (RefOr::T(Schema::Object(object)), Bound::Text(length)) => {
            object.min_length = Some(*length.start()).filter(|shortest| *shortest > 0);
            object.max_length = Some(*length.end());
        }
        (RefOr::T(Schema::Object(object)), Bound::OneOf(mut names)) => {
            if matches!(&object.schema_type, SchemaType::Array(types) if types.contains(&Type::Null)) {
                names.push(Value::Null);
            }
            object.enum_values = Some(names);
        }
        (RefOr::T(Schema::Object(object)), Bound::Count(count)) => object.max_properties = Some(*count.end()),
        (RefOr::T(Schema::Array(array)), Bound::Count(count)) => {
            array.min_items = Some(*count.start()).filter(|fewest| *fewest > 0);
            array.max_items = Some(*count.end());
        }
        (RefOr::T(Schema::Array(array)), Bound::Each(bound)) => {
            return match &mut array.items {
                ArrayItems::RefOrSchema(items) => bind(items, *bound),
                ArrayItems::False => false,
            };
        }
        (RefOr::T(Schema::Object(object)), Bound::Each(bound)) => {
            return match object.additional_properties.as_deref_mut() {
                Some(AdditionalProperties::RefOr(values)) => bind(values, *bound),
                Some(AdditionalProperties::FreeForm(_)) | None => false,
            };
        }
        (RefOr::T(_) | RefOr::Ref(_), _) => return false,
    }
    true
}

#[cfg(test)]
mod tests {
    use crate::openapi::openapi;

    #[test]
    fn every_bound_has_its_member() {
        let mut document = openapi();
        let schemas = &mut document.components.get_or_insert_default().schemas;
        assert_eq!(super::say(schemas), Vec::<String>::new());
    }

    #[test]
    fn a_bound_without_its_member_is_named() {
        assert!(super::say(&mut std::collections::BTreeMap::new()).contains(&"Step.needs".to_owned()));
    }
}
