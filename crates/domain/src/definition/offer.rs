use super::Definition;
use crate::{
    assistant::AssistantTool,
    kernel::{Json, ids::AgentId},
    workflow::{Approval, Tool},
};

/// A tool of a definition.
#[derive(Debug, Clone, PartialEq)]
pub struct Offer {
    /// The target of a call.
    pub callee: Callable,
    /// JSON Schema of its arguments; any arguments are accepted without one.
    pub schema: Option<Json>,
    /// Whether a call needs approval.
    pub approval: Approval,
}

/// The target of a tool call.
#[derive(Debug, Clone, PartialEq)]
pub enum Callable {
    /// A tool to call.
    Tool(Tool),
    /// An agent to run.
    Agent(AgentId),
}

impl Definition {
    /// The tool of that name, if there is one.
    #[must_use]
    pub fn offer(&self, name: &str) -> Option<Offer> {
        match self {
            Self::Workflow(workflow) => {
                let tool = workflow.tool(name)?;
                let (schema, approval) = match &tool {
                    Tool::Http { input_schema, approval, .. } | Tool::Mcp { input_schema, approval, .. } => {
                        (input_schema.clone(), approval.clone())
                    }
                    Tool::Builtin { .. } => (None, Approval::Never),
                };
                Some(Offer { callee: Callable::Tool(tool), schema, approval })
            }
            Self::Assistant(assistant) => {
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
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{Approval, Callable, Definition, Json, Offer, Tool};
    use crate::workflow::Builtin;

    fn definition(definition: &serde_json::Value) -> Definition {
        serde_json::from_value(definition.clone()).unwrap()
    }

    fn workflow() -> Definition {
        let request = json!({"method": "GET", "url": "https://x.example/"});
        let look = json!({"kind": "http", "effect": "read_only", "input_schema": {"type": "object"}, "request": request,
                          "approval": "always"});
        definition(&json!({"workflow": {"tools": {"look": look}, "steps": []}}))
    }

    fn assistant() -> Definition {
        let parse = json!({"kind": "builtin", "builtin": "parse", "description": "Parses.", "input_schema": {},
                           "approval": {"when": ".deep"}});
        let ask = json!({"kind": "agent", "agent": "01938f2e-0000-7000-8000-000000000000", "description": "Asks.",
                         "input_schema": {"type": "object"}});
        let tools = json!({"parse": parse, "ask": ask});
        definition(&json!({"assistant": {"model": "a/b", "instructions": "x", "tools": tools}}))
    }

    fn schema(schema: &serde_json::Value) -> Option<Json> {
        Some(serde_json::from_value(schema.clone()).unwrap())
    }

    #[test]
    fn a_workflow_offers_its_tools_with_their_schema_and_approval() {
        let found = workflow().offer("look").map(|offer| (offer.schema, offer.approval));
        assert_eq!(found, Some((schema(&json!({"type": "object"})), Approval::Always)));
    }

    #[test]
    fn a_workflow_offers_builtin_tools_that_it_does_not_name() {
        let callee = Callable::Tool(Tool::Builtin { builtin: Builtin::Jq });
        let expected = Offer { callee, schema: None, approval: Approval::Never };
        assert_eq!(workflow().offer("jq"), Some(expected));
    }

    #[test]
    fn an_assistant_offers_its_tools_with_their_schema_and_approval() {
        let callee = Callable::Tool(Tool::Builtin { builtin: Builtin::Parse });
        let expected = Offer { callee, schema: schema(&json!({})), approval: Approval::When(".deep".to_owned()) };
        assert_eq!(assistant().offer("parse"), Some(expected));
    }

    #[test]
    fn an_assistant_offers_other_agents_as_tools() {
        let id: uuid::Uuid = "01938f2e-0000-7000-8000-000000000000".parse().unwrap();
        assert_eq!(assistant().offer("ask").map(|offer| offer.callee), Some(Callable::Agent(id.into())));
    }

    #[test]
    fn an_assistant_offers_no_builtin_tool_that_it_does_not_name() {
        assert_eq!(assistant().offer("jq"), None);
    }
}
