use async_trait::async_trait;
use devskyy_application::{
    error::PortError,
    models::{ProviderRecord, ProviderViews},
    paging::{PageOf, Part},
};
use devskyy_domain::{
    kernel::ids::{ProjectId, ProviderId},
    models::{HeldKey, ProviderKind},
};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, Select};
use serde::de::DeserializeOwned;
use uuid::Uuid;

use super::{
    entity::provider::{Column, Entity, Model},
    projection::{HELD, KEYLESS},
    status::ProviderStatus,
};
use crate::sql::{Database, Order, Port, instant, loaded, part_of};

const PORT: Port = Port("providers");

/// Providers of projects from the projection `providers`.
#[derive(Debug, Clone)]
pub struct SqlProviders(Database);

impl SqlProviders {
    /// Uses the providers of a database.
    #[must_use]
    pub const fn new(db: Database) -> Self {
        Self(db)
    }

    async fn one(&self, query: Select<Entity>) -> Result<Option<ProviderRecord>, PortError> {
        query.one(&self.0.reader).await.map_err(PORT.failed("finding a provider"))?.map(record).transpose()
    }
}

fn present() -> Select<Entity> {
    Entity::find().filter(Column::Status.ne(ProviderStatus::Removed.as_str()))
}

#[async_trait]
impl ProviderViews for SqlProviders {
    async fn find(&self, provider: ProviderId) -> Result<Option<ProviderRecord>, PortError> {
        self.one(present().filter(Column::Id.eq(Uuid::from(provider)))).await
    }

    async fn named(&self, project: ProjectId, name: &str) -> Result<Option<ProviderRecord>, PortError> {
        self.one(present().filter(Column::ProjectId.eq(Uuid::from(project))).filter(Column::Name.eq(name))).await
    }

    async fn list(&self, project: ProjectId, part: &Part) -> Result<PageOf<ProviderRecord>, PortError> {
        let order = Order { by: Column::CreatedAt, id: Column::Id, descending: true };
        let of_project = present().filter(Column::ProjectId.eq(Uuid::from(project)));
        let found = part_of(&self.0.reader, of_project, order, part, None).await;
        found.map_err(PORT.failed("listing providers"))?.try_map(record)
    }
}

fn record(row: Model) -> Result<ProviderRecord, PortError> {
    let key = match (row.key_state.as_str(), row.key_id) {
        (KEYLESS, _) => HeldKey::None,
        (HELD, Some(id)) => HeldKey::Held(id.into()),
        _ => HeldKey::Dropped,
    };
    Ok(ProviderRecord {
        id: row.id.into(),
        project: row.project_id.into(),
        name: row.name,
        kind: ProviderKind::parse(&row.kind).map_err(PORT.bug("reading a provider"))?,
        base_url: row.base_url,
        models: document(&row.models)?,
        prices: document(&row.prices)?,
        prices_version: u32::try_from(row.prices_version).map_err(PORT.bug("reading a provider"))?,
        key,
        enabled: row.status == ProviderStatus::Enabled.as_str(),
        created_at: instant(row.created_at),
        updated_at: instant(row.updated_at),
        version: loaded(row.version),
    })
}

fn document<T: DeserializeOwned>(text: &str) -> Result<T, PortError> {
    serde_json::from_str(text).map_err(PORT.bug("reading a provider"))
}

#[cfg(test)]
mod tests {
    use devskyy_application::paging::Key;

    use super::{Column, ColumnTrait, Order, QueryFilter, Uuid, present};
    use crate::sql::{
        Database,
        tests::{goes_on_by_index, on_both_engines},
    };

    on_both_engines!(providers_of_a_project_go_on_by_index);

    async fn providers_of_a_project_go_on_by_index(db: &Database) {
        let order = Order { by: Column::CreatedAt, id: Column::Id, descending: true };
        let of_project = present().filter(Column::ProjectId.eq(Uuid::max()));
        goes_on_by_index(db, of_project, order, &Key::by_number(1, Uuid::nil())).await;
    }
}
