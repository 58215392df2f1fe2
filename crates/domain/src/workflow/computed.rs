//! Computed values of a workflow: every jq program and template in it, each with a JSON pointer.

use super::{
    definition::{Action, Approval, Step, Tool, Workflow},
    problem::{Fault, Problem},
};
use crate::kernel::Json;

const PROGRAM: &str = "$jq";
const TEMPLATE: &str = "$template";

/// A text that is evaluated rather than taken literally.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Computed<'a> {
    /// A jq program.
    Program(&'a str),
    /// A template.
    Template(&'a str),
}

impl<'a> Computed<'a> {
    /// The computed text of an object `{"$jq": "…"}` or `{"$template": "…"}`; `None` for plain data.
    ///
    /// # Errors
    /// [`Fault::MalformedComputed`] if one of the names is used in any other way.
    pub fn of(value: &'a Json) -> Result<Option<Self>, Fault> {
        let Some(members) = value.as_object() else { return Ok(None) };
        for (name, build) in [(PROGRAM, Self::Program as fn(&'a str) -> Self), (TEMPLATE, Self::Template)] {
            if let Some(text) = members.get(name) {
                let text = text.as_str().filter(|_| members.len() == 1);
                return text.map(|text| Some(build(text))).ok_or(Fault::MalformedComputed(name));
            }
        }
        Ok(None)
    }

    /// The text itself.
    #[must_use]
    pub const fn text(self) -> &'a str {
        match self {
            Self::Program(text) | Self::Template(text) => text,
        }
    }
}

/// Every computed text within a value, in the order in which [`filled`] inserts the results.
#[must_use]
pub fn computed(value: &Json) -> Vec<Computed<'_>> {
    match (Computed::of(value), value) {
        (Ok(Some(computed)), _) => vec![computed],
        (_, Json::Array(elements)) => elements.iter().flat_map(computed).collect(),
        (_, Json::Object(members)) => members.values().flat_map(computed).collect(),
        _ => vec![],
    }
}

/// The value with every computed text replaced by its result.
pub fn filled(value: &Json, results: &mut impl Iterator<Item = Json>) -> Json {
    match (Computed::of(value), value) {
        (Ok(Some(_)), _) => results.next().unwrap_or_default(),
        (_, Json::Array(elements)) => Json::Array(elements.iter().map(|element| filled(element, results)).collect()),
        (_, Json::Object(members)) => {
            members.iter().map(|(name, value)| (name.clone(), filled(value, results))).collect()
        }
        _ => value.clone(),
    }
}

/// Every computed text within a value at a place in a definition, each with a JSON pointer, and a problem for every
/// malformed one.
pub(crate) fn within(at: String, value: &Json) -> (Vec<(String, Computed<'_>)>, Vec<Problem>) {
    let mut walk = Walk::default();
    walk.value(at, value, None);
    (walk.places.into_iter().map(|place| (place.pointer, place.computed)).collect(), walk.problems)
}

/// One computed text of a workflow.
#[derive(Debug, Clone, PartialEq)]
pub struct Place<'a> {
    /// JSON pointer (RFC 6901) to the text.
    pub pointer: String,
    /// The text and its kind.
    pub computed: Computed<'a>,
    /// The step whose context applies; `None` for the output, which sees all steps, and for tools, which see none.
    pub step: Option<&'a Step>,
}

/// Appends one member or index to a JSON pointer.
#[must_use]
pub fn member(pointer: &str, name: &str) -> String {
    format!("{pointer}/{}", name.replace('~', "~0").replace('/', "~1"))
}

/// Every jq program and template of a workflow, and a problem for every malformed one.
#[must_use]
pub fn places(workflow: &Workflow) -> (Vec<Place<'_>>, Vec<Problem>) {
    let mut walk = Walk::default();
    for (index, step) in workflow.steps.iter().enumerate() {
        walk.step(&format!("/steps/{index}"), step);
    }
    for (name, tool) in &workflow.tools {
        walk.tool(&member("/tools", name), tool);
    }
    walk.value("/output".to_owned(), &workflow.output, None);
    (walk.places, walk.problems)
}

#[derive(Default)]
struct Walk<'a> {
    places: Vec<Place<'a>>,
    problems: Vec<Problem>,
}

impl<'a> Walk<'a> {
    fn step(&mut self, at: &str, step: &'a Step) {
        let programs = [("when", &step.when), ("for_each", &step.for_each)];
        for (name, program) in programs {
            let Some(program) = program else { continue };
            self.place(format!("{at}/{name}"), Computed::Program(program), Some(step));
        }
        match &step.action {
            Action::Tool { arguments, .. } => self.value(format!("{at}/arguments"), arguments, Some(step)),
            Action::Agent { input, .. } => self.value(format!("{at}/input"), input, Some(step)),
            Action::Approval { prompt, data, .. } => {
                self.place(format!("{at}/approval/prompt"), Computed::Template(prompt), Some(step));
                self.value(format!("{at}/approval/data"), data, Some(step));
            }
        }
    }

    fn tool(&mut self, at: &str, tool: &'a Tool) {
        let (approval, headers, below) = match tool {
            Tool::Builtin { .. } => return,
            Tool::Http { request, approval, .. } => {
                self.place(format!("{at}/request/url"), Computed::Template(&request.url), None);
                if let Some(body) = &request.body {
                    self.value(format!("{at}/request/body"), body, None);
                }
                (approval, &request.headers, "request/headers")
            }
            Tool::Mcp { server, approval, .. } => (approval, &server.headers, "server/headers"),
        };
        if let Approval::When(program) = approval {
            self.place(format!("{at}/approval/when"), Computed::Program(program), None);
        }
        for (name, template) in headers {
            self.place(member(&format!("{at}/{below}"), name), Computed::Template(template), None);
        }
    }

    fn value(&mut self, at: String, value: &'a Json, step: Option<&'a Step>) {
        match (Computed::of(value), value) {
            (Ok(Some(computed)), _) => {
                let name = if matches!(computed, Computed::Program(_)) { PROGRAM } else { TEMPLATE };
                self.place(member(&at, name), computed, step);
            }
            (Err(fault), _) => self.problems.push(Problem { fault, pointer: at }),
            (Ok(None), Json::Array(elements)) => {
                for (index, element) in elements.iter().enumerate() {
                    self.value(format!("{at}/{index}"), element, step);
                }
            }
            (Ok(None), Json::Object(members)) => {
                for (name, value) in members {
                    self.value(member(&at, name), value, step);
                }
            }
            (Ok(None), Json::Null | Json::Bool(_) | Json::Number(_) | Json::String(_)) => {}
        }
    }

    fn place(&mut self, pointer: String, computed: Computed<'a>, step: Option<&'a Step>) {
        self.places.push(Place { pointer, computed, step });
    }
}
