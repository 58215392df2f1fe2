use async_trait::async_trait;
use devskyy_application::{error::PortError, es::RecordedEvent};
use sea_orm::DatabaseTransaction;

use super::Fault;

/// An invariant of the whole history, beside the hash chain and the projections.
#[async_trait]
pub trait Law: Send {
    /// Kinds of aggregate it reads; empty for all.
    fn categories(&self) -> &[&'static str];

    /// Applies the next event of its categories.
    ///
    /// # Errors
    /// [`PortError`] when the event cannot be decoded.
    fn hear(&mut self, event: &RecordedEvent) -> Result<(), PortError>;

    /// All violations found in the log and the state beside it, by position.
    ///
    /// # Errors
    /// [`PortError`] when that state cannot be read.
    async fn conclude(self: Box<Self>, live: &DatabaseTransaction) -> Result<Vec<Fault>, PortError>;
}
