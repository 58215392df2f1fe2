use tokio_util::sync::CancellationToken;

use super::{
    say,
    stopping::{Told, until_asked},
};
use crate::{
    banner::Banner,
    configuration::{self, Log, LogFormat, Settings},
    failure::Failure,
    run,
    storage::Store,
    telemetry,
};

/// Serves until the process is asked to stop.
pub(super) async fn serve(settings: Settings) -> Result<(), Failure> {
    configuration::refuse_unsafe(&settings)?;
    until_asked(told(&settings.log), |stop| serve_until(settings, stop)).await
}

/// How the stop of a server or worker is reported.
pub(super) fn told(log: &Log) -> Told {
    if telemetry::is_for_people(log) { Told::Plainly } else { Told::InTheLog }
}

async fn serve_until(settings: Settings, stop: CancellationToken) -> Result<(), Failure> {
    let Some(started) = stop.run_until_cancelled(Box::pin(run::serve(&settings))).await else {
        tracing::info!("stopped before it was ready");
        return Ok(());
    };
    let mut server = started?;
    let store = Store::chosen(&settings).told(&settings);
    let bootstrap = server.bootstrap.clone();
    let banner = Banner { address: server.address, store: store.clone(), data_dir: &settings.data_dir, bootstrap };
    tracing::info!(url = banner.url(), store, "ready");
    if settings.log.format != LogFormat::Json {
        say(&banner.text())?;
    } else if let Some(file) = &banner.bootstrap {
        tracing::info!(
            file,
            "there is no administrator yet: register with the content of this file as the bootstrap_token"
        );
    }
    let outcome = server.until(stop.cancelled()).await;
    server.stop().await;
    outcome
}
