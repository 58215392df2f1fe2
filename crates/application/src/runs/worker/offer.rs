use devskyy_domain::{
    assistant::AssistantTool,
    definition::Definition,
    kernel::{Json, ids::AgentId},
    workflow::{Approval, Tool},
};

/// A tool as its definition offers it.
#[derive(Debug, Clone)]
pub(in crate::runs) struct Offer {
    pub(super) callee: Callable,
    /// JSON Schema of its arguments.
    pub(in crate::runs) schema: Option<Json>,
    /// Whether a person is asked before a call.
    pub(super) approval: Approval,
}

/// What a call of a tool does.
#[derive(Debug, Clone)]
pub(super) enum Callable {
    /// Calls it.
    Tool(Tool),
    /// Runs another agent.
    Agent(AgentId),
}

/// The tool of that name, where the definition has one.
pub(in crate::runs) fn offered(definition: &Definition, name: &str) -> Option<Offer> {
    match definition {
        Definition::Workflow(workflow) => {
            let tool = workflow.tool(name)?;
            let (schema, approval) = match &tool {
                Tool::Http { input_schema, approval, .. } | Tool::Mcp { input_schema, approval, .. } => {
                    (input_schema.clone(), approval.clone())
                }
                Tool::Builtin { .. } => (None, Approval::Never),
            };
            Some(Offer { callee: Callable::Tool(tool), schema, approval })
        }
        Definition::Assistant(assistant) => {
            let tool = assistant.tools.get(name)?;
            let callee = match tool {
                AssistantTool::Agent { agent, .. } => Callable::Agent(*agent),
                AssistantTool::Builtin { .. } | AssistantTool::Http { .. } | AssistantTool::Mcp { .. } => {
                    Callable::Tool(tool.callable()?)
                }
            };
            let (schema, approval) = (Some(tool.input_schema().clone()), tool.approval().clone());
            Some(Offer { callee, schema, approval })
        }
    }
}
