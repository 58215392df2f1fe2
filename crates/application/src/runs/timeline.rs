//! The detailed view of a run, folded from its recorded events.

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::ControlFlow,
};

use chrono::{DateTime, Utc};
use devskyy_domain::{
    definition::Definition,
    kernel::{
        Aggregate, Json, Version,
        ids::{ApprovalId, OperationId, RunId},
    },
    runs::{
        Bill, Call, ElementEnd, Failure, Place, ResultHash, Run, RunEvent, StepState, StepTakenOver, TakenOver, Unit,
        Value, Verdict, summary_steps, tools_step, turn_step,
    },
    workflow::{Action, Step},
};

use super::{
    doubts::DoubtView,
    record::{ApprovalChange, RunRecord},
    views::{ExecutionView, RunSummary, RunUsage, RunView, StepStatus, StepView},
};
use crate::{
    error::PortError,
    es::{EventStore, Moment, RecordedEvent, StreamId, walk},
};

/// All details of one run.
#[derive(Debug, Clone, Default)]
pub(super) struct Timeline {
    pub(super) run: Run,
    pub(super) record: Option<RunRecord>,
    executions: BTreeMap<Place, ExecutionView>,
    operations: BTreeMap<OperationId, Place>,
    approvals: BTreeMap<ApprovalId, Place>,
    usage: RunUsage,
    /// Results beside the log that its events refer to.
    pub(super) results: BTreeSet<ResultHash>,
    pub(super) version: Version,
}

impl Timeline {
    /// Folds in the events since the last call.
    pub(super) async fn catch_up(&mut self, store: &dyn EventStore, id: RunId) -> Result<(), PortError> {
        self.take_in(store, id, |_| true).await
    }

    /// Folds in the events up to a moment.
    pub(super) async fn until(&mut self, store: &dyn EventStore, id: RunId, moment: Moment) -> Result<(), PortError> {
        self.take_in(store, id, |recorded| !moment.precedes(recorded)).await
    }

    async fn take_in(
        &mut self,
        store: &dyn EventStore,
        id: RunId,
        wanted: impl Fn(&RecordedEvent) -> bool + Send + Sync,
    ) -> Result<(), PortError> {
        walk(store, StreamId::of::<Run>(id), self.version, |recorded| {
            if !wanted(recorded) {
                return Ok(ControlFlow::Break(()));
            }
            let event: RunEvent = recorded.decode()?;
            self.apply(id, &event, recorded);
            Ok(ControlFlow::Continue(()))
        })
        .await
    }

    fn apply(&mut self, id: RunId, event: &RunEvent, recorded: &RecordedEvent) {
        self.run.apply(event);
        self.version = recorded.version;
        match (&mut self.record, event) {
            (None, RunEvent::Queued(queued)) => self.record = Some(RunRecord::begun(id, queued, recorded)),
            (Some(record), _) => record.apply(event, recorded),
            (None, _) => {}
        }
        self.results.extend(event.stored().map(|stored| stored.hash));
        self.note(event, recorded.recorded_at);
        self.ask(event);
    }

    fn note(&mut self, event: &RunEvent, at: DateTime<Utc>) {
        match event {
            RunEvent::StepSkipped(skipped) => self.end(&Place::step(&skipped.step), at, None),
            RunEvent::StepExpanded(expanded) => drop(self.at(&Place::step(&expanded.step), at)),
            RunEvent::StepFailed(failed) => self.end(&failed.place, at, Some(&failed.error)),
            RunEvent::ToolCalled(called) => {
                self.usage.calls += 1;
                self.usage.retries += u32::from(called.attempt > 1);
                self.operations.insert(called.operation, called.place.clone());
                let execution = self.at(&called.place, at);
                execution.attempts = called.attempt;
                execution.operation_id = Some(called.operation);
                execution.tool = Some(called.tool.clone());
            }
            RunEvent::ToolSucceeded(succeeded) => self.done(succeeded.operation, at, None, true),
            RunEvent::ToolFailed(failed) => {
                self.done(failed.operation, at, Some(&failed.error), failed.retry_at.is_none());
            }
            RunEvent::OutcomeUnknown(unknown) => self.done(unknown.operation, at, Some(&unknown.error), false),
            RunEvent::OutcomeSettled(settled) => {
                self.done(settled.operation, at, None, settled.verdict != Verdict::Retry);
            }
            RunEvent::ChildRequested(asked) => {
                self.usage.children += 1;
                self.operations.insert(asked.operation, asked.place.clone());
                let execution = self.at(&asked.place, at);
                execution.operation_id = Some(asked.operation);
                execution.child_run_id = Some(RunId::from(uuid::Uuid::from(asked.operation)));
            }
            RunEvent::ChildEnded(ended) => self.done(ended.operation, at, None, true),
            RunEvent::StepTakenOver(taken) => self.take_over(taken, at),
            _ => self.note_model(event, at),
        }
    }

    fn take_over(&mut self, taken: &StepTakenOver, at: DateTime<Utc>) {
        let (step, result) = (&taken.step, &taken.result);
        let execution = self.at(&Place::step(step), at);
        execution.taken_over = true;
        execution.ended_at = Some(at);
        match result {
            TakenOver::Answer { answered_by, .. } => execution.model = Some(answered_by.clone()),
            TakenOver::Elements { ends, .. } => {
                for (index, end) in (0..).zip(ends) {
                    let execution = self.at(&Place::element(step, index), at);
                    execution.taken_over = true;
                    execution.ended_at = Some(at);
                    if let ElementEnd::Failed { error } = end {
                        execution.error = Some(error.clone());
                    }
                }
            }
            TakenOver::Skipped | TakenOver::Output { .. } => {}
        }
    }

    fn note_model(&mut self, event: &RunEvent, at: DateTime<Utc>) {
        match event {
            RunEvent::ModelCalled(called) => {
                let tries = self.run.unit(&called.place).and_then(Unit::call).map_or(called.attempt, Call::tries);
                self.usage.model_calls += 1;
                self.usage.retries += u32::from(tries > 1);
                self.operations.insert(called.operation, called.place.clone());
                let execution = self.at(&called.place, at);
                execution.attempts = tries;
                execution.operation_id = Some(called.operation);
                execution.model = Some(called.model.clone());
            }
            RunEvent::ModelAnswered(answered) => {
                self.done(answered.operation, at, None, true);
                self.billed(answered.operation, answered.bill(), at);
            }
            RunEvent::ModelFailed(failed) => {
                if let Some(bill) = &failed.billed {
                    self.billed(failed.operation, bill.clone(), at);
                }
                self.done(failed.operation, at, Some(&failed.error), failed.retry_at.is_none());
                if failed.unasked {
                    self.take_back(failed.operation, at);
                }
            }
            _ => {}
        }
    }

    /// If several answers of one execution were billed, the step shows the last: only that one can be usable.
    fn billed(&mut self, operation: OperationId, bill: Bill, at: DateTime<Utc>) {
        let Some(place) = self.operations.get(&operation).cloned() else { return };
        let execution = self.at(&place, at);
        execution.tokens = Some(bill.usage);
        execution.cost_micros = bill.cost_micros;
        execution.price = bill.price;
    }

    /// The attempt was not made after all.
    fn take_back(&mut self, operation: OperationId, at: DateTime<Utc>) {
        let Some(place) = self.operations.get(&operation).cloned() else { return };
        let execution = self.at(&place, at);
        let again = execution.attempts > 1;
        execution.attempts = execution.attempts.saturating_sub(1);
        self.usage.model_calls = self.usage.model_calls.saturating_sub(1);
        self.usage.retries = self.usage.retries.saturating_sub(again.into());
    }

    fn ask(&mut self, event: &RunEvent) {
        let Some(summary) = self.record.as_ref().map(|record| &record.summary) else { return };
        let Some(change) = ApprovalChange::of(summary, event) else { return };
        match &change {
            ApprovalChange::Asked(asked) => {
                let place = asked.place.clone();
                self.usage.approvals += 1;
                self.approvals.insert(asked.id, place.clone());
                let at = asked.requested_at;
                self.at(&place, at).approval = Some(asked.as_ref().clone());
            }
            ApprovalChange::Decided { id, at, .. } | ApprovalChange::Expired { id, at } => {
                let Some(place) = self.approvals.get(id).cloned() else { return };
                let goes_on = matches!(self.run.unit(&place), Some(Unit::Approved(_)));
                if !goes_on {
                    self.end(&place, *at, None);
                }
                if let Some(approval) = &mut self.at(&place, *at).approval {
                    change.apply(approval);
                }
            }
            ApprovalChange::Withdrawn => {
                let asked = self.executions.values_mut().filter_map(|execution| execution.approval.as_mut());
                asked.for_each(|approval| change.apply(approval));
            }
        }
    }

    fn at(&mut self, place: &Place, at: DateTime<Utc>) -> &mut ExecutionView {
        let execution = self.executions.entry(place.clone()).or_default();
        execution.index = place.index;
        execution.started_at.get_or_insert(at);
        execution
    }

    fn end(&mut self, place: &Place, at: DateTime<Utc>, error: Option<&Failure>) {
        let execution = self.at(place, at);
        execution.ended_at = Some(at);
        if error.is_some() {
            execution.error = error.cloned();
        }
    }

    fn done(&mut self, operation: OperationId, at: DateTime<Utc>, error: Option<&Failure>, last: bool) {
        let Some(place) = self.operations.get(&operation).cloned() else { return };
        let execution = self.at(&place, at);
        execution.error = error.cloned();
        execution.ended_at = last.then_some(at);
    }

    /// The run with all details; `None` if it was never requested.
    pub(super) fn view(&self, definition: Option<&Definition>) -> Option<RunView> {
        let record = self.record.as_ref()?;
        let RunSummary { tokens, cost_micros, .. } = record.summary;
        let steps = definition.map(|definition| match definition {
            Definition::Workflow(workflow) => workflow.steps.iter().map(|step| self.declared(step)).collect(),
            Definition::Assistant(_) => self.taken(),
        });
        Some(RunView {
            summary: record.summary.clone(),
            input: self.run.order().map(|order| order.input.clone()).unwrap_or_default(),
            output: self.run.output().and_then(Value::inline).cloned(),
            output_stored: self.run.output().and_then(Value::stored).cloned(),
            steps: steps.unwrap_or_default(),
            doubts: self.run.doubts().map(|(place, call)| DoubtView::of(place, call)).collect(),
            usage: RunUsage { steps: self.run.begun(), tokens, cost_micros, ..self.usage },
        })
    }

    fn declared(&self, step: &Step) -> StepView {
        let kind = match &step.action {
            Action::Tool { .. } => "tool",
            Action::Agent { .. } => "agent",
            Action::Approval { .. } => "approval",
        };
        self.step(&step.id, kind)
    }

    /// The steps of an assistant: its turns, the calls of each, and summaries between them.
    fn taken(&self) -> Vec<StepView> {
        let of_turn = |turn| {
            let summaries = summary_steps(turn).into_iter().map(|step| (step, "summary"));
            summaries.chain([(turn_step(turn), "model"), (tools_step(turn), "tools")])
        };
        // A summary may have begun before its turn.
        let steps = (1..=self.run.turns() + 1).flat_map(of_turn);
        steps.filter(|(id, _)| self.run.step(id).is_some()).map(|(id, kind)| self.step(&id, kind)).collect()
    }

    fn step(&self, id: &str, kind: &'static str) -> StepView {
        let state = self.run.step(id);
        let mut execution = self.executions.get(&Place::step(id)).cloned().unwrap_or_default();
        execution.status = self.step_status(state);
        let elements = match state {
            Some(StepState::Each { .. }) => Some(self.elements(id)),
            _ => None,
        };
        if let Some(elements) = &elements {
            execution.attempts = elements.iter().map(|element| element.attempts).sum();
            execution.error = elements.iter().find_map(|element| element.error.clone());
            let ended = || elements.iter().filter_map(|element| element.ended_at).max();
            execution.ended_at = state.filter(|state| state.settled()).and(ended().or(execution.started_at));
        }
        execution.output_stored = match state {
            Some(StepState::Once(unit)) => unit.stored().cloned(),
            _ => None,
        };
        let shown = state.filter(|_| execution.output_stored.is_none());
        // A result stored beside the log is referenced in its element.
        let output = shown.and_then(|state| state.output(&|_| Json::Null));
        StepView { id: id.to_owned(), kind, output, execution, elements }
    }

    fn elements(&self, step: &str) -> Vec<ExecutionView> {
        let own = self.executions.iter().filter(|(place, _)| place.step == step && place.index.is_some());
        own.map(|(place, execution)| {
            let unit = self.run.unit(place);
            let status = unit.map_or(StepStatus::Pending, |unit| self.unit_status(unit));
            let output_stored = unit.and_then(Unit::stored).cloned();
            ExecutionView { status, output_stored, ..execution.clone() }
        })
        .collect()
    }

    fn step_status(&self, state: Option<&StepState>) -> StepStatus {
        match state {
            None => StepStatus::Pending,
            Some(StepState::Skipped) => StepStatus::Skipped,
            Some(StepState::Once(unit)) => self.unit_status(unit),
            Some(state) if state.settled() => StepStatus::Succeeded,
            Some(StepState::Each { units, .. }) => {
                let found: Vec<_> = units.values().map(|unit| self.unit_status(unit)).collect();
                let worst = [StepStatus::Failed, StepStatus::InDoubt, StepStatus::Abandoned, StepStatus::Running];
                let worst = worst.into_iter().chain([StepStatus::Waiting]).find(|status| found.contains(status));
                worst.unwrap_or(if self.run.ended() { StepStatus::Abandoned } else { StepStatus::Running })
            }
        }
    }

    fn unit_status(&self, unit: &Unit) -> StepStatus {
        match unit {
            Unit::Succeeded(_) | Unit::Answered(_) => StepStatus::Succeeded,
            Unit::Failed(_) => StepStatus::Failed,
            unit if self.run.doubtful(unit) => StepStatus::InDoubt,
            _ if self.run.ended() => StepStatus::Abandoned,
            Unit::Calling(_) | Unit::InDoubt(_) | Unit::Approved(_) => StepStatus::Running,
            Unit::Backoff { .. } | Unit::Asking { .. } | Unit::Child { .. } => StepStatus::Waiting,
        }
    }
}
