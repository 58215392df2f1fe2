//! What a worker starts for a run: tasks, and the calls whose intent is recorded.

use std::sync::Arc;

use devskyy_domain::{
    assistant::Assistant,
    definition::Definition,
    kernel::Json,
    runs::{Call, Callee, Failure, Place, Progress, RunEvent, Task, Unit, tools_step},
};
use futures_util::{FutureExt, future::BoxFuture};

use super::{
    compute::{context, whole},
    execution::{Execution, Stop},
    model::{Question, question},
    stored::Recall,
    tasks::{Brief, Outcome},
    transcript::told_turns,
};

impl Execution {
    pub(super) fn brief(&self, definition: &Arc<Definition>, context: Json) -> Result<Brief, Stop> {
        let run = &self.loaded.state;
        let order = run.shared_order().ok_or(Stop::Lost)?;
        let (left, exhausted) = (run.left(definition), run.exhausted(definition));
        let (ports, definition) = (self.ports.clone(), Arc::clone(definition));
        let fence = self.fence.ok_or(Stop::Lost)?;
        Ok(Brief { ports, run: self.id, fence, order, definition, context, left, exhausted })
    }

    pub(super) async fn begin(&mut self, definition: &Arc<Definition>, tasks: Vec<Task<'_>>) -> Result<(), Stop> {
        for task in tasks {
            let place = task.place();
            let future = match self.seen(definition, &task).await {
                Ok(seen) => self.set_going(self.brief(definition, seen)?, task),
                Err(Recall::Lost(error)) => report(Progress::Unable { place: place.clone(), error }),
                Err(Recall::Broken(error)) => return Err(error.into()),
            };
            self.spawn(place, future);
        }
        Ok(())
    }

    fn set_going(&self, brief: Brief, task: Task<'_>) -> BoxFuture<'static, Outcome> {
        let (at, now) = (task.place(), self.ports.clock.now());
        match task {
            Task::Enter { step } => brief.enter(step.clone()).boxed(),
            Task::Element { step, .. } => {
                let step = step.clone();
                async move { brief.act(&step, at).await }.boxed()
            }
            Task::Use { call, .. } => async move { brief.propose(&call.name, call.arguments, at).await }.boxed(),
            Task::Perform { proposal, .. } => {
                async move { brief.perform(&proposal.tool, proposal.arguments.as_ref().clone(), at).await }.boxed()
            }
            Task::Prompt { .. } | Task::Summarise { .. } => brief.prompt(at),
            Task::Compact { from, through, summary, cause, unsummarised, .. } => {
                report(Progress::Compact { from, through, summary, cause, unsummarised })
            }
            Task::Expire { approval, .. } => report(Progress::Expire { approval, at: now }),
            Task::Again { operation, .. } => report(Progress::Again { operation }),
            Task::Lose { operation, .. } => {
                let error = Failure::new("run.outcome_unknown", "the worker vanished while the call was under way");
                report(Progress::Lose { operation, error })
            }
        }
    }

    /// The context of the expressions in a task's step.
    async fn seen(&mut self, definition: &Definition, task: &Task<'_>) -> Result<Json, Recall> {
        let (step, element) = match task {
            Task::Enter { step } => (&step.id, None),
            Task::Element { step, index, items } => (&step.id, items.get(*index as usize).map(|item| (*index, item))),
            _ => return Ok(Json::Null),
        };
        let Definition::Workflow(workflow) = definition else { return Ok(Json::Null) };
        let run = &self.loaded.state;
        self.recalled.recall(&self.ports, run, self.id, workflow.ancestors(step).into_iter()).await?;
        Ok(context(self.id, run, &self.recalled, workflow, step, element))
    }

    /// Makes the call whose intent an event has recorded.
    pub(super) async fn dispatch(&mut self, definition: &Arc<Definition>, event: RunEvent) -> Result<(), Stop> {
        let (place, operation) = match event {
            RunEvent::ToolCalled(called) => (called.place, called.operation),
            RunEvent::ModelCalled(called) => (called.place, called.operation),
            _ => return Ok(()),
        };
        let Some(Unit::Calling(call)) = self.loaded.state.unit(&place) else { return Ok(()) };
        if call.operation != operation {
            return Ok(());
        }
        let call = call.clone();
        let future = self.made(definition, &place, call).await?;
        self.spawn(place, future);
        Ok(())
    }

    async fn made(
        &mut self,
        definition: &Arc<Definition>,
        place: &Place,
        call: Call,
    ) -> Result<BoxFuture<'static, Outcome>, Stop> {
        match (&call.callee, definition.as_ref()) {
            (Callee::Model(_), Definition::Assistant(assistant)) => {
                let operation = call.operation;
                match self.question(assistant, place).await {
                    Ok(asked) => Ok(self.instructed(definition)?.ask(call, place.clone(), asked).boxed()),
                    Err(Recall::Lost(error)) => Ok(report(Progress::Fail { operation, error, retry_at: None })),
                    Err(Recall::Broken(error)) => Err(error.into()),
                }
            }
            _ => Ok(self.brief(definition, Json::Null)?.dispatch(call).boxed()),
        }
    }

    /// The prompt of a model call at a place.
    pub(super) async fn question(&mut self, assistant: &Assistant, place: &Place) -> Result<Question, Recall> {
        let run = &self.loaded.state;
        let steps: Vec<_> = told_turns(run, assistant.context.pinned_turns).map(tools_step).collect();
        self.recalled.recall(&self.ports, run, self.id, steps.iter().map(String::as_str)).await?;
        Ok(question(run, &self.recalled, assistant, place))
    }

    /// The brief of a model call; its instructions can refer to the run's input.
    pub(super) fn instructed(&self, definition: &Arc<Definition>) -> Result<Brief, Stop> {
        self.brief(definition, whole(self.id, &self.loaded.state, &self.recalled, &[]))
    }

    fn spawn(&mut self, place: Place, future: BoxFuture<'static, Outcome>) {
        self.busy.insert(place.clone());
        self.begun.push(future.map(|outcome| (place, outcome)).boxed());
    }
}

fn report(progress: Progress) -> BoxFuture<'static, Outcome> {
    std::future::ready(Outcome::Report(vec![progress])).boxed()
}
