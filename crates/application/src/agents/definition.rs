use std::sync::Arc;

use devskyy_domain::{
    kernel::{Json, RefusalKind, ids::ProjectId},
    workflow::{Action, Workflow},
};

use super::ports::AgentViews;
use crate::{
    error::{Error, PortError, Refused},
    workflow::WorkflowCheck,
};

/// Where a definition sits in the request body.
const AT: &str = "/definition";

/// Turns a raw definition into a workflow that may be published.
#[derive(Clone)]
pub struct Definitions {
    check: WorkflowCheck,
    views: Arc<dyn AgentViews>,
}

impl Definitions {
    pub(super) fn new(check: WorkflowCheck, views: Arc<dyn AgentViews>) -> Self {
        Self { check, views }
    }

    /// Reads the definition and checks everything about it that can be checked before it runs.
    pub(super) async fn read(&self, project: ProjectId, raw: &Json) -> Result<Workflow, Error> {
        let workflow = parse(raw)?;
        if let Err(found) = self.check.check(&workflow) {
            return Err(Error::Invalid(found.into_iter().map(within_body).collect()));
        }
        self.check_agents(project, &workflow).await?;
        Ok(workflow)
    }

    /// An agent called as a tool must be one of the same project; others are as good as absent.
    async fn check_agents(&self, project: ProjectId, workflow: &Workflow) -> Result<(), Error> {
        let mut unknown = Vec::new();
        for (index, step) in workflow.steps.iter().enumerate() {
            let Action::Agent { agent, .. } = &step.action else { continue };
            let found = self.views.find(*agent).await?;
            if found.is_none_or(|found| found.project_id != project) {
                unknown.push(Refused {
                    code: "workflow.agent_unknown",
                    kind: RefusalKind::Invalid,
                    detail: format!("the project has no agent {agent}"),
                    pointer: Some(format!("{AT}/steps/{index}/agent")),
                });
            }
        }
        if unknown.is_empty() { Ok(()) } else { Err(Error::Invalid(unknown)) }
    }
}

fn parse(raw: &Json) -> Result<Workflow, Error> {
    let failed = |source| PortError::bug("definition codec", "writing a definition", source);
    let text = serde_json::to_string(raw).map_err(failed)?;
    let mut deserializer = serde_json::Deserializer::from_str(&text);
    serde_path_to_error::deserialize(&mut deserializer).map_err(|error| {
        let pointer = error.path().iter().fold(AT.to_owned(), |pointer, segment| match segment {
            serde_path_to_error::Segment::Seq { index } => format!("{pointer}/{index}"),
            serde_path_to_error::Segment::Map { key } => {
                format!("{pointer}/{}", key.replace('~', "~0").replace('/', "~1"))
            }
            serde_path_to_error::Segment::Enum { .. } | serde_path_to_error::Segment::Unknown => pointer,
        });
        let detail = error.into_inner().to_string();
        // Line and column are those of our own rendering of the document and would mislead.
        let detail = detail.split(" at line ").next().unwrap_or_default().to_owned();
        let kind = RefusalKind::Invalid;
        Error::Invalid(vec![Refused { code: "workflow.malformed", kind, detail, pointer: Some(pointer) }])
    })
}

fn within_body(refused: Refused) -> Refused {
    let pointer = refused.pointer.unwrap_or_default();
    Refused { pointer: Some(format!("{AT}{pointer}")), ..refused }
}
