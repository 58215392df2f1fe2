#![expect(unreachable_pub, reason = "the derive wants its models public; this module is not")]

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use devskyy_application::{
    error::PortError,
    es::RecordedEvent,
    projects::{InvitationRecord, InvitationStatus, InvitationViews},
};
use devskyy_domain::{
    kernel::{
        Aggregate,
        ids::{InvitationId, ProjectId},
    },
    projects::{Invitation, InvitationEvent, ProjectRole},
};
use sea_orm::{
    ColumnTrait, DatabaseTransaction, EntityTrait, IntoActiveModel, QueryFilter, QueryOrder, sea_query::OnConflict,
};
use uuid::Uuid;

use crate::{
    es::{ProjectionError, StreamRows},
    sql::{Database, Port, instant, micros, stored},
};

const PORT: Port = Port("invitation views");

/// One invitation.
mod row {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "project_invitations")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: Uuid,
        pub project_id: Uuid,
        pub role: String,
        pub status: String,
        pub invited_by: String,
        pub created_at: i64,
        pub expires_at: i64,
        pub position: i64,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

/// One row per invitation.
#[derive(Debug, Clone, Copy)]
pub struct InvitationsProjection;

/// A row in memory.
#[derive(Debug)]
pub struct InvitationRow(row::Model);

#[async_trait]
impl StreamRows for InvitationsProjection {
    type Row = InvitationRow;

    fn name(&self) -> &'static str {
        "invitations"
    }

    fn tables(&self) -> &'static [&'static str] {
        &["project_invitations"]
    }

    fn categories(&self) -> &'static [&'static str] {
        &[Invitation::CATEGORY]
    }

    async fn load(
        &self,
        tx: &DatabaseTransaction,
        ids: &[Uuid],
    ) -> Result<Vec<(Uuid, InvitationRow)>, ProjectionError> {
        let rows = row::Entity::find().filter(row::Column::Id.is_in(ids.iter().copied())).all(tx).await?;
        Ok(rows.into_iter().map(|row| (row.id, InvitationRow(row))).collect())
    }

    fn fold(
        &self,
        row: Option<InvitationRow>,
        event: &RecordedEvent,
    ) -> Result<Option<InvitationRow>, ProjectionError> {
        let status = match event.decode()? {
            InvitationEvent::Issued(it) => {
                return Ok(Some(InvitationRow(row::Model {
                    id: event.stream_id,
                    project_id: it.project.into(),
                    role: it.role.as_str().to_owned(),
                    status: InvitationStatus::Open.as_str().to_owned(),
                    invited_by: event.context.actor.clone(),
                    created_at: micros(event.recorded_at),
                    expires_at: micros(it.expires_at),
                    position: stored(event.position),
                })));
            }
            InvitationEvent::Accepted(_) => InvitationStatus::Accepted,
            InvitationEvent::Declined(_) => InvitationStatus::Declined,
            InvitationEvent::Withdrawn(_) => InvitationStatus::Withdrawn,
        };
        Ok(row.map(|InvitationRow(mut row)| {
            status.as_str().clone_into(&mut row.status);
            row.position = stored(event.position);
            InvitationRow(row)
        }))
    }

    async fn save(
        &self,
        tx: &DatabaseTransaction,
        rows: Vec<(Uuid, Option<InvitationRow>)>,
    ) -> Result<(), ProjectionError> {
        use row::Column::{Id, Position, Status};
        let rows: Vec<_> = rows.into_iter().filter_map(|(_, row)| Some(row?.0.into_active_model())).collect();
        if rows.is_empty() {
            return Ok(());
        }
        let newer = OnConflict::column(Id).update_columns([Status, Position]).to_owned();
        row::Entity::insert_many(rows).on_conflict(newer).exec_without_returning(tx).await?;
        Ok(())
    }
}

/// Invitations from the projection `project_invitations`.
#[derive(Debug, Clone)]
pub struct SqlProjectInvitations(Database);

impl SqlProjectInvitations {
    /// Uses the invitations of a database.
    #[must_use]
    pub const fn new(db: Database) -> Self {
        Self(db)
    }
}

#[async_trait]
impl InvitationViews for SqlProjectInvitations {
    async fn find(&self, ids: &[InvitationId]) -> Result<Vec<InvitationRecord>, PortError> {
        let wanted = row::Column::Id.is_in(ids.iter().copied().map(Uuid::from));
        let in_order = row::Entity::find().filter(wanted).order_by_asc(row::Column::CreatedAt);
        let rows = in_order
            .order_by_asc(row::Column::Id)
            .all(&self.0.reader)
            .await
            .map_err(PORT.failed("reading invitations"))?;
        rows.into_iter().map(record).collect()
    }

    async fn open(&self, project: ProjectId, now: DateTime<Utc>) -> Result<Vec<InvitationRecord>, PortError> {
        let waiting = row::Entity::find()
            .filter(row::Column::ProjectId.eq(Uuid::from(project)))
            .filter(row::Column::Status.eq(InvitationStatus::Open.as_str()))
            .filter(row::Column::ExpiresAt.gt(micros(now)));
        let in_order = waiting.order_by_asc(row::Column::CreatedAt).order_by_asc(row::Column::Id);
        let rows = in_order.all(&self.0.reader).await.map_err(PORT.failed("reading invitations"))?;
        rows.into_iter().map(record).collect()
    }
}

fn record(row: row::Model) -> Result<InvitationRecord, PortError> {
    Ok(InvitationRecord {
        id: row.id.into(),
        project: row.project_id.into(),
        role: ProjectRole::parse(&row.role).map_err(|_| PORT.damaged("reading invitations", &row.role))?,
        status: InvitationStatus::named(&row.status).ok_or_else(|| PORT.damaged("reading invitations", &row.status))?,
        invited_by: row.invited_by,
        created_at: instant(row.created_at),
        expires_at: instant(row.expires_at),
    })
}
