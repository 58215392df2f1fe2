use tokio_util::sync::CancellationToken;

use super::{serve::told, stopping::until_asked};
use crate::{
    configuration::{self, Settings},
    failure::Failure,
    run,
    storage::Store,
};

/// Executes runs until the process is asked to stop.
pub(super) async fn work(settings: Settings) -> Result<(), Failure> {
    configuration::refuse_unsafe(&settings)?;
    until_asked(told(&settings.log), |stop| work_until(settings, stop)).await
}

async fn work_until(settings: Settings, stop: CancellationToken) -> Result<(), Failure> {
    let Some(started) = stop.run_until_cancelled(Box::pin(run::work(&settings))).await else {
        tracing::info!("stopped before it was ready");
        return Ok(());
    };
    let worker = started?;
    tracing::info!(store = %Store::chosen(&settings), slots = settings.runs.concurrency, "ready");
    stop.cancelled().await;
    worker.stop().await;
    Ok(())
}
