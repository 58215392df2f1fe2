//! Evaluation: the context of an expression, and how expressions inside a value are replaced by their results.

use std::collections::BTreeMap;

use devskyy_domain::{
    kernel::{Json, ids::RunId},
    runs::{Failure, Run, StepState},
    workflow::{Computed, Step, Workflow, computed, filled},
};

use super::stored::Recalled;
use crate::workflow::{EvaluationError, Expressions};

/// The context of a step's expressions: the input, the steps it needs, its element, and the run's id.
///
/// Other steps are left out even when they are settled, so that a result never depends on timing.
pub(super) fn context(
    id: RunId,
    run: &Run,
    recalled: &Recalled,
    workflow: &Workflow,
    step: &str,
    element: Option<(u32, &Json)>,
) -> Json {
    let visible = workflow.ancestors(step);
    scope(id, run, recalled, visible.into_iter(), element)
}

/// The context of a workflow's output, with all steps, and of instructions, which belong to no step.
pub(super) fn whole(id: RunId, run: &Run, recalled: &Recalled, steps: &[Step]) -> Json {
    scope(id, run, recalled, steps.iter().map(|step| step.id.as_str()), None)
}

fn scope<'a>(
    id: RunId,
    run: &Run,
    recalled: &Recalled,
    steps: impl Iterator<Item = &'a str>,
    element: Option<(u32, &Json)>,
) -> Json {
    let settled = steps.filter_map(|step| run.step(step).map(|state| (step.to_owned(), seen(state, recalled))));
    let mut members = BTreeMap::from([
        ("input".to_owned(), run.order().map(|order| order.input.clone()).unwrap_or_default()),
        ("steps".to_owned(), settled.collect()),
        ("run".to_owned(), object("id", id.to_string().into())),
    ]);
    if let Some((index, item)) = element {
        members.insert("index".to_owned(), i64::from(index).into());
        members.insert("item".to_owned(), item.clone());
    }
    Json::Object(members)
}

fn object(name: &str, value: Json) -> Json {
    Json::Object(BTreeMap::from([(name.to_owned(), value)]))
}

fn seen(state: &StepState, recalled: &Recalled) -> Json {
    let status = match state {
        StepState::Skipped => "skipped",
        StepState::Once(_) | StepState::Each { .. } => "succeeded",
    };
    let output = state.output(&|stored| recalled.get(stored).cloned().unwrap_or_default()).unwrap_or_default();
    Json::Object(BTreeMap::from([("status".to_owned(), status.into()), ("output".to_owned(), output)]))
}

/// Replaces every expression in the value by its result.
pub(super) async fn compute(expressions: &dyn Expressions, value: &Json, context: &Json) -> Result<Json, Failure> {
    let mut results = Vec::new();
    for computed in computed(value) {
        let result = match computed {
            Computed::Program(program) => program_of(expressions, program, context).await,
            Computed::Template(template) => expressions.render(template, context).await.map(Json::from),
        };
        results.push(result.map_err(failed)?);
    }
    Ok(filled(value, &mut results.into_iter()))
}

/// Runs a jq program; a bare path such as `.steps.a.output` is looked up directly, which avoids copying the document.
pub(super) async fn program_of(
    expressions: &dyn Expressions,
    program: &str,
    context: &Json,
) -> Result<Json, EvaluationError> {
    match path(program).and_then(|names| look_up(context, names)) {
        Some(found) => Ok(found),
        None => expressions.evaluate(program, context).await,
    }
}

pub(super) fn failed(error: EvaluationError) -> Failure {
    Failure::new("run.expression", error.message)
}

/// The names of a program that is only a path.
fn path(program: &str) -> Option<impl Iterator<Item = &str>> {
    let plain = |name: &str| {
        name.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_')
            && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
    };
    let names = program.trim().strip_prefix('.')?;
    names.split('.').all(plain).then(|| names.split('.'))
}

/// The result of a path in jq; `None` if jq has to report an error.
fn look_up<'a>(document: &Json, names: impl Iterator<Item = &'a str>) -> Option<Json> {
    let mut found = document;
    for name in names {
        match found {
            Json::Null => return Some(Json::Null),
            Json::Object(members) => found = members.get(name).unwrap_or(&Json::Null),
            Json::Bool(_) | Json::Number(_) | Json::String(_) | Json::Array(_) => return None,
        }
    }
    Some(found.clone())
}
