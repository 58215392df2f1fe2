use async_trait::async_trait;
use devskyy_application::{
    audit::{AUDITED, is_told},
    es::RecordedEvent,
};
use devskyy_domain::{kernel::Aggregate, projects::Project};
use sea_orm::{DatabaseTransaction, EntityTrait, IntoActiveModel};
use uuid::Uuid;

use super::entity::fact;
use crate::{
    es::{Projection, ProjectionError, ROWS_AT_ONCE},
    sql::{micros, stored},
};

/// One immutable row per event about users, projects, keys, agents, providers and secrets, and per decision about a run
/// or a budget.
#[derive(Debug, Clone, Copy)]
pub struct AuditProjection;

#[async_trait]
impl Projection for AuditProjection {
    fn name(&self) -> &'static str {
        "audit"
    }

    fn tables(&self) -> &'static [&'static str] {
        &["audit_facts"]
    }

    fn categories(&self) -> &'static [&'static str] {
        &AUDITED
    }

    async fn apply(&self, tx: &DatabaseTransaction, events: &[&RecordedEvent]) -> Result<(), ProjectionError> {
        let told: Vec<_> = events.iter().filter(|event| is_told(&event.category, &event.event_type)).collect();
        for some in told.chunks(ROWS_AT_ONCE) {
            let rows = some.iter().map(|event| row(event).into_active_model());
            fact::Entity::insert_many(rows).exec_without_returning(tx).await?;
        }
        Ok(())
    }
}

fn row(event: &RecordedEvent) -> fact::Model {
    // Events of a project belong to it, including its creation.
    let itself = (event.category == Project::CATEGORY).then_some(event.stream_id);
    fact::Model {
        id: event.event_id,
        happened_at: micros(event.recorded_at),
        kind: event.event_type.to_string(),
        actor: event.context.actor.clone(),
        project_id: itself.or(event.context.project.map(Uuid::from)),
        target: format!("{}:{}", event.category, event.stream_id),
        correlation_id: event.context.correlation_id,
        position: stored(event.position),
    }
}
