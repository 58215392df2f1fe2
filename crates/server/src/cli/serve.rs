use std::future::Future;

use tokio::signal::unix::{SignalKind, signal};

use super::say;
use crate::{
    banner::Banner,
    configuration::{self, LogFormat, Settings},
    failure::Failure,
    run,
    storage::Store,
};

/// Serves until the process is asked to stop.
pub(super) async fn serve(settings: Settings) -> Result<(), Failure> {
    configuration::refuse_unsafe(&settings)?;
    let stop = asked_to_stop()?;
    let mut server = run::serve(&settings).await?;
    let store = Store::chosen(&settings).told(&settings);
    let bootstrap = server.bootstrap.clone();
    let banner = Banner { address: server.address, store: store.clone(), data_dir: &settings.data_dir, bootstrap };
    tracing::info!(url = banner.url(), store, "ready");
    if settings.log.format != LogFormat::Json {
        say(&banner.text())?;
    } else if let Some(file) = &banner.bootstrap {
        tracing::info!(
            file,
            "nobody runs this platform yet: register with what this file holds as the bootstrap_token"
        );
    }
    let outcome = server.until(stop).await;
    server.stop().await;
    outcome
}

/// Completes when the process gets SIGTERM or SIGINT.
pub(super) fn asked_to_stop() -> Result<impl Future<Output = ()>, Failure> {
    let mut terminate = signal(SignalKind::terminate()).map_err(Failure::operation)?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(Failure::operation)?;
    Ok(async move {
        tokio::select! { _ = terminate.recv() => {}, _ = interrupt.recv() => {} }
    })
}
