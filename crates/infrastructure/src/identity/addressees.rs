use std::sync::Arc;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use devskyy_application::{
    error::PortError,
    identity::{Mentions, Perishable, TokenMint},
    projects::{Addressed, Addressees, LISTED},
};
use devskyy_domain::{identity::Email, kernel::ids::InvitationId};
use sea_orm::{ColumnTrait, EntityTrait, IntoActiveModel, QueryFilter, QueryOrder, QuerySelect};
use uuid::Uuid;

use super::entity::addressee;
use crate::sql::{Database, Port, micros};

const PORT: Port = Port("addressees");

/// Private rows in `invitation_addressees`, which neither events nor projections contain.
#[derive(Clone)]
pub struct SqlAddressees {
    db: Database,
    mint: Arc<dyn TokenMint>,
}

impl SqlAddressees {
    /// Uses the private rows of a database.
    #[must_use]
    pub fn new(db: Database, mint: Arc<dyn TokenMint>) -> Self {
        Self { db, mint }
    }
}

#[async_trait]
impl Addressees for SqlAddressees {
    async fn save(&self, invitation: InvitationId, email: &Email, now: DateTime<Utc>) -> Result<String, PortError> {
        let token = self.mint.token()?;
        let row = addressee::Model {
            invitation_id: invitation.into(),
            email: email.as_str().to_owned(),
            token_digest: self.mint.digest(&token).to_vec(),
            created_at: micros(now),
        };
        let saved = addressee::Entity::insert(row.into_active_model()).exec_without_returning(&self.db.writer).await;
        saved.map(|_| token).map_err(PORT.failed("keeping an e-mail"))
    }

    async fn addressed(
        &self,
        invitation: InvitationId,
        email: &Email,
        token: Option<&str>,
    ) -> Result<Addressed, PortError> {
        let found = addressee::Entity::find_by_id(Uuid::from(invitation)).one(&self.db.reader).await;
        let row = found.map_err(PORT.failed("finding an e-mail"))?.filter(|row| row.email == email.as_str());
        let presented = token.map(|token| self.mint.digest(token).to_vec());
        Ok(match row {
            None => Addressed::No,
            // These are digests of random tokens, so the timing of the comparison reveals nothing useful.
            Some(row) if presented.is_some_and(|digest| digest == row.token_digest) => Addressed::ByToken,
            Some(_) => Addressed::ByEmail,
        })
    }

    async fn invitations(&self, email: &Email) -> Result<Vec<InvitationId>, PortError> {
        let theirs = addressee::Entity::find().filter(addressee::Column::Email.eq(email.as_str()));
        let newest = theirs.order_by_desc(addressee::Column::CreatedAt).order_by_desc(addressee::Column::InvitationId);
        let rows = newest.limit(LISTED as u64).all(&self.db.reader).await;
        Ok(rows.map_err(PORT.failed("finding invitations"))?.into_iter().map(|row| row.invitation_id.into()).collect())
    }

    async fn emails(&self, invitations: &[InvitationId]) -> Result<Vec<(InvitationId, String)>, PortError> {
        let wanted = addressee::Column::InvitationId.is_in(invitations.iter().copied().map(Uuid::from));
        let rows = addressee::Entity::find().filter(wanted).all(&self.db.reader).await;
        let rows = rows.map_err(PORT.failed("reading e-mails"))?;
        Ok(rows.into_iter().map(|row| (row.invitation_id.into(), row.email)).collect())
    }

    async fn remove(&self, invitation: InvitationId) -> Result<(), PortError> {
        let removed = addressee::Entity::delete_by_id(Uuid::from(invitation)).exec(&self.db.writer).await;
        removed.map(|_| ()).map_err(PORT.failed("forgetting an e-mail"))
    }
}

#[async_trait]
impl Perishable for SqlAddressees {
    async fn sweep(&self, before: DateTime<Utc>) -> Result<u64, PortError> {
        let old = addressee::Column::CreatedAt.lt(micros(before));
        let swept = addressee::Entity::delete_many().filter(old).exec(&self.db.writer).await;
        Ok(swept.map_err(PORT.failed("sweeping e-mails"))?.rows_affected)
    }
}

#[async_trait]
impl Mentions for SqlAddressees {
    async fn forget(&self, email: &Email) -> Result<(), PortError> {
        let theirs = addressee::Column::Email.eq(email.as_str());
        let forgotten = addressee::Entity::delete_many().filter(theirs).exec(&self.db.writer).await;
        forgotten.map(|_| ()).map_err(PORT.failed("forgetting a person's e-mail"))
    }
}
