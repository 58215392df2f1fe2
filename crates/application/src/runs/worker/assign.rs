//! What a worker sets going for a run: tasks, and the calls whose intent is on record.

use std::sync::Arc;

use devskyy_domain::{
    definition::Definition,
    kernel::Json,
    runs::{Call, Callee, Failure, Place, Progress, RunEvent, Task, Unit},
};
use futures_util::{FutureExt, future::BoxFuture};

use super::{
    compute::{context, whole},
    execution::{Execution, Stop},
    model::question,
    tasks::{Brief, Outcome},
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

    pub(super) fn begin(&mut self, definition: &Arc<Definition>, tasks: Vec<Task<'_>>) -> Result<(), Stop> {
        for task in tasks {
            let place = task.place();
            let future = self.set_going(definition, task)?;
            self.spawn(place, future);
        }
        Ok(())
    }

    fn set_going(&self, definition: &Arc<Definition>, task: Task<'_>) -> Result<BoxFuture<'static, Outcome>, Stop> {
        let (at, now) = (task.place(), self.ports.clock.now());
        Ok(match task {
            Task::Enter { step } => {
                self.brief(definition, self.seen(definition, &step.id, None))?.enter(step.clone()).boxed()
            }
            Task::Element { step, index, items } => {
                let element = items.get(index as usize).map(|item| (index, item));
                let brief = self.brief(definition, self.seen(definition, &step.id, element))?;
                let step = step.clone();
                async move { brief.act(&step, at).await }.boxed()
            }
            Task::Use { call, .. } => {
                let brief = self.brief(definition, Json::Null)?;
                async move { brief.propose(&call.name, call.arguments, at).await }.boxed()
            }
            Task::Perform { proposal, .. } => {
                let brief = self.brief(definition, Json::Null)?;
                async move { brief.perform(&proposal.tool, proposal.arguments.as_ref().clone(), at).await }.boxed()
            }
            Task::Prompt { .. } | Task::Summarise { .. } => self.brief(definition, Json::Null)?.prompt(at),
            Task::Compact { from, through, summary, .. } => report(Progress::Compact { from, through, summary }),
            Task::Expire { approval, .. } => report(Progress::Expire { approval, at: now }),
            Task::Again { operation, .. } => report(Progress::Again { operation }),
            Task::Lose { operation, .. } => {
                let error = Failure::new("run.outcome_unknown", "the worker vanished while the call was under way");
                report(Progress::Lose { operation, error })
            }
        })
    }

    /// What a step's expressions see.
    fn seen(&self, definition: &Definition, step: &str, element: Option<(u32, &Json)>) -> Json {
        match definition {
            Definition::Workflow(workflow) => context(self.id, &self.loaded.state, workflow, step, element),
            Definition::Assistant(_) => Json::Null,
        }
    }

    /// Makes the call whose intent an event has put on record.
    pub(super) fn dispatch(&mut self, definition: &Arc<Definition>, event: RunEvent) -> Result<(), Stop> {
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
        let future = self.made(definition, &place, call)?;
        self.spawn(place, future);
        Ok(())
    }

    fn made(
        &self,
        definition: &Arc<Definition>,
        place: &Place,
        call: Call,
    ) -> Result<BoxFuture<'static, Outcome>, Stop> {
        match (&call.callee, definition.as_ref()) {
            (Callee::Model(_), Definition::Assistant(assistant)) => {
                let asked = question(&self.loaded.state, assistant, place);
                let brief = self.brief(definition, whole(self.id, &self.loaded.state, &[]))?;
                Ok(brief.ask(call, place.clone(), asked).boxed())
            }
            _ => Ok(self.brief(definition, Json::Null)?.dispatch(call).boxed()),
        }
    }

    fn spawn(&mut self, place: Place, future: BoxFuture<'static, Outcome>) {
        self.busy.insert(place.clone());
        self.under_way.push(future.map(|outcome| (place, outcome)).boxed());
    }
}

fn report(progress: Progress) -> BoxFuture<'static, Outcome> {
    std::future::ready(Outcome::Report(vec![progress])).boxed()
}
