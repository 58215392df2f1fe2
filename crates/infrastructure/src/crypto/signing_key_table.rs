use async_trait::async_trait;
use chrono::DateTime;
use devskyy_application::error::PortError;
use sea_orm::{ActiveValue::Set, DbErr, EntityTrait, PaginatorTrait, QueryOrder};

use super::key_ring::{PORT, SealedKey, SigningKeyStore};
use crate::sql::{Database, lock, port_error};

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

    async fn insert_first(&self, key: &SealedKey) -> Result<(), DbErr> {
        let transaction = self.database.begin().await?;
        // Replicas that start together on an empty database take turns.
        lock(&transaction, "signing_keys").await?;
        if entity::Entity::find().count(&transaction).await? == 0 {
            let row = entity::ActiveModel {
                kid: Set(key.kid.clone()),
                public_key: Set(key.public.clone()),
                sealed_private_key: Set(key.sealed_private.clone()),
                created_at: Set(key.created_at.timestamp_micros()),
            };
            entity::Entity::insert(row).exec_without_returning(&transaction).await?;
        }
        transaction.commit().await
    }
}

#[async_trait]
impl SigningKeyStore for SqlSigningKeyStore {
    async fn all(&self) -> Result<Vec<SealedKey>, PortError> {
        let rows = entity::Entity::find()
            .order_by_asc(entity::Column::CreatedAt)
            .order_by_asc(entity::Column::Kid)
            .all(&self.database.reader)
            .await
            .map_err(|error| port_error(PORT, "reading the signing keys", error))?;
        Ok(rows
            .into_iter()
            .map(|row| SealedKey {
                kid: row.kid,
                public: row.public_key,
                sealed_private: row.sealed_private_key,
                created_at: DateTime::from_timestamp_micros(row.created_at).unwrap_or_default(),
            })
            .collect())
    }

    async fn add_first(&self, key: &SealedKey) -> Result<(), PortError> {
        self.insert_first(key).await.map_err(|error| port_error(PORT, "adding the first signing key", error))
    }
}
