use std::collections::BTreeMap;

use async_trait::async_trait;
use devskyy_application::es::RecordedEvent;
use devskyy_domain::{
    agents::{Agent, AgentEvent},
    identity::{ApiKey, ApiKeyEvent, User},
    kernel::Aggregate,
    projects::{Project, ProjectEvent},
    runs::{Run, RunEvent},
};
use sea_orm::{ConnectionTrait, DatabaseTransaction, DbErr, Value};
use uuid::Uuid;

use super::kept::{ALL, List};
use crate::{
    es::{Projection, ProjectionError, statement},
    sql::stored,
};

/// One row per list that was ever non-empty.
#[derive(Debug, Clone, Copy)]
pub struct TotalsProjection;

/// The growth of each list, and the position of the last event that caused it.
#[derive(Debug, Default)]
struct Growth(BTreeMap<(List, Uuid), (i64, u64)>);

impl Growth {
    fn add(&mut self, event: &RecordedEvent, list: List, of: impl Into<Uuid>, by: i64) {
        let (grown, position) = self.0.entry((list, of.into())).or_default();
        *grown += by;
        *position = event.position;
    }

    /// Adds one to a project's list, and so to the platform's.
    fn add_within(&mut self, event: &RecordedEvent, list: List, project: impl Into<Uuid>) {
        self.add(event, list, project, 1);
        self.add(event, list, ALL, 1);
    }

    /// Most event types change no list, so those events are not decoded.
    fn take_in(&mut self, event: &RecordedEvent) -> Result<(), ProjectionError> {
        match &*event.event_type {
            "user.registered" => self.add(event, List::Users, ALL, 1),
            "project.created" | "project.member_added" | "project.member_removed" => self.project(event)?,
            "api_key.issued" => {
                if let ApiKeyEvent::Issued(it) = event.decode()? {
                    self.add(event, List::ApiKeys, it.project, 1);
                }
            }
            "agent.created" => {
                if let AgentEvent::Created(it) = event.decode()? {
                    self.add_within(event, List::Agents, it.project);
                }
            }
            "agent.version_published" => self.add(event, List::Versions, event.stream_id, 1),
            "run.queued" => {
                if let RunEvent::Queued(it) = event.decode()? {
                    self.add_within(event, List::Runs, it.order.project);
                }
            }
            // The project is the run's, because events of a run are recorded in the context of its start.
            "run.approval_requested" => {
                if let Some(project) = event.context.project {
                    self.add_within(event, List::Approvals, project);
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn project(&mut self, event: &RecordedEvent) -> Result<(), ProjectionError> {
        let (user, by) = match event.decode()? {
            ProjectEvent::Created(it) => {
                self.add(event, List::Projects, ALL, 1);
                (it.owner, 1)
            }
            ProjectEvent::MemberAdded(it) => (it.user, 1),
            ProjectEvent::MemberRemoved(it) => (it.user, -1),
            _ => return Ok(()),
        };
        self.add(event, List::Projects, user, by);
        self.add(event, List::Members, event.stream_id, by);
        Ok(())
    }

    async fn save(self, tx: &DatabaseTransaction) -> Result<(), DbErr> {
        let rows: Vec<_> = self.0.into_iter().collect();
        for some in rows.chunks(crate::es::ROWS_AT_ONCE) {
            let places = vec!["(?, ?, ?, ?)"; some.len()].join(", ");
            let sql = format!(
                "INSERT INTO list_totals (list, of_id, total, position) VALUES {places} \
                 ON CONFLICT (list, of_id) DO UPDATE SET total = list_totals.total + excluded.total, \
                 position = excluded.position"
            );
            let values = some.iter().flat_map(|((list, of), (grown, position))| {
                [Value::from(list.as_str()), (*of).into(), (*grown).into(), stored(*position).into()]
            });
            tx.execute_raw(statement(tx.get_database_backend(), &sql, values.collect())).await?;
        }
        Ok(())
    }
}

#[async_trait]
impl Projection for TotalsProjection {
    fn name(&self) -> &'static str {
        "totals"
    }

    fn tables(&self) -> &'static [&'static str] {
        &["list_totals"]
    }

    fn categories(&self) -> &'static [&'static str] {
        &[User::CATEGORY, Project::CATEGORY, ApiKey::CATEGORY, Agent::CATEGORY, Run::CATEGORY]
    }

    async fn apply(&self, tx: &DatabaseTransaction, events: &[&RecordedEvent]) -> Result<(), ProjectionError> {
        let mut growth = Growth::default();
        for event in events {
            growth.take_in(event)?;
        }
        Ok(growth.save(tx).await?)
    }
}
