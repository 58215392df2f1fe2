//! The output of a run, and its validation.

use devskyy_domain::{
    assistant::Assistant,
    definition::Definition,
    kernel::Json,
    runs::{Ending, Failure, Progress, turn_step},
    workflow::Workflow,
};

use super::{
    compute::{compute, whole},
    execution::{Execution, Stop},
    stored::Recall,
};
use crate::workflow::Schemas;

/// How a run continues after its last step is settled.
pub(super) enum Conclusion {
    /// It ends.
    End(Ending),
    /// The errors in the answer are passed to the model.
    Repair(Progress),
}

/// Maximum number of violations reported at once.
const TOLD: usize = 20;

impl Execution {
    pub(super) async fn conclude(&mut self, definition: &Definition) -> Result<Conclusion, Stop> {
        let output = match definition {
            Definition::Workflow(workflow) => self.output(workflow).await?.map_err(|failure| Box::new(failed(failure))),
            Definition::Assistant(assistant) => self.last_answer(assistant).await,
        };
        match (output, self.loaded.state.order()) {
            (Ok(output), Some(order)) => {
                let output = self.ports.kept(order.project, &output).await?;
                Ok(Conclusion::End(Ending::Completed(output)))
            }
            (Err(other), _) => Ok(*other),
            (Ok(_), None) => Err(Stop::Lost),
        }
    }

    /// A workflow's output, or the reason why it has none.
    async fn output(&mut self, workflow: &Workflow) -> Result<Result<Json, Failure>, Stop> {
        let (id, run) = (self.id, &self.loaded.state);
        let steps = workflow.steps.iter().map(|step| step.id.as_str());
        match self.recalled.recall(&self.ports, run, id, steps).await {
            Ok(()) => {}
            Err(Recall::Lost(failure)) => return Ok(Err(failure)),
            Err(Recall::Broken(error)) => return Err(error.into()),
        }
        let context = whole(id, run, &self.recalled, &workflow.steps);
        Ok(self.computed(workflow, &context).await)
    }

    async fn computed(&mut self, workflow: &Workflow, context: &Json) -> Result<Json, Failure> {
        let output = match compute(self.ports.expressions.as_ref(), &workflow.output, context).await {
            Ok(output) => output,
            Err(error) => {
                let message = format!("output: {}", error.message);
                return Err(Failure { message, ..error });
            }
        };
        let Some(schema) = &workflow.output_schema else { return Ok(output) };
        match violations(self.ports.schemas.as_ref(), schema, &output).await.into_iter().next() {
            None => Ok(output),
            Some(first) => {
                let message = format!("the output breaks the agent's schema: {first}");
                Err(Failure::new("run.output_schema", message))
            }
        }
    }

    /// An assistant's output; if it is not valid, how the run continues instead.
    async fn last_answer(&mut self, assistant: &Assistant) -> Result<Json, Box<Conclusion>> {
        let run = &self.loaded.state;
        let step = turn_step(run.turns());
        let text = run.answer(&step).map(|answer| answer.text.clone()).unwrap_or_default();
        let Some(schema) = &assistant.output_schema else { return Ok(text.into()) };
        let errors = match serde_json::from_str::<Json>(unfenced(&text)) {
            Ok(output) => {
                let errors = violations(self.ports.schemas.as_ref(), schema, &output).await;
                if errors.is_empty() {
                    return Ok(output);
                }
                errors
            }
            Err(error) => vec![format!("it is not JSON: {error}")],
        };
        if run.rejections() == 0 {
            return Err(Box::new(Conclusion::Repair(Progress::Reject { step, errors })));
        }
        let message = format!("the answer breaks the agent's schema, also when repaired: {}", errors.join("; "));
        Err(Box::new(failed(Failure::new("run.output_invalid", message))))
    }
}

async fn violations(schemas: &dyn Schemas, schema: &Json, output: &Json) -> Vec<String> {
    let violations = schemas.validate(schema, output).await.err().unwrap_or_default();
    violations.into_iter().take(TOLD).map(|found| format!("{}: {}", found.pointer, found.message)).collect()
}

const fn failed(failure: Failure) -> Conclusion {
    Conclusion::End(Ending::Failed(failure))
}

/// Many models put JSON into a fenced Markdown block, whatever the instructions are.
fn unfenced(text: &str) -> &str {
    let text = text.trim();
    let inner = text.strip_prefix("```").and_then(|rest| rest.strip_suffix("```"));
    inner.map_or(text, |inner| inner.strip_prefix("json").unwrap_or(inner).trim())
}
