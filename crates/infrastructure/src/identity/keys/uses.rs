use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use devskyy_application::{error::PortError, identity::KeyUses};
use devskyy_domain::kernel::ids::ApiKeyId;
use sea_orm::{
    ColumnTrait, DbErr, EntityTrait, IntoActiveModel, QueryFilter,
    sea_query::{Expr, OnConflict},
};
use uuid::Uuid;

use super::entity::last_use;
use crate::sql::{Database, Port, instant, micros};

const PORT: Port = Port("key uses");

/// Rows per insert.
const ROWS_AT_ONCE: usize = 500;

/// Last uses in `api_key_uses`, buffered in memory and written periodically, however busy a key is.
#[derive(Debug)]
pub struct SqlKeyUses {
    db: Database,
    noted: Mutex<HashMap<Uuid, i64>>,
}

impl SqlKeyUses {
    /// Uses the last uses of a database.
    #[must_use]
    pub fn new(db: Database) -> Self {
        Self { db, noted: Mutex::default() }
    }

    fn noted(&self) -> MutexGuard<'_, HashMap<Uuid, i64>> {
        self.noted.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Writes the uses recorded since the last call.
    ///
    /// # Errors
    /// [`PortError`] when the write fails; the uses are kept for the next call.
    pub async fn flush(&self) -> Result<(), PortError> {
        let noted: Vec<(Uuid, i64)> = self.noted().drain().collect();
        for some in noted.chunks(ROWS_AT_ONCE) {
            if let Err(error) = self.write(some).await {
                noted.iter().for_each(|(key, at)| self.keep(*key, *at));
                return Err(PORT.failed("writing last uses")(error));
            }
        }
        Ok(())
    }

    fn keep(&self, key: Uuid, at: i64) {
        let mut noted = self.noted();
        let newest = noted.entry(key).or_insert(at);
        *newest = at.max(*newest);
    }

    async fn write(&self, uses: &[(Uuid, i64)]) -> Result<(), DbErr> {
        let rows = uses.iter().map(|(key, at)| last_use::Model { key_id: *key, used_at: *at }.into_active_model());
        // Another process may have written a later use.
        let newest = Expr::cust(
            "CASE WHEN excluded.used_at > api_key_uses.used_at THEN excluded.used_at ELSE api_key_uses.used_at END",
        );
        let newest = OnConflict::column(last_use::Column::KeyId).value(last_use::Column::UsedAt, newest).to_owned();
        last_use::Entity::insert_many(rows).on_conflict(newest).exec_without_returning(&self.db.writer).await?;
        Ok(())
    }
}

#[async_trait]
impl KeyUses for SqlKeyUses {
    fn note(&self, key: ApiKeyId, at: DateTime<Utc>) {
        self.keep(key.into(), micros(at));
    }

    async fn last(&self, keys: &[ApiKeyId]) -> Result<Vec<(ApiKeyId, DateTime<Utc>)>, PortError> {
        let ids: Vec<Uuid> = keys.iter().copied().map(Uuid::from).collect();
        let written = last_use::Entity::find().filter(last_use::Column::KeyId.is_in(ids.iter().copied()));
        let written = written.all(&self.db.reader).await;
        let written = written.map_err(PORT.failed("reading last uses"))?;
        let mut last: HashMap<Uuid, i64> = written.into_iter().map(|row| (row.key_id, row.used_at)).collect();
        let noted = self.noted();
        for id in ids {
            if let Some(at) = noted.get(&id) {
                let newest = last.entry(id).or_insert(*at);
                *newest = (*at).max(*newest);
            }
        }
        Ok(last.into_iter().map(|(key, at)| (key.into(), instant(at))).collect())
    }
}

#[cfg(test)]
mod tests {
    use chrono::{DateTime, TimeDelta};
    use devskyy_application::identity::KeyUses as _;
    use uuid::Uuid;

    use super::SqlKeyUses;
    use crate::sql::{Database, tests::on_both_engines};

    on_both_engines!(a_process_that_tells_of_an_older_use_later_changes_nothing);

    async fn a_process_that_tells_of_an_older_use_later_changes_nothing(db: &Database) {
        let [one, other, third] = [(); 3].map(|()| SqlKeyUses::new(db.clone()));
        let (key, noon) = (Uuid::from_u128(1).into(), DateTime::UNIX_EPOCH + TimeDelta::hours(12));
        one.note(key, noon);
        other.note(key, noon + TimeDelta::seconds(9));
        other.flush().await.unwrap();
        one.flush().await.unwrap();
        assert_eq!(third.last(&[key]).await.unwrap(), [(key, noon + TimeDelta::seconds(9))]);
    }
}
