use async_trait::async_trait;
use devskyy_application::{error::PortError, es::RecordedEvent};
use devskyy_domain::{
    agents::{Agent, AgentCreated, AgentEvent, AgentStatus, VersionNumber, VersionPublished},
    kernel::Aggregate,
};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, DatabaseTransaction, EntityTrait, IntoActiveModel, QueryFilter,
    sea_query::OnConflict,
};
use serde::Serialize;
use uuid::Uuid;

use super::entity::{agent, version};
use crate::{
    es::{ProjectionError, ROWS_AT_ONCE, StreamRows},
    sql::{micros, stored},
};

/// One row per agent and one per version.
#[derive(Debug, Clone, Copy)]
pub struct AgentsProjection;

/// An agent, and the versions published since it was loaded.
#[derive(Debug)]
pub struct AgentRow {
    agent: agent::Model,
    published: Vec<version::Model>,
}

impl AgentRow {
    fn new(event: &RecordedEvent, created: &AgentCreated) -> Result<Self, ProjectionError> {
        let (at, name) = (micros(event.recorded_at), created.name.as_str());
        let agent = agent::Model {
            id: event.stream_id,
            project_id: created.project.into(),
            name: name.to_owned(),
            name_key: name.to_lowercase(),
            kind: created.kind.as_str().to_owned(),
            capabilities: json(&created.capabilities)?,
            description: created.description.as_str().to_owned(),
            status: AgentStatus::Draft.as_str().to_owned(),
            current_version: None,
            created_at: at,
            updated_at: at,
            version: stored(event.version),
            position: stored(event.position),
        };
        Ok(Self { agent, published: Vec::new() })
    }

    fn take_in(&mut self, event: &RecordedEvent, fact: AgentEvent) -> Result<(), ProjectionError> {
        self.agent.updated_at = micros(event.recorded_at);
        self.agent.version = stored(event.version);
        self.agent.position = stored(event.position);
        match fact {
            AgentEvent::Created(_) => {}
            AgentEvent::VersionPublished(it) => self.publish(event, &it)?,
            AgentEvent::VersionRestored(it) => self.agent.current_version = Some(number(it.number)),
            AgentEvent::Activated(_) | AgentEvent::Resumed(_) => self.set(AgentStatus::Active),
            AgentEvent::Paused(_) => self.set(AgentStatus::Paused),
            AgentEvent::Archived(_) => self.set(AgentStatus::Archived),
            AgentEvent::Renamed(it) => {
                it.name.as_str().clone_into(&mut self.agent.name);
                self.agent.name_key = it.name.as_str().to_lowercase();
            }
            AgentEvent::Described(it) => it.description.as_str().clone_into(&mut self.agent.description),
            AgentEvent::CapabilitiesChanged(it) => self.agent.capabilities = json(&it.capabilities)?,
        }
        Ok(())
    }

    fn publish(&mut self, event: &RecordedEvent, published: &VersionPublished) -> Result<(), ProjectionError> {
        self.agent.current_version = Some(number(published.number));
        self.published.push(version::Model {
            agent_id: event.stream_id,
            number: number(published.number),
            definition: json(&published.definition)?,
            published_at: micros(event.recorded_at),
            published_by: event.context.actor.clone(),
            position: stored(event.position),
        });
        Ok(())
    }

    fn set(&mut self, status: AgentStatus) {
        status.as_str().clone_into(&mut self.agent.status);
    }
}

pub(super) fn number(number: VersionNumber) -> i32 {
    i32::try_from(number).unwrap_or(i32::MAX)
}

fn json(value: &impl Serialize) -> Result<String, ProjectionError> {
    let failed = |error| PortError::bug("agent projection", "writing a value", error);
    Ok(serde_json::to_string(value).map_err(failed)?)
}

#[async_trait]
impl StreamRows for AgentsProjection {
    type Row = AgentRow;

    fn name(&self) -> &'static str {
        "agents"
    }

    fn tables(&self) -> &'static [&'static str] {
        &["agent_versions", "agents"]
    }

    fn categories(&self) -> &'static [&'static str] {
        &[Agent::CATEGORY]
    }

    async fn load(&self, tx: &DatabaseTransaction, ids: &[Uuid]) -> Result<Vec<(Uuid, AgentRow)>, ProjectionError> {
        let rows = agent::Entity::find().filter(agent::Column::Id.is_in(ids.iter().copied())).all(tx).await?;
        Ok(rows.into_iter().map(|agent| (agent.id, AgentRow { agent, published: Vec::new() })).collect())
    }

    fn fold(&self, row: Option<AgentRow>, event: &RecordedEvent) -> Result<Option<AgentRow>, ProjectionError> {
        let fact: AgentEvent = event.decode()?;
        if let AgentEvent::Created(it) = &fact {
            return Ok(Some(AgentRow::new(event, it)?));
        }
        let Some(mut row) = row else { return Ok(None) };
        row.take_in(event, fact)?;
        Ok(Some(row))
    }

    async fn save(&self, tx: &DatabaseTransaction, rows: Vec<(Uuid, Option<AgentRow>)>) -> Result<(), ProjectionError> {
        let (mut agents, mut versions) = (Vec::new(), Vec::new());
        for row in rows.into_iter().filter_map(|(_, row)| row) {
            agents.push(row.agent.into_active_model().reset_all());
            versions.extend(row.published.into_iter().map(|version| version.into_active_model().reset_all()));
        }
        let newer = OnConflict::column(agent::Column::Id).update_columns(CHANGING).to_owned();
        agent::Entity::insert_many(agents).on_conflict(newer).exec_without_returning(tx).await?;
        // Versions are immutable: each is inserted once.
        while !versions.is_empty() {
            let rest = versions.split_off(versions.len().min(ROWS_AT_ONCE));
            version::Entity::insert_many(versions).exec_without_returning(tx).await?;
            versions = rest;
        }
        Ok(())
    }
}

const CHANGING: [agent::Column; 9] = [
    agent::Column::Name,
    agent::Column::NameKey,
    agent::Column::Capabilities,
    agent::Column::Description,
    agent::Column::Status,
    agent::Column::CurrentVersion,
    agent::Column::UpdatedAt,
    agent::Column::Version,
    agent::Column::Position,
];
