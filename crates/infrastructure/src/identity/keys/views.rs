use async_trait::async_trait;
use aws_lc_rs::constant_time::verify_slices_are_equal;
use chrono::{DateTime, Utc};
use devskyy_application::{
    context::KeyGrant,
    error::PortError,
    identity::{KeyRecord, KeyStandings, KeyViews, UserStatus},
    paging::{PageOf, Part},
};
use devskyy_domain::{
    identity::KeyScope,
    kernel::ids::{ApiKeyId, ProjectId},
    projects::ProjectRole,
};
use sea_orm::{ColumnTrait, Condition, DbErr, EntityTrait, QueryFilter, QuerySelect, QueryTrait};
use uuid::Uuid;

use super::{
    super::entity::user,
    entity::{api_key, secret},
};
use crate::{
    sql::{Database, Order, Port, instant, loaded, micros, part_of},
    totals::{Kept, List},
};

const PORT: Port = Port("API keys");

/// API keys from the projection `api_keys`, and the validation of presented ones.
#[derive(Debug, Clone)]
pub struct SqlApiKeys(Database);

impl SqlApiKeys {
    /// Uses the API keys of a database.
    #[must_use]
    pub const fn new(db: Database) -> Self {
        Self(db)
    }

    /// The key, if it is valid at that instant and its issuer may sign in.
    async fn live(&self, key: Uuid, now: i64) -> Result<Option<api_key::Model>, DbErr> {
        let active = user::Entity::find()
            .select_only()
            .column(user::Column::Id)
            .filter(user::Column::Status.eq(UserStatus::Active.as_str()));
        api_key::Entity::find_by_id(key)
            .filter(api_key::Column::RevokedAt.is_null())
            .filter(api_key::Column::ExpiresAt.gt(now))
            .filter(api_key::Column::IssuerId.in_subquery(active.into_query()))
            .one(&self.0.reader)
            .await
    }

    async fn secrets(&self, key: &api_key::Model, now: i64) -> Result<Vec<secret::Model>, DbErr> {
        let previous = key.previous_secret_id.filter(|_| key.previous_until.is_some_and(|until| until > now));
        let counting = Condition::any()
            .add(secret::Column::Id.eq(key.secret_id))
            .add_option(previous.map(|id| secret::Column::Id.eq(id)));
        secret::Entity::find().filter(counting).all(&self.0.reader).await
    }
}

#[async_trait]
impl KeyViews for SqlApiKeys {
    async fn find(&self, key: ApiKeyId) -> Result<Option<KeyRecord>, PortError> {
        let found = api_key::Entity::find_by_id(Uuid::from(key)).one(&self.0.reader).await;
        found.map_err(PORT.failed("finding a key"))?.map(record).transpose()
    }

    async fn list(&self, project: ProjectId, part: &Part) -> Result<PageOf<KeyRecord>, PortError> {
        let order = Order { by: api_key::Column::CreatedAt, id: api_key::Column::Id, descending: true };
        let of_project = api_key::Entity::find().filter(api_key::Column::ProjectId.eq(Uuid::from(project)));
        let found =
            part_of(&self.0.reader, of_project, order, part, Some(Kept::Of(List::ApiKeys, project.into()))).await;
        found.map_err(PORT.failed("listing keys"))?.try_map(record)
    }
}

#[async_trait]
impl KeyStandings for SqlApiKeys {
    async fn of(&self, key: ApiKeyId, digest: &[u8; 32], now: DateTime<Utc>) -> Result<Option<KeyGrant>, PortError> {
        let Some(row) = self.live(key.into(), micros(now)).await.map_err(PORT.failed("checking a key"))? else {
            return Ok(None);
        };
        let secrets = self.secrets(&row, micros(now)).await.map_err(PORT.failed("checking a key"))?;
        let matches = |secret: &secret::Model| verify_slices_are_equal(&secret.digest, digest).is_ok();
        if !secrets.iter().any(matches) {
            return Ok(None);
        }
        Ok(Some(KeyGrant {
            project: row.project_id.into(),
            issuer: row.issuer_id.into(),
            role: role(&row.role)?,
            scopes: row.scopes.split_whitespace().map(KeyScope::named).collect(),
        }))
    }

    fn forget(&self, _key: ApiKeyId) {}
}

fn record(row: api_key::Model) -> Result<KeyRecord, PortError> {
    Ok(KeyRecord {
        id: row.id.into(),
        project: row.project_id.into(),
        issuer: row.issuer_id.into(),
        role: role(&row.role)?,
        scopes: row.scopes.split_whitespace().map(str::to_owned).collect(),
        name: row.name,
        expires_at: instant(row.expires_at),
        created_at: instant(row.created_at),
        rotated_at: row.rotated_at.map(instant),
        revoked_at: row.revoked_at.map(instant),
        version: loaded(row.version),
    })
}

fn role(name: &str) -> Result<ProjectRole, PortError> {
    ProjectRole::parse(name).map_err(PORT.bug("reading a key"))
}

#[cfg(test)]
mod tests {
    use devskyy_application::paging::Key;
    use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};

    use super::{Order, Uuid, api_key};
    use crate::sql::{
        Database,
        tests::{goes_on_by_index, on_both_engines},
    };

    on_both_engines!(keys_of_a_project_go_on_by_index);

    async fn keys_of_a_project_go_on_by_index(db: &Database) {
        let order = Order { by: api_key::Column::CreatedAt, id: api_key::Column::Id, descending: true };
        let of_project = api_key::Entity::find().filter(api_key::Column::ProjectId.eq(Uuid::max()));
        goes_on_by_index(db, of_project, order, &Key::by_number(1, Uuid::nil())).await;
    }
}
