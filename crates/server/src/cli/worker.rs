use super::serve::asked_to_stop;
use crate::{
    configuration::{self, Settings},
    failure::Failure,
    run,
    storage::Store,
};

/// Carries runs out until the process is asked to stop.
pub(super) async fn work(settings: Settings) -> Result<(), Failure> {
    configuration::refuse_unsafe(&settings)?;
    let stop = asked_to_stop()?;
    let worker = run::work(&settings).await?;
    tracing::info!(store = %Store::chosen(&settings), slots = settings.runs.concurrency, "ready");
    stop.await;
    worker.stop().await;
    Ok(())
}
