//! The JSON form of a step: flat, so that it is easy to write by hand.

use serde::{Deserialize, Serialize};

use super::definition::{Action, Denial, Step, StepId};
use crate::kernel::{Json, ids::AgentId};

/// A step as written: exactly one of `tool`, `agent` and `approval` is its action.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct WrittenStep {
    id: StepId,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    needs: Vec<StepId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    when: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    for_each: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    tool: Option<String>,
    #[serde(default, skip_serializing_if = "Json::is_null")]
    arguments: Json,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    agent: Option<AgentId>,
    #[serde(default, skip_serializing_if = "Json::is_null")]
    input: Json,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    approval: Option<WrittenApproval>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenApproval {
    prompt: String,
    #[serde(default, skip_serializing_if = "Json::is_null")]
    data: Json,
    #[serde(default)]
    on_deny: Denial,
}

/// A step with no action, or with several; the message only names what was expected.
#[derive(Debug, thiserror::Error)]
pub(super) enum Ambiguous {
    /// Not exactly one of the three.
    #[error("expected exactly one of `tool`, `agent` and `approval`")]
    Action,
    /// `arguments` without `tool`.
    #[error("expected a `tool` beside `arguments`")]
    Arguments,
    /// `input` without `agent`.
    #[error("expected an `agent` beside `input`")]
    Input,
}

impl TryFrom<WrittenStep> for Step {
    type Error = Ambiguous;

    fn try_from(step: WrittenStep) -> Result<Self, Ambiguous> {
        if step.tool.is_none() && !step.arguments.is_null() {
            return Err(Ambiguous::Arguments);
        }
        if step.agent.is_none() && !step.input.is_null() {
            return Err(Ambiguous::Input);
        }
        let action = match (step.tool, step.agent, step.approval) {
            (Some(name), None, None) => Action::Tool { name, arguments: step.arguments },
            (None, Some(agent), None) => Action::Agent { agent, input: step.input },
            (None, None, Some(WrittenApproval { prompt, data, on_deny })) => Action::Approval { prompt, data, on_deny },
            _ => return Err(Ambiguous::Action),
        };
        Ok(Self { id: step.id, needs: step.needs, when: step.when, for_each: step.for_each, action })
    }
}

impl From<Step> for WrittenStep {
    fn from(step: Step) -> Self {
        let Step { id, needs, when, for_each, action } = step;
        let bare = Self {
            id,
            needs,
            when,
            for_each,
            tool: None,
            arguments: Json::Null,
            agent: None,
            input: Json::Null,
            approval: None,
        };
        match action {
            Action::Tool { name, arguments } => Self { tool: Some(name), arguments, ..bare },
            Action::Agent { agent, input } => Self { agent: Some(agent), input, ..bare },
            Action::Approval { prompt, data, on_deny } => {
                Self { approval: Some(WrittenApproval { prompt, data, on_deny }), ..bare }
            }
        }
    }
}
