//! Conversion of runs and approvals to rows, and back.

use devskyy_application::{
    error::PortError,
    runs::{ApprovalStatus, ApprovalView, RunRecord, RunStatus, RunSummary, TokenCount},
};
use devskyy_domain::runs::{Origin, Place, Priority, ResultHash};
use serde::{Serialize, de::DeserializeOwned};

use super::entity::{approval, result, run};
use crate::sql::{Port, instant, loaded, micros, stored};

pub(super) const PORT: Port = Port("run views");

fn json(value: &impl Serialize) -> Result<String, PortError> {
    serde_json::to_string(value).map_err(PORT.bug("writing a value"))
}

fn parsed<T: DeserializeOwned>(text: &str) -> Result<T, PortError> {
    serde_json::from_str(text).map_err(PORT.bug("reading a value"))
}

/// A text that PostgreSQL accepts: it cannot contain U+0000, but logs written on SQLite may, and JSON may too.
fn text(text: &str) -> String {
    text.replace('\0', "\u{FFFD}")
}

const fn priority_row(priority: Priority) -> i16 {
    match priority {
        Priority::Low => -1,
        Priority::Normal => 0,
        Priority::High => 1,
    }
}

const fn priority(row: i16) -> Priority {
    match row {
        i16::MIN..=-1 => Priority::Low,
        0 => Priority::Normal,
        1.. => Priority::High,
    }
}

pub(super) fn run_row(record: &RunRecord, position: u64) -> Result<run::Model, PortError> {
    let RunRecord { summary, fence, ready_at } = record;
    let (retry_of, forked_from, fork_step) = match &summary.origin {
        None => (None, None, None),
        Some(Origin::Retry { of }) => (Some((*of).into()), None, None),
        Some(Origin::Fork { from, step }) => (None, Some((*from).into()), Some(step.clone())),
    };
    let TokenCount { input, output, cache_read, cache_write, reasoning } = summary.tokens;
    Ok(run::Model {
        id: summary.id.into(),
        project_id: summary.project_id.into(),
        agent_id: summary.agent_id.into(),
        agent_version: i32::try_from(summary.agent_version).unwrap_or(i32::MAX),
        status: summary.status.as_str().to_owned(),
        waiting_for: json(&summary.waiting_for)?,
        priority: priority_row(summary.priority),
        error: summary.error.as_ref().map(json).transpose()?,
        parent_run_id: summary.parent_run_id.map(Into::into),
        requested_by: summary.requested_by.clone(),
        deadline: micros(summary.deadline),
        created_at: micros(summary.created_at),
        started_at: summary.started_at.map(micros),
        ended_at: summary.ended_at.map(micros),
        fence: stored(*fence),
        ready_at: ready_at.map(micros),
        tokens_input: stored(input),
        tokens_output: stored(output),
        tokens_cache_read: stored(cache_read),
        tokens_cache_write: stored(cache_write),
        tokens_reasoning: stored(reasoning),
        cost_micros: summary.cost_micros.map(stored),
        retry_of,
        forked_from,
        fork_step,
        version: stored(summary.version),
        position: stored(position),
    })
}

pub(super) fn run_record(row: run::Model) -> Result<RunRecord, PortError> {
    let (fence, ready_at) = (loaded(row.fence), row.ready_at.map(instant));
    let origin = match (row.retry_of, row.forked_from) {
        (Some(of), _) => Some(Origin::Retry { of: of.into() }),
        (None, Some(from)) => Some(Origin::Fork { from: from.into(), step: row.fork_step.unwrap_or_default() }),
        (None, None) => None,
    };
    let tokens = TokenCount {
        input: loaded(row.tokens_input),
        output: loaded(row.tokens_output),
        cache_read: loaded(row.tokens_cache_read),
        cache_write: loaded(row.tokens_cache_write),
        reasoning: loaded(row.tokens_reasoning),
    };
    let summary = RunSummary {
        id: row.id.into(),
        project_id: row.project_id.into(),
        agent_id: row.agent_id.into(),
        agent_version: u32::try_from(row.agent_version).unwrap_or_default(),
        status: RunStatus::named(&row.status).ok_or_else(|| PORT.damaged("reading a row", &row.status))?,
        waiting_for: parsed(&row.waiting_for)?,
        priority: priority(row.priority),
        error: row.error.as_deref().map(parsed).transpose()?,
        parent_run_id: row.parent_run_id.map(Into::into),
        origin,
        tokens,
        cost_micros: row.cost_micros.map(loaded),
        requested_by: row.requested_by,
        deadline: instant(row.deadline),
        created_at: instant(row.created_at),
        started_at: row.started_at.map(instant),
        ended_at: row.ended_at.map(instant),
        version: loaded(row.version),
    };
    Ok(RunRecord { summary, fence, ready_at })
}

pub(super) fn result_row(record: &RunRecord, hash: ResultHash, position: u64) -> result::Model {
    let (run_id, project_id) = (record.summary.id.into(), record.summary.project_id.into());
    result::Model { run_id, hash: hash.to_string(), project_id, position: stored(position) }
}

pub(super) fn approval_row(view: &ApprovalView, position: u64) -> Result<approval::Model, PortError> {
    Ok(approval::Model {
        id: view.id.into(),
        run_id: view.run_id.into(),
        project_id: view.project_id.into(),
        step: view.place.step.clone(),
        element: view.place.index.map(|index| i32::try_from(index).unwrap_or(i32::MAX)),
        prompt: text(&view.prompt),
        data: json(&view.data)?,
        status: view.status.as_str().to_owned(),
        requested_at: micros(view.requested_at),
        decided_at: view.decided_at.map(micros),
        decided_by: view.decided_by.clone(),
        reason: view.reason.as_deref().map(text),
        call: view.call.as_ref().map(json).transpose()?,
        edit: view.edit.as_ref().map(json).transpose()?,
        expires_at: view.expires_at.map(micros),
        position: stored(position),
    })
}

pub(super) fn approval_view(row: approval::Model) -> Result<ApprovalView, PortError> {
    let index = row.element.map(|index| u32::try_from(index).unwrap_or_default());
    Ok(ApprovalView {
        id: row.id.into(),
        run_id: row.run_id.into(),
        project_id: row.project_id.into(),
        place: Place { step: row.step, index },
        prompt: row.prompt,
        data: parsed(&row.data)?,
        call: row.call.as_deref().map(parsed).transpose()?,
        edit: row.edit.as_deref().map(parsed).transpose()?,
        expires_at: row.expires_at.map(instant),
        status: ApprovalStatus::named(&row.status).ok_or_else(|| PORT.damaged("reading a row", &row.status))?,
        requested_at: instant(row.requested_at),
        decided_at: row.decided_at.map(instant),
        decided_by: row.decided_by,
        reason: row.reason,
    })
}
