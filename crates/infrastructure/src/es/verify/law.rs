use async_trait::async_trait;
use devskyy_application::{error::PortError, es::RecordedEvent};
use sea_orm::DatabaseTransaction;

use super::Fault;

/// Something that must hold of a whole history, beside its chain and its views.
#[async_trait]
pub trait Law: Send {
    /// Kinds of aggregate it is about; empty for all.
    fn categories(&self) -> &[&'static str];

    /// Takes in the next event of its categories.
    ///
    /// # Errors
    /// [`PortError`] when the event cannot be understood.
    fn hear(&mut self, event: &RecordedEvent) -> Result<(), PortError>;

    /// Everything that does not hold, as far as the log and the state beside it say, by position.
    ///
    /// # Errors
    /// [`PortError`] when that state cannot be read.
    async fn conclude(self: Box<Self>, live: &DatabaseTransaction) -> Result<Vec<Fault>, PortError>;
}
