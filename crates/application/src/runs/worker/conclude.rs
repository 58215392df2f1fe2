//! The output of a run, and whether it may be one.

use devskyy_domain::{
    assistant::Assistant,
    definition::Definition,
    kernel::Json,
    runs::{Ending, Failure, Progress, turn_step},
    workflow::Workflow,
};

use super::{
    compute::{compute, whole},
    execution::Execution,
};

/// How a run whose last step is settled goes on.
pub(super) enum Conclusion {
    /// It ends.
    End(Ending),
    /// The model is told what is wrong with its answer.
    Repair(Progress),
}

/// Most violations a model or a person is told at once.
const TOLD: usize = 20;

impl Execution {
    pub(super) async fn conclude(&mut self, definition: &Definition) -> Conclusion {
        match definition {
            Definition::Workflow(workflow) => Conclusion::End(self.output(workflow).await),
            Definition::Assistant(assistant) => self.last_answer(assistant),
        }
    }

    async fn output(&mut self, workflow: &Workflow) -> Ending {
        let context = whole(self.id, &self.loaded.state, &workflow.steps);
        let output = match compute(self.ports.expressions.as_ref(), &workflow.output, &context).await {
            Ok(output) => output,
            Err(error) => {
                let message = format!("output: {}", error.message);
                return Ending::Failed(Failure { message, ..error });
            }
        };
        match self.violations(workflow.output_schema.as_ref(), &output).into_iter().next() {
            None => Ending::Completed(output),
            Some(first) => {
                let message = format!("the output breaks the agent's schema: {first}");
                Ending::Failed(Failure::new("run.output_schema", message))
            }
        }
    }

    fn last_answer(&self, assistant: &Assistant) -> Conclusion {
        let run = &self.loaded.state;
        let step = turn_step(run.turns());
        let text = run.answer(&step).map(|answer| answer.text.clone()).unwrap_or_default();
        let Some(schema) = &assistant.output_schema else { return Conclusion::End(Ending::Completed(text.into())) };
        let errors = match serde_json::from_str::<Json>(unfenced(&text)) {
            Ok(output) => {
                let errors = self.violations(Some(schema), &output);
                if errors.is_empty() {
                    return Conclusion::End(Ending::Completed(output));
                }
                errors
            }
            Err(error) => vec![format!("it is not JSON: {error}")],
        };
        if run.rejections() == 0 {
            return Conclusion::Repair(Progress::Reject { step, errors });
        }
        let message = format!("the answer breaks the agent's schema, also when repaired: {}", errors.join("; "));
        Conclusion::End(Ending::Failed(Failure::new("run.output_invalid", message)))
    }

    fn violations(&self, schema: Option<&Json>, output: &Json) -> Vec<String> {
        let violations = schema.and_then(|schema| self.ports.schemas.validate(schema, output).err());
        let told = violations.into_iter().flatten().take(TOLD);
        told.map(|found| format!("{}: {}", found.pointer, found.message)).collect()
    }
}

/// Many models put JSON into a fenced block of Markdown, whatever they are told.
fn unfenced(text: &str) -> &str {
    let text = text.trim();
    let inner = text.strip_prefix("```").and_then(|rest| rest.strip_suffix("```"));
    inner.map_or(text, |inner| inner.strip_prefix("json").unwrap_or(inner).trim())
}
