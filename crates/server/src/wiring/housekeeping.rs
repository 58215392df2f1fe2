//! Periodic removal of data that is no longer needed.

use std::{future::Future, sync::Arc, time::Duration};

use devskyy_application::{
    error::Error,
    identity::{Housekeeping, HousekeepingPorts, Identity, Swept, TokenMint},
};
use devskyy_infrastructure::{
    identity::{SqlAccounts, SqlAddressees, SqlAttempts, SqlInvitations, SqlKeyVault, SqlSessions},
    sql::SqlUsedKeys,
};

use super::Ground;
use crate::tasks::Tasks;

/// Delay of the first sweep, so that it does not burden the start.
const FIRST: Duration = Duration::from_secs(60);
/// Pause between two sweeps.
const PAUSE: Duration = Duration::from_secs(3_600);

pub(super) fn housekeeping(ground: &Ground, mint: Arc<dyn TokenMint>) -> Housekeeping {
    let Ground { database, clock, .. } = ground.clone();
    Housekeeping::new(HousekeepingPorts {
        accounts: Arc::new(SqlAccounts::new(database.clone())),
        vault: Arc::new(SqlKeyVault::new(database.clone())),
        sessions: Arc::new(SqlSessions::new(database.clone())),
        invitations: Arc::new(SqlInvitations::new(database.clone())),
        addressees: Arc::new(SqlAddressees::new(database.clone(), mint)),
        attempts: Arc::new(SqlAttempts::new(database.clone())),
        used_keys: Arc::new(SqlUsedKeys::new(database)),
        clock,
    })
}

/// Sweeps, completes erasures and records missing events, for as long as the server runs.
pub(super) fn start(tasks: &Tasks, housekeeping: Arc<Housekeeping>, identity: Arc<Identity>) {
    keep_sweeping(tasks, move || {
        let (housekeeping, identity) = (housekeeping.clone(), identity.clone());
        async move {
            // Before the sweep, which removes the e-mails by which invitations of erased accounts are found.
            let completed = identity.administration.erasures.complete().await;
            // Also before the sweep, which removes the keys that make recording a password change idempotent.
            let recorded = identity.password_recording.complete().await;
            let swept = housekeeping.pass().await?;
            match recorded? {
                0 => {}
                recorded => tracing::info!(recorded, "passwords had been changed without an event, which is there now"),
            }
            match completed? {
                0 => {}
                added => {
                    tracing::info!(added, "erased people were missing from the list of erasures and were added")
                }
            }
            Ok(swept)
        }
    });
}

fn keep_sweeping<P, F>(tasks: &Tasks, pass: P)
where
    P: Fn() -> F + Clone + Send + Sync + 'static,
    F: Future<Output = Result<Swept, Error>> + Send + 'static,
{
    tasks.keep("housekeeping", move |stop| {
        let pass = pass.clone();
        async move {
            let mut pause = FIRST;
            while stop.run_until_cancelled(tokio::time::sleep(pause)).await.is_some() {
                let swept = pass().await?;
                if swept != Swept::default() {
                    tracing::info!(?swept, "swept obsolete data");
                }
                pause = PAUSE;
            }
            Ok(())
        }
    });
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use devskyy_application::error::PortError;

    use super::*;

    async fn passes_within(time: Duration, fails: bool) -> usize {
        let (tasks, passes) = (Tasks::default(), Arc::new(AtomicUsize::new(0)));
        let counted = passes.clone();
        keep_sweeping(&tasks, move || {
            let first = counted.fetch_add(1, Ordering::SeqCst) == 0;
            let failure = PortError::transient("accounts", "sweeping", "the database is away");
            std::future::ready(if fails && first { Err(failure.into()) } else { Ok(Swept::default()) })
        });
        tokio::time::sleep(time).await;
        passes.load(Ordering::SeqCst)
    }

    #[tokio::test(start_paused = true)]
    async fn a_server_sweeps_soon_after_its_start_and_then_every_hour() {
        assert_eq!(passes_within(FIRST + 2 * PAUSE + Duration::from_secs(1), false).await, 3);
    }

    #[tokio::test(start_paused = true)]
    async fn a_sweep_that_fails_is_made_again() {
        assert_eq!(passes_within(2 * FIRST + Duration::from_secs(30), true).await, 2);
    }
}
