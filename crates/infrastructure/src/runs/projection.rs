use std::collections::{BTreeMap, HashMap};

use async_trait::async_trait;
use devskyy_application::{
    es::{Position, RecordedEvent},
    runs::{ApprovalChange, ApprovalStatus, ApprovalView, ModelUse, RunRecord, UsageRow},
};
use devskyy_domain::{
    kernel::{Aggregate, ids::ApprovalId},
    runs::{ResultHash, Run, RunEvent},
};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, DatabaseTransaction, EntityTrait, IntoActiveModel, QueryFilter,
    sea_query::OnConflict,
};
use uuid::Uuid;

use super::{
    entity::{approval, result, run},
    rows::{approval_row, approval_view, result_row, run_record, run_row},
    usage::Growth,
};
use crate::es::{ProjectionError, ROWS_AT_ONCE, StreamRows};

/// One row per run, per approval, per result beside the log that a run refers to, and per day, model and agent for
/// model usage.
#[derive(Debug, Clone, Copy)]
pub struct RunsProjection;

/// A run, the position of its last change, and its other changes since it was loaded.
#[derive(Debug)]
pub struct RunRow {
    record: RunRecord,
    position: Position,
    asked: Vec<(ApprovalChange, Position)>,
    used: Vec<(UsageRow, ModelUse, Position)>,
    referred: BTreeMap<ResultHash, Position>,
}

impl RunRow {
    fn of(record: RunRecord, position: Position) -> Self {
        Self { record, position, asked: Vec::new(), used: Vec::new(), referred: BTreeMap::new() }
    }

    /// Whether an earlier approval changed, which must be loaded for that.
    fn answers(&self) -> bool {
        self.asked.iter().any(|(change, _)| !matches!(change, ApprovalChange::Asked(_)))
    }
}

/// The open approvals of a run.
type Open = BTreeMap<ApprovalId, ApprovalView>;

/// The approvals of a run that changed, with the positions of the changes.
fn changed(mut open: Open, changes: &[(ApprovalChange, Position)]) -> BTreeMap<ApprovalId, (ApprovalView, Position)> {
    let mut changed = BTreeMap::new();
    for (change, position) in changes {
        let touched = match change {
            ApprovalChange::Asked(asked) => {
                open.insert(asked.id, asked.as_ref().clone());
                changed.insert(asked.id, (asked.as_ref().clone(), *position));
                continue;
            }
            ApprovalChange::Decided { id, .. } | ApprovalChange::Expired { id, .. } => {
                open.remove_entry(id).into_iter().collect()
            }
            ApprovalChange::Withdrawn => std::mem::take(&mut open),
        };
        for (id, mut view) in touched {
            change.apply(&mut view);
            changed.insert(id, (view, *position));
        }
    }
    changed
}

#[async_trait]
impl StreamRows for RunsProjection {
    type Row = RunRow;

    fn name(&self) -> &'static str {
        "runs"
    }

    fn tables(&self) -> &'static [&'static str] {
        &["model_usage", "run_results", "run_approvals", "runs"]
    }

    fn categories(&self) -> &'static [&'static str] {
        &[Run::CATEGORY]
    }

    async fn load(&self, tx: &DatabaseTransaction, ids: &[Uuid]) -> Result<Vec<(Uuid, RunRow)>, ProjectionError> {
        let rows = run::Entity::find().filter(run::Column::Id.is_in(ids.iter().copied())).all(tx).await?;
        let row = |model: run::Model| {
            let (id, position) = (model.id, crate::sql::loaded(model.position));
            Ok((id, RunRow::of(run_record(model)?, position)))
        };
        rows.into_iter().map(row).collect()
    }

    fn fold(&self, row: Option<RunRow>, event: &RecordedEvent) -> Result<Option<RunRow>, ProjectionError> {
        let fact: RunEvent = event.decode()?;
        let Some(mut row) = row else {
            let RunEvent::Queued(queued) = &fact else { return Ok(None) };
            let record = RunRecord::begun(event.stream_id.into(), queued, event);
            return Ok(Some(RunRow::of(record, event.position)));
        };
        row.record.apply(&fact, event);
        row.position = event.position;
        for stored in fact.stored() {
            row.referred.entry(stored.hash).or_insert(event.position);
        }
        if let Some(change) = ApprovalChange::of(&row.record.summary, &fact) {
            row.asked.push((change, event.position));
        }
        if let Some(bill) = fact.bill() {
            let counts = UsageRow::of(&row.record.summary, &bill, event);
            row.used.push((counts, ModelUse::of(&bill), event.position));
        }
        Ok(Some(row))
    }

    async fn save(&self, tx: &DatabaseTransaction, rows: Vec<(Uuid, Option<RunRow>)>) -> Result<(), ProjectionError> {
        let (mut runs, mut approvals, mut results) = (Vec::new(), Vec::new(), Vec::new());
        let mut growth = Growth::default();
        let rows: Vec<(Uuid, RunRow)> = rows.into_iter().filter_map(|(id, row)| Some((id, row?))).collect();
        let mut open = open(tx, rows.iter().filter(|(_, row)| row.answers()).map(|(id, _)| *id).collect()).await?;
        for (id, row) in rows {
            runs.push(run_row(&row.record, row.position)?.into_active_model().reset_all());
            for (view, position) in changed(open.remove(&id).unwrap_or_default(), &row.asked).values() {
                approvals.push(approval_row(view, *position)?.into_active_model().reset_all());
            }
            results.extend(row.referred.iter().map(|(hash, position)| result_row(&row.record, *hash, *position)));
            row.used.into_iter().for_each(|(counts, used, position)| growth.add(counts, &used, position));
        }
        growth.save(tx).await?;
        if !runs.is_empty() {
            let newer = OnConflict::column(run::Column::Id).update_columns(RUN_CHANGES).to_owned();
            run::Entity::insert_many(runs).on_conflict(newer).exec_without_returning(tx).await?;
        }
        while !approvals.is_empty() {
            let rest = approvals.split_off(approvals.len().min(ROWS_AT_ONCE));
            let newer = OnConflict::column(approval::Column::Id).update_columns(APPROVAL_CHANGES).to_owned();
            approval::Entity::insert_many(approvals).on_conflict(newer).exec_without_returning(tx).await?;
            approvals = rest;
        }
        refer(tx, results).await
    }
}

/// The open approvals of these runs.
async fn open(tx: &DatabaseTransaction, runs: Vec<Uuid>) -> Result<HashMap<Uuid, Open>, ProjectionError> {
    let mut open: HashMap<Uuid, Open> = HashMap::new();
    if runs.is_empty() {
        return Ok(open);
    }
    let of_these = approval::Entity::find()
        .filter(approval::Column::RunId.is_in(runs))
        .filter(approval::Column::Status.eq(ApprovalStatus::Open.as_str()));
    for row in of_these.all(tx).await? {
        let run = row.run_id;
        let view = approval_view(row)?;
        open.entry(run).or_default().insert(view.id, view);
    }
    Ok(open)
}

/// Keeps existing rows: the position is that of the first reference.
async fn refer(tx: &DatabaseTransaction, mut results: Vec<result::Model>) -> Result<(), ProjectionError> {
    while !results.is_empty() {
        let rest = results.split_off(results.len().min(ROWS_AT_ONCE));
        let rows = results.into_iter().map(|row| row.into_active_model().reset_all());
        let known = OnConflict::columns([result::Column::RunId, result::Column::Hash]).do_nothing().to_owned();
        result::Entity::insert_many(rows).on_conflict(known).exec_without_returning(tx).await?;
        results = rest;
    }
    Ok(())
}

const RUN_CHANGES: [run::Column; 18] = [
    run::Column::Status,
    run::Column::WaitingFor,
    run::Column::Error,
    run::Column::StartedAt,
    run::Column::EndedAt,
    run::Column::Fence,
    run::Column::ReadyAt,
    run::Column::TokensInput,
    run::Column::TokensOutput,
    run::Column::TokensCacheRead,
    run::Column::TokensCacheWrite,
    run::Column::TokensReasoning,
    run::Column::CostMicros,
    run::Column::RetryOf,
    run::Column::ForkedFrom,
    run::Column::ForkStep,
    run::Column::Version,
    run::Column::Position,
];

const APPROVAL_CHANGES: [approval::Column; 6] = [
    approval::Column::Edit,
    approval::Column::Status,
    approval::Column::DecidedAt,
    approval::Column::DecidedBy,
    approval::Column::Reason,
    approval::Column::Position,
];
