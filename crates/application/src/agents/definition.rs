use std::sync::Arc;

use devskyy_domain::{
    agents::AgentType,
    assistant::{Assistant, AssistantTool},
    definition::Definition,
    kernel::{
        Json, RefusalKind,
        ids::{AgentId, ProjectId},
    },
    workflow::{Action, McpServer, Tool, Workflow, member, secrets_in_url},
};
use serde::de::DeserializeOwned;

use super::ports::AgentViews;
use crate::{
    error::{Error, PortError, Refused},
    misfit::Misfit,
    models::ConfiguredModels,
    models::ModelPrices,
    workflow::{DefinitionCheck, ToolDescriptions, ToolSecrets},
};

/// JSON pointer to the definition in the request body.
const AT: &str = "/definition";

/// Parses and validates definitions, and checks whether they can run.
#[derive(Clone)]
pub struct Definitions {
    check: DefinitionCheck,
    views: Arc<dyn AgentViews>,
    models: Arc<dyn ConfiguredModels>,
    prices: Arc<dyn ModelPrices>,
    secrets: Arc<dyn ToolSecrets>,
    descriptions: Arc<dyn ToolDescriptions>,
}

impl Definitions {
    pub(super) fn new(
        check: DefinitionCheck,
        views: Arc<dyn AgentViews>,
        models: Arc<dyn ConfiguredModels>,
        prices: Arc<dyn ModelPrices>,
        secrets: Arc<dyn ToolSecrets>,
        descriptions: Arc<dyn ToolDescriptions>,
    ) -> Self {
        Self { check, views, models, prices, secrets, descriptions }
    }

    /// Parses a definition and checks everything that can be checked before a run.
    pub(super) async fn read(&self, project: ProjectId, kind: AgentType, raw: &Json) -> Result<Definition, Error> {
        let mut definition: Definition = match kind {
            AgentType::Workflow => parse::<Workflow>(raw, "workflow.malformed")?.into(),
            AgentType::Assistant => parse::<Assistant>(raw, "assistant.malformed")?.into(),
        };
        self.check_secrets(project, &definition).await?;
        self.pin(project, &mut definition).await?;
        if let Err(found) = self.check.check(&definition).await {
            return Err(Error::Invalid(found.into_iter().map(within_body).collect()));
        }
        self.check_agents(project, &definition).await?;
        self.check_prices(project, &definition).await?;
        Ok(definition)
    }

    /// Stores the servers' descriptions of their tools in the definition, so that a version never changes.
    async fn pin(&self, project: ProjectId, definition: &mut Definition) -> Result<(), Error> {
        let mut refused = Vec::new();
        for (name, open) in open_tools(definition) {
            match self.descriptions.describe(project, open.server).await {
                Ok(said) => {
                    open.input_schema.get_or_insert(said.input_schema);
                    if let Some(description) = open.description.filter(|it| it.is_none()) {
                        *description = said.description;
                    }
                }
                Err(error) => {
                    let at = member("/tools", name) + "/server";
                    refused.push(wrong("workflow.tool_undescribed", error.to_string(), &at));
                }
            }
        }
        if refused.is_empty() { Ok(()) } else { Err(Error::Invalid(refused)) }
    }

    /// Refuses a definition whose models are not available.
    pub(super) async fn check_models(&self, project: ProjectId, definition: &Definition) -> Result<(), Error> {
        let Definition::Assistant(assistant) = definition else { return Ok(()) };
        for model in assistant.models() {
            if !self.models.knows(project, model).await? {
                let provider = model.split('/').next().unwrap_or_default();
                let detail = format!(
                    "no provider answers for the model {model}: configure the provider `{provider}` for the project or \
                     in the configuration file, enable it and allow the model, then try again"
                );
                let (code, kind) = ("agent.model_unavailable", RefusalKind::Conflict);
                return Err(Error::Refused(Refused { code, kind, detail, pointer: None }));
            }
        }
        Ok(())
    }

    /// A cost limit needs the price of each model, from the definition or from its provider's price list.
    async fn check_prices(&self, project: ProjectId, definition: &Definition) -> Result<(), Error> {
        let Definition::Assistant(assistant) = definition else { return Ok(()) };
        if assistant.limits.max_cost_micros.is_none() {
            return Ok(());
        }
        for model in assistant.models() {
            if !assistant.prices.contains_key(model) && self.prices.price(project, model).await?.is_none() {
                let detail = format!(
                    "max_cost_micros needs the price of `{model}`: neither `prices` nor the price list of its provider has it"
                );
                return Err(Error::Invalid(vec![wrong("assistant.no_price", detail, "/limits/max_cost_micros")]));
            }
        }
        Ok(())
    }

    /// Agents called as tools must belong to the same project.
    async fn check_agents(&self, project: ProjectId, definition: &Definition) -> Result<(), Error> {
        let mut unknown = Vec::new();
        for (agent, at) in agents(definition) {
            let found = self.views.find(agent).await?;
            if found.is_none_or(|found| found.project_id != project) {
                unknown.push(wrong("workflow.agent_unknown", format!("the project has no agent {agent}"), &at));
            }
        }
        if unknown.is_empty() { Ok(()) } else { Err(Error::Invalid(unknown)) }
    }

    /// Only headers and bodies may insert secrets, and only those of the project.
    async fn check_secrets(&self, project: ProjectId, definition: &Definition) -> Result<(), Error> {
        let mut found = Vec::new();
        for sent in definition.sent() {
            if !secrets_in_url(sent.url).is_empty() {
                let detail = "addresses are logged on their way; insert secrets into headers or the body".to_owned();
                found.push(wrong("workflow.secret_misused", detail, &format!("{}/url", sent.pointer)));
            }
            for (at, computed) in sent.computed() {
                match computed.secrets() {
                    Err(misused) => found.push(wrong("workflow.secret_misused", misused.to_string(), &at)),
                    Ok(names) => {
                        for name in names {
                            if !self.secrets.knows(project, name).await? {
                                let detail = format!("the project has no secret `{name}`");
                                found.push(wrong("workflow.secret_unknown", detail, &at));
                            }
                        }
                    }
                }
            }
        }
        if found.is_empty() { Ok(()) } else { Err(Error::Invalid(found)) }
    }
}

fn wrong(code: &'static str, detail: String, at: &str) -> Refused {
    Refused { code, kind: RefusalKind::Invalid, detail, pointer: Some(format!("{AT}{at}")) }
}

/// A tool whose description must be fetched from its server.
struct OpenTool<'a> {
    server: &'a McpServer,
    input_schema: &'a mut Option<Json>,
    /// Read by models only.
    description: Option<&'a mut Option<String>>,
}

/// The tools, by name, whose definition is incomplete without their server.
fn open_tools(definition: &mut Definition) -> Vec<(&String, OpenTool<'_>)> {
    let of_workflow = |(name, tool)| match tool {
        &mut Tool::Mcp { ref server, ref mut input_schema, .. } if input_schema.is_none() => {
            Some((name, OpenTool { server, input_schema, description: None }))
        }
        Tool::Mcp { .. } | Tool::Http { .. } | Tool::Builtin { .. } => None,
    };
    let of_assistant = |(name, tool)| match tool {
        &mut AssistantTool::Mcp { ref server, ref mut input_schema, ref mut description, .. }
            if input_schema.is_none() || description.is_none() =>
        {
            Some((name, OpenTool { server, input_schema, description: Some(description) }))
        }
        AssistantTool::Mcp { .. }
        | AssistantTool::Http { .. }
        | AssistantTool::Builtin { .. }
        | AssistantTool::Agent { .. } => None,
    };
    match definition {
        Definition::Workflow(workflow) => workflow.tools.iter_mut().filter_map(of_workflow).collect(),
        Definition::Assistant(assistant) => assistant.tools.iter_mut().filter_map(of_assistant).collect(),
    }
}

/// The agents a definition calls, each with a JSON pointer.
fn agents(definition: &Definition) -> Vec<(AgentId, String)> {
    let of_step = |(index, action): (usize, &Action)| match action {
        Action::Agent { agent, .. } => Some((*agent, format!("/steps/{index}/agent"))),
        Action::Tool { .. } | Action::Approval { .. } => None,
    };
    let of_tool = |(name, tool): (&String, &AssistantTool)| match tool {
        AssistantTool::Agent { agent, .. } => Some((*agent, member("/tools", name) + "/agent")),
        AssistantTool::Builtin { .. } | AssistantTool::Http { .. } | AssistantTool::Mcp { .. } => None,
    };
    match definition {
        Definition::Workflow(workflow) => {
            workflow.steps.iter().map(|step| &step.action).enumerate().filter_map(of_step).collect()
        }
        Definition::Assistant(assistant) => assistant.tools.iter().filter_map(of_tool).collect(),
    }
}

fn parse<T: DeserializeOwned>(raw: &Json, code: &'static str) -> Result<T, Error> {
    let failed = |source| PortError::bug("definition codec", "writing a definition", source);
    let text = serde_json::to_string(raw).map_err(failed)?;
    let mut deserializer = serde_json::Deserializer::from_str(&text);
    serde_path_to_error::deserialize(&mut deserializer).map_err(|error| {
        let pointer = error.path().iter().fold(AT.to_owned(), |pointer, segment| match segment {
            serde_path_to_error::Segment::Seq { index } => format!("{pointer}/{index}"),
            serde_path_to_error::Segment::Map { key } => member(&pointer, key),
            serde_path_to_error::Segment::Enum { .. } | serde_path_to_error::Segment::Unknown => pointer,
        });
        let detail = told(&Misfit::read(&error.into_inner().to_string()));
        Error::Invalid(vec![Refused { code, kind: RefusalKind::Invalid, detail, pointer: Some(pointer) }])
    })
}

/// A message for the error; its pointer may be the object that contains the cause.
fn told(misfit: &Misfit) -> String {
    match misfit {
        Misfit::Missing(name) => format!("the member `{name}` is missing"),
        Misfit::Unknown(None) => "a member is unknown".to_owned(),
        Misfit::Unknown(Some(known)) => format!("a member is unknown, expected {known}"),
        Misfit::Wrong(None) => "this has the wrong type or form".to_owned(),
        Misfit::Wrong(Some(wanted)) => format!("this has the wrong type or form, expected {wanted}"),
    }
}

fn within_body(refused: Refused) -> Refused {
    let pointer = refused.pointer.unwrap_or_default();
    Refused { pointer: Some(format!("{AT}{pointer}")), ..refused }
}
