use std::sync::Arc;

use devskyy_domain::{
    assistant::{self, Assistant},
    definition::Definition,
    workflow::{Computed, Fault, Problem, Sent, Tool, Workflow, member, places, problems},
};

use super::ports::{Destinations, Expressions, Schemas};
use crate::error::Refused;

/// Checks whether a definition may be published.
#[derive(Clone)]
pub struct DefinitionCheck {
    expressions: Arc<dyn Expressions>,
    schemas: Arc<dyn Schemas>,
    destinations: Arc<dyn Destinations>,
}

impl DefinitionCheck {
    /// Creates a check from these ports.
    #[must_use]
    pub fn new(
        expressions: Arc<dyn Expressions>,
        schemas: Arc<dyn Schemas>,
        destinations: Arc<dyn Destinations>,
    ) -> Self {
        Self { expressions, schemas, destinations }
    }

    /// Checks names, numbers and references, every jq program, template and schema, and every request URL.
    ///
    /// # Errors
    /// All errors, each with a JSON pointer into the definition.
    pub async fn check(&self, definition: &Definition) -> Result<(), Vec<Refused>> {
        let found: Vec<Refused> = match definition {
            Definition::Workflow(workflow) => self.workflow(workflow).await.into_iter().map(Refused::from).collect(),
            Definition::Assistant(assistant) => {
                self.assistant(assistant).await.into_iter().map(Refused::from).collect()
            }
        };
        if found.is_empty() { Ok(()) } else { Err(found) }
    }

    async fn workflow(&self, workflow: &Workflow) -> Vec<Problem> {
        let mut found = problems(workflow);
        found.extend(self.texts(workflow).await);
        found.extend(self.documents(workflow).await);
        found.extend(self.addresses(workflow));
        found
    }

    async fn assistant(&self, assistant: &Assistant) -> Vec<assistant::Problem> {
        let mut found = assistant::problems(assistant);
        let mut push = |pointer: String, fault| found.push(assistant::Problem { fault, pointer });
        for (pointer, computed) in assistant::places(assistant) {
            match computed {
                Computed::Program(text) => {
                    let wrong = self.expressions.check_program(text).await.err();
                    wrong.into_iter().for_each(|it| push(pointer.clone(), assistant::Fault::Program(it.message)));
                }
                Computed::Template(text) => {
                    let wrong = self.expressions.check_template(text).await.err();
                    wrong.into_iter().for_each(|it| push(pointer.clone(), assistant::Fault::Template(it.message)));
                }
            }
        }
        for (at, schema) in assistant::schemas(assistant) {
            for violation in self.schemas.check(schema).await.err().unwrap_or_default() {
                push(format!("{at}{}", violation.pointer), assistant::Fault::Schema(violation.message));
            }
        }
        for Sent { pointer, url, .. } in assistant.sent() {
            let refused = self.destinations.check(url).err();
            let pointer = || format!("{pointer}/url");
            refused.into_iter().for_each(|it| push(pointer(), assistant::Fault::Destination(it.message)));
        }
        found
    }

    async fn texts(&self, workflow: &Workflow) -> Vec<Problem> {
        let mut found = Vec::new();
        for place in places(workflow).0 {
            let fault = match place.computed {
                Computed::Program(text) => {
                    self.expressions.check_program(text).await.err().map(|error| Fault::Program(error.message))
                }
                Computed::Template(text) => {
                    self.expressions.check_template(text).await.err().map(|error| Fault::Template(error.message))
                }
            };
            found.extend(fault.map(|fault| Problem { fault, pointer: place.pointer }));
        }
        found
    }

    async fn documents(&self, workflow: &Workflow) -> Vec<Problem> {
        let own = [("/input_schema", &workflow.input_schema), ("/output_schema", &workflow.output_schema)];
        let own = own.into_iter().map(|(at, schema)| (at.to_owned(), schema));
        let tools = workflow.tools.iter().filter_map(|(name, tool)| match tool {
            Tool::Http { input_schema, .. } | Tool::Mcp { input_schema, .. } => {
                Some((member("/tools", name) + "/input_schema", input_schema))
            }
            Tool::Builtin { .. } => None,
        });
        let schemas = own.chain(tools).filter_map(|(at, schema)| schema.as_ref().map(|schema| (at, schema)));
        let mut found = Vec::new();
        for (at, schema) in schemas.collect::<Vec<_>>() {
            let violations = self.schemas.check(schema).await.err().unwrap_or_default();
            found.extend(violations.into_iter().map(|violation| Problem {
                fault: Fault::Schema(violation.message),
                pointer: format!("{at}{}", violation.pointer),
            }));
        }
        found
    }

    fn addresses(&self, workflow: &Workflow) -> Vec<Problem> {
        let refused = workflow.sent().into_iter().filter_map(|Sent { pointer, url, .. }| {
            let fault = Fault::Destination(self.destinations.check(url).err()?.message);
            Some(Problem { fault, pointer: format!("{pointer}/url") })
        });
        refused.collect()
    }
}
