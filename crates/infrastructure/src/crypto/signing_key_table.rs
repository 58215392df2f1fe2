use async_trait::async_trait;
use devskyy_application::error::PortError;
use sea_orm::{ActiveValue::Set, ColumnTrait, DbErr, EntityTrait, QueryFilter, QueryOrder};

use super::key_ring::{PORT, SealedKey, SigningKeyStore};
use crate::sql::{Database, Port, instant, lock, micros};

mod entity {
    use sea_orm::entity::prelude::*;

    /// One signing key, its private half sealed.
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "signing_keys")]
    pub(super) struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub kid: String,
        pub public_key: Vec<u8>,
        pub sealed_private_key: Vec<u8>,
        pub created_at: i64,
        pub signs_from: i64,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub(super) enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

/// Signing keys in the database that all replicas share.
#[derive(Debug, Clone)]
pub struct SqlSigningKeyStore {
    database: Database,
}

impl SqlSigningKeyStore {
    /// The keys of a database.
    #[must_use]
    pub const fn new(database: Database) -> Self {
        Self { database }
    }

    async fn insert(&self, key: &SealedKey, after: Option<&str>) -> Result<bool, DbErr> {
        let transaction = self.database.begin().await?;
        // Serializes replicas that add a key concurrently.
        lock(&transaction, "signing_keys").await?;
        let last = entity::Entity::find()
            .order_by_desc(entity::Column::SignsFrom)
            .order_by_desc(entity::Column::Kid)
            .one(&transaction)
            .await?;
        let free = last.as_ref().map(|row| row.kid.as_str()) == after;
        if free {
            let row = entity::ActiveModel {
                kid: Set(key.kid.clone()),
                public_key: Set(key.public.clone()),
                sealed_private_key: Set(key.sealed_private.clone()),
                created_at: Set(micros(key.created_at)),
                signs_from: Set(micros(key.signs_from)),
            };
            entity::Entity::insert(row).exec_without_returning(&transaction).await?;
        }
        transaction.commit().await?;
        Ok(free)
    }
}

#[async_trait]
impl SigningKeyStore for SqlSigningKeyStore {
    async fn all(&self) -> Result<Vec<SealedKey>, PortError> {
        let rows = entity::Entity::find()
            .order_by_asc(entity::Column::SignsFrom)
            .order_by_asc(entity::Column::Kid)
            .all(&self.database.reader)
            .await
            .map_err(Port(PORT).failed("reading the signing keys"))?;
        Ok(rows
            .into_iter()
            .map(|row| SealedKey {
                kid: row.kid,
                public: row.public_key,
                sealed_private: row.sealed_private_key,
                created_at: instant(row.created_at),
                signs_from: instant(row.signs_from),
            })
            .collect())
    }

    async fn add(&self, key: &SealedKey, after: Option<&str>) -> Result<bool, PortError> {
        self.insert(key, after).await.map_err(Port(PORT).failed("adding a signing key"))
    }

    async fn remove(&self, kids: &[String]) -> Result<(), PortError> {
        let kids = entity::Column::Kid.is_in(kids.iter().map(String::as_str));
        let removed = entity::Entity::delete_many().filter(kids).exec(&self.database.writer).await;
        removed.map(|_| ()).map_err(Port(PORT).failed("removing signing keys"))
    }
}
