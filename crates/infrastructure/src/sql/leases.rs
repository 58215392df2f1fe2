use devskyy_application::error::PortError;
use sea_orm::ConnectionTrait as _;

use super::{Database, Port};

/// Releases the leases of all runs and subscriptions. The next holder of each gets a higher fence than any that was
/// recorded.
///
/// Only for a process that has proved to be the only one using the database. Otherwise the leases of a killed process
/// have to lapse first, which may take long, and longer if the clock was set back meanwhile.
///
/// # Errors
/// [`PortError`] when the database fails.
pub async fn free_leases(db: &Database) -> Result<(), PortError> {
    let freed = async {
        let tx = db.begin().await?;
        tx.execute_unprepared("DELETE FROM run_leases").await?;
        let held = "UPDATE es_subscriptions SET owner = NULL, lease_until = 0 WHERE owner IS NOT NULL";
        tx.execute_unprepared(held).await?;
        tx.commit().await
    };
    freed.await.map_err(Port("database").failed("giving leases back"))
}
