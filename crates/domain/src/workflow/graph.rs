//! Static checks of a workflow: names, graph and numbers.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    body::BodyFault,
    bounds::{
        APPROVAL_EXPIRES_S, ATTEMPTS, CONCURRENCY, Excess, MAX_STEPS, NAME, NEEDS, PAUSE_MS, SERVERS_NAME, STEPS, TEXT,
        TIMEOUT_S, TOOLS, WALL_CLOCK_S,
    },
    computed::{member, places},
    definition::{Action, Builtin, Tool, Workflow},
    problem::{Fault, Problem},
};

/// All structural faults of a workflow, each with a JSON pointer; empty if it is valid.
#[must_use]
pub fn problems(workflow: &Workflow) -> Vec<Problem> {
    let mut found = Vec::new();
    count(workflow, &mut found);
    amounts(workflow, &mut found);
    names(workflow, &mut found);
    references(workflow, &mut found);
    cycles(workflow, &mut found);
    numbers(workflow, &mut found);
    bodies(workflow, &mut found);
    reads(workflow, &mut found);
    found
}

fn push(found: &mut Vec<Problem>, pointer: impl Into<String>, fault: Fault) {
    found.push(Problem { fault, pointer: pointer.into() });
}

fn count(workflow: &Workflow, found: &mut Vec<Problem>) {
    match workflow.steps.len() {
        0 => push(found, "/steps", Fault::NoSteps),
        steps if STEPS.contains(&steps) => {}
        steps => push(found, "/steps", Fault::TooManySteps { found: steps }),
    }
}

/// Checks that no list or text is too long; steps are counted elsewhere.
fn amounts(workflow: &Workflow, found: &mut Vec<Problem>) {
    let mut excess: Vec<Excess> =
        Excess::of("/tools".to_owned(), "tools", TOOLS, workflow.tools.len()).into_iter().collect();
    for (index, step) in workflow.steps.iter().enumerate() {
        excess.extend(Excess::of(format!("/steps/{index}/needs"), "steps to wait for", NEEDS, step.needs.len()));
    }
    for (name, tool) in &workflow.tools {
        if let Tool::Mcp { server, .. } = tool {
            excess.extend(Excess::of_text(member("/tools", name) + "/server/tool", SERVERS_NAME, &server.tool));
        }
    }
    excess.extend(workflow.sent().iter().flat_map(Excess::of_sent));
    let texts = places(workflow).0.into_iter();
    excess.extend(texts.filter_map(|place| Excess::of_text(place.pointer, TEXT, place.computed.text())));
    for Excess { pointer, what, most, found: amount } in excess {
        push(found, pointer, Fault::TooMany { what, most, found: amount });
    }
}

/// Whether a text is a valid name of a step or tool.
#[must_use]
pub fn is_name(text: &str) -> bool {
    NAME.contains(&text.len())
        && text.starts_with(|first: char| first.is_ascii_lowercase())
        && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_')
}

fn names(workflow: &Workflow, found: &mut Vec<Problem>) {
    let mut seen = BTreeSet::new();
    for (index, step) in workflow.steps.iter().enumerate() {
        let pointer = format!("/steps/{index}/id");
        if !is_name(&step.id) {
            push(found, &pointer, Fault::Name(step.id.clone()));
        }
        if !seen.insert(&step.id) {
            push(found, pointer, Fault::DuplicateStep(step.id.clone()));
        }
    }
    for name in workflow.tools.keys() {
        if !is_name(name) {
            push(found, member("/tools", name), Fault::Name(name.clone()));
        } else if Builtin::named(name).is_some() {
            push(found, member("/tools", name), Fault::ShadowedTool(name.clone()));
        }
    }
}

fn references(workflow: &Workflow, found: &mut Vec<Problem>) {
    for (index, step) in workflow.steps.iter().enumerate() {
        for (position, need) in step.needs.iter().enumerate() {
            if workflow.step(need).is_none() {
                push(found, format!("/steps/{index}/needs/{position}"), Fault::UnknownStep(need.clone()));
            }
        }
        if let Action::Tool { name, .. } = &step.action
            && workflow.tool(name).is_none()
        {
            push(found, format!("/steps/{index}/tool"), Fault::UnknownTool(name.clone()));
        }
    }
}

fn cycles(workflow: &Workflow, found: &mut Vec<Problem>) {
    let mut search = Search { workflow, finished: BTreeSet::new(), path: Vec::new(), found };
    for index in 0..workflow.steps.len() {
        search.visit(index);
    }
}

struct Search<'a> {
    workflow: &'a Workflow,
    finished: BTreeSet<usize>,
    path: Vec<usize>,
    found: &'a mut Vec<Problem>,
}

impl Search<'_> {
    /// Depth-first search; a step on the current path closes a cycle, which is reported once per such edge.
    fn visit(&mut self, index: usize) {
        if self.finished.contains(&index) || self.path.len() > *STEPS.end() {
            return;
        }
        self.path.push(index);
        let steps = &self.workflow.steps;
        for (position, need) in steps[index].needs.iter().enumerate() {
            let Some(target) = steps.iter().position(|step| step.id == *need) else { continue };
            if let Some(start) = self.path.iter().position(|on_path| *on_path == target) {
                let circle = self.path[start..].iter().chain([&target]).map(|index| steps[*index].id.clone());
                let fault = Fault::Cycle(circle.collect());
                push(self.found, format!("/steps/{index}/needs/{position}"), fault);
            } else {
                self.visit(target);
            }
        }
        self.path.pop();
        self.finished.insert(index);
    }
}

fn numbers(workflow: &Workflow, found: &mut Vec<Problem>) {
    let (limits, retry) = (&workflow.limits, &workflow.retry);
    let mut check = |pointer: String, name, range: std::ops::RangeInclusive<u32>, value: u32| {
        if !range.contains(&value) {
            let fault = Fault::Limit { name, least: *range.start(), most: *range.end(), found: value };
            push(found, pointer, fault);
        }
    };
    check("/limits/max_steps".into(), "max_steps", MAX_STEPS, limits.max_steps);
    check("/limits/wall_clock_s".into(), "wall_clock_s", WALL_CLOCK_S, limits.wall_clock_s);
    check("/limits/concurrency".into(), "concurrency", CONCURRENCY, limits.concurrency);
    if let Some(seconds) = workflow.approval_expires_s {
        check("/approval_expires_s".into(), "approval_expires_s", APPROVAL_EXPIRES_S, seconds);
    }
    check("/retry/max_attempts".into(), "max_attempts", ATTEMPTS, retry.max_attempts);
    check("/retry/initial_ms".into(), "initial_ms", PAUSE_MS, retry.initial_ms);
    check("/retry/max_ms".into(), "max_ms", PAUSE_MS, retry.max_ms);
    for (name, tool) in &workflow.tools {
        let (at, seconds) = match tool {
            Tool::Http { request, .. } => ("/request/timeout_s", request.timeout_s),
            Tool::Mcp { server, .. } => ("/server/timeout_s", server.timeout_s),
            Tool::Builtin { .. } => continue,
        };
        check(member("/tools", name) + at, "timeout_s", TIMEOUT_S, seconds);
    }
}

/// Reports requests with an invalid body.
fn bodies(workflow: &Workflow, found: &mut Vec<Problem>) {
    for (name, tool) in &workflow.tools {
        if let Tool::Http { request, .. } = tool
            && let Some(fault) = BodyFault::of(request)
        {
            push(found, member("/tools", name) + "/request/body", Fault::Body(fault));
        }
    }
}

/// Reports expressions that read a step they do not need, detected by the text `steps.<id>`.
fn reads(workflow: &Workflow, found: &mut Vec<Problem>) {
    let (places, malformed) = places(workflow);
    found.extend(malformed);
    let mut visible = BTreeMap::new();
    for place in &places {
        let Some(step) = place.step else { continue };
        let ancestors = visible.entry(&step.id).or_insert_with(|| workflow.ancestors(&step.id));
        for read in steps_read(place.computed.text()) {
            if workflow.step(read).is_some() && !ancestors.contains(read) {
                push(found, &place.pointer, Fault::NotNeeded(read.to_owned()));
            }
        }
    }
}

fn steps_read(text: &str) -> BTreeSet<&str> {
    let after = text.split("steps.").skip(1);
    after
        .map(|rest| &rest[..rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(rest.len())])
        .filter(|name| !name.is_empty())
        .collect()
}
