use devskyy_application::error::PortError;
use sea_orm::ConnectionTrait as _;

use super::{Database, Port};

/// Gives back every run and every subscription that somebody holds, as if they had done so themselves. Whoever takes one next
/// has a higher fence than any that was recorded.
///
/// It is for those who have proved that nobody else uses the database: what a killed process held would wait for its leases
/// to lapse, which may take long, and longer where the clock was set back meanwhile.
///
/// # Errors
/// [`PortError`] when the database does not answer.
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
