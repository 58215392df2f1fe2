use async_trait::async_trait;
use devskyy_application::{
    error::PortError,
    paging::{PageOf, Part},
    secrets::{SecretView, SecretViews},
};
use devskyy_domain::kernel::ids::{ProjectId, SecretId};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, Select};
use uuid::Uuid;

use super::entity::secret::{Column, Entity, Model};
use crate::sql::{Database, Order, Port, instant, loaded, part_of};

const PORT: Port = Port("secrets");

/// Secrets of projects from the projection `secrets`.
#[derive(Debug, Clone)]
pub struct SqlSecrets(Database);

impl SqlSecrets {
    /// Uses the secrets of a database.
    #[must_use]
    pub const fn new(db: Database) -> Self {
        Self(db)
    }

    async fn one(&self, query: Select<Entity>) -> Result<Option<SecretView>, PortError> {
        query.one(&self.0.reader).await.map_err(PORT.failed("finding a secret"))?.map(view).transpose()
    }
}

fn present() -> Select<Entity> {
    Entity::find().filter(Column::ValueId.is_not_null())
}

#[async_trait]
impl SecretViews for SqlSecrets {
    async fn find(&self, secret: SecretId) -> Result<Option<SecretView>, PortError> {
        self.one(present().filter(Column::Id.eq(Uuid::from(secret)))).await
    }

    async fn named(&self, project: ProjectId, name: &str) -> Result<Option<SecretView>, PortError> {
        self.one(present().filter(Column::ProjectId.eq(Uuid::from(project))).filter(Column::Name.eq(name))).await
    }

    async fn list(&self, project: ProjectId, part: &Part) -> Result<PageOf<SecretView>, PortError> {
        let order = Order { by: Column::CreatedAt, id: Column::Id, descending: true };
        let of_project = present().filter(Column::ProjectId.eq(Uuid::from(project)));
        let found = part_of(&self.0.reader, of_project, order, part, None).await;
        found.map_err(PORT.failed("listing secrets"))?.try_map(view)
    }
}

fn view(row: Model) -> Result<SecretView, PortError> {
    Ok(SecretView {
        id: row.id.into(),
        project: row.project_id.into(),
        name: row.name,
        hosts: serde_json::from_str(&row.hosts).map_err(PORT.bug("reading a secret"))?,
        value: row.value_id.unwrap_or_default().into(),
        created_at: instant(row.created_at),
        updated_at: instant(row.updated_at),
        version: loaded(row.version),
    })
}
