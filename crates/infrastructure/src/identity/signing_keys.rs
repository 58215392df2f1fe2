use async_trait::async_trait;
use devskyy_application::error::PortError;
use sea_orm::{DbErr, EntityTrait, IntoActiveModel, QueryOrder};

use super::entity::signing_key;
use crate::{
    crypto::{SealedKey, SigningKeyStore},
    sql::{Database, instant, micros, port_error},
};

/// Signing keys in the database, so that every replica signs and checks with the same ones.
#[derive(Debug, Clone)]
pub struct SqlSigningKeys(Database);

impl SqlSigningKeys {
    /// Signing keys of a database.
    #[must_use]
    pub const fn new(db: Database) -> Self {
        Self(db)
    }

    async fn rows(&self) -> Result<Vec<signing_key::Model>, DbErr> {
        let in_order = signing_key::Entity::find().order_by_asc(signing_key::Column::CreatedAt);
        in_order.order_by_asc(signing_key::Column::Kid).all(&self.0.reader).await
    }
}

#[async_trait]
impl SigningKeyStore for SqlSigningKeys {
    async fn all(&self) -> Result<Vec<SealedKey>, PortError> {
        let rows = self.rows().await.map_err(|error| port_error("signing keys", "reading the keys", error))?;
        let key = |row: signing_key::Model| SealedKey {
            kid: row.kid,
            public: row.public_key,
            sealed_private: row.sealed_private_key,
            created_at: instant(row.created_at),
        };
        Ok(rows.into_iter().map(key).collect())
    }

    async fn add_first(&self, key: &SealedKey) -> Result<(), PortError> {
        let row = signing_key::Model {
            kid: key.kid.clone(),
            public_key: key.public.clone(),
            sealed_private_key: key.sealed_private.clone(),
            created_at: micros(key.created_at),
        };
        let added = async {
            let tx = self.0.begin().await?;
            // Replicas that start together on an empty database take turns here.
            crate::sql::lock(&tx, "signing_keys").await?;
            if signing_key::Entity::find().one(&tx).await?.is_none() {
                signing_key::Entity::insert(row.into_active_model()).exec_without_returning(&tx).await?;
            }
            tx.commit().await
        };
        added.await.map_err(|error| port_error("signing keys", "adding the first key", error))
    }
}
