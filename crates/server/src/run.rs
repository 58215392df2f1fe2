//! A running server: started in order, stopped in reverse order.

use std::{future::Future, net::SocketAddr, time::Duration};

use actix_web::dev::ServerHandle as HttpHandle;
use devskyy_infrastructure::sql::{Database, free_leases};
use secrecy::ExposeSecret as _;
use tokio::{task::JoinHandle, time::timeout};
use tokio_util::sync::CancellationToken;

use crate::{
    configuration::Settings,
    failure::{Failure, causes},
    http,
    storage::{self, Claimed, Store},
    tasks::Tasks,
    wiring::Platform,
};

/// Timeout for background work after requests and runs have ended.
const LAST_WORK: Duration = Duration::from_secs(3);
/// Timeout for recording the last accepted changes and closing the database.
const CLOSING: Duration = Duration::from_secs(3);
/// Timeout for handing over runs, in addition to that for their calls.
const HANDING_OVER: Duration = Duration::from_secs(3);

/// A server that answers requests and executes runs.
pub struct ServerHandle {
    /// The address it listens on.
    pub address: SocketAddr,
    /// Location of the first administrator's token, as long as there is no administrator.
    pub bootstrap: Option<String>,
    http: HttpHandle,
    /// `None` once it has ended.
    answering: Option<JoinHandle<std::io::Result<()>>>,
    draining: CancellationToken,
    background: Background,
    _claimed: Claimed,
}

/// Connects to the database that the settings choose.
///
/// # Errors
/// When it cannot be reached.
pub async fn connect(settings: &Settings, store: &Store) -> Result<Database, Failure> {
    crate::crypto::choose();
    let (url, durability) = (store.url(), store.durability(settings)?);
    if matches!(store, Store::Postgres(_)) {
        tracing::info!(%store, "connecting");
    }
    let database = Database::connect_with(url.expose_secret(), settings.database.max_connections, durability).await;
    database.map_err(|error| {
        Failure::operation(format!(
            "cannot reach the database ({store}): {}; check database.url and that it runs",
            causes(&error)
        ))
    })
}

/// Connects to the database that the settings choose, and migrates its schema.
///
/// # Errors
/// When it cannot be reached, or its schema cannot be migrated.
pub async fn database(settings: &Settings, store: &Store) -> Result<Database, Failure> {
    let database = connect(settings, store).await?;
    database.migrate().await.map_err(|error| {
        Failure::operation(format!("cannot bring the schema of the database ({store}) up to date: {}", causes(&error)))
    })?;
    Ok(database)
}

/// Starts a server; it is ready when this returns.
///
/// # Errors
/// When the address is taken, or the data directory or the database cannot be used.
pub async fn serve(settings: &Settings) -> Result<ServerHandle, Failure> {
    crate::crypto::choose();
    let listener = http::listen(settings.server.listen)?;
    let address = listener.local_addr().map_err(Failure::operation)?;
    let store = Store::chosen(settings);
    let claimed = storage::claim(settings, &store)?;
    let database = database(settings, &store).await?;
    if claimed.is_sole() {
        // Any process that held a lease here was killed.
        free_leases(&database).await.map_err(|error| Failure::operation(causes(&error)))?;
    }
    let platform = Platform::build(settings, database).await?;
    platform.forget_the_erased().await?;
    let bootstrap = platform.identity.bootstrap.handle().await.map_err(|error| Failure::operation(causes(&error)))?;
    let draining = CancellationToken::new();
    let server = http::answer(listener, &settings.server, platform.api(settings, draining.clone()))?;
    let http = server.handle();
    let background = Background::start(settings, platform);
    Ok(ServerHandle {
        address,
        bootstrap: bootstrap.map(|offer| offer.location),
        http,
        answering: Some(tokio::spawn(server)),
        draining,
        background,
        _claimed: claimed,
    })
}

/// A process that executes runs and serves no requests.
pub struct WorkerHandle(Background);

/// Starts executing runs beside the servers that share the database.
///
/// # Errors
/// When the database is SQLite, which belongs to one process, when runs are disabled, or when it cannot be used.
pub async fn work(settings: &Settings) -> Result<WorkerHandle, Failure> {
    crate::crypto::choose();
    let store = Store::chosen(settings);
    if matches!(store, Store::Sqlite(_)) {
        return Err(Failure::configuration(
            "a worker shares its database with servers, and SQLite belongs to one process; set database.url to a PostgreSQL",
        ));
    }
    if settings.runs.concurrency == 0 {
        return Err(Failure::configuration("a worker with runs.concurrency = 0 would do nothing; set it to 1 or more"));
    }
    let _claimed = storage::claim(settings, &store)?;
    let platform = Platform::build(settings, database(settings, &store).await?).await?;
    Ok(WorkerHandle(Background::start(settings, platform)))
}

impl WorkerHandle {
    /// Claims no more runs, waits a bounded time for calls in progress, hands over all runs and closes the database.
    pub async fn stop(self) {
        tracing::info!("stopping: calls in progress finish");
        let handed_over = self.0.hand_over().await;
        self.0.end(handed_over).await;
    }
}

/// Background work.
struct Background {
    /// Executes runs; stops first, because its work in progress takes longest.
    runs: Tasks,
    others: Tasks,
    drain_timeout: Duration,
    platform: Platform,
}

impl Background {
    fn start(settings: &Settings, platform: Platform) -> Self {
        let (runs, others) = (Tasks::default(), Tasks::default());
        platform.carry_out(settings, &runs);
        platform.work(&others);
        Self { runs, others, drain_timeout: settings.runs.drain_timeout, platform }
    }

    /// Stops executing runs; returns whether all of them were handed over.
    async fn hand_over(&self) -> bool {
        self.runs.end(self.drain_timeout + HANDING_OVER).await
    }

    /// Ends all other work and closes the database.
    async fn end(self, handed_over: bool) {
        let ended = self.others.end(LAST_WORK).await;
        if timeout(CLOSING, self.platform.close()).await.is_err() {
            tracing::warn!("the database did not confirm closing in time; nothing acknowledged is lost");
        }
        if ended && handed_over {
            tracing::info!("stopped");
        } else {
            tracing::warn!("stopped with background work still in progress; it is taken over when its leases lapse");
        }
    }
}

impl ServerHandle {
    /// Completes when `stop` does, or when the HTTP server ends by itself.
    ///
    /// # Errors
    /// When the HTTP server ends first; the handle must still be stopped.
    pub async fn until(&mut self, stop: impl Future<Output = ()>) -> Result<(), Failure> {
        tokio::select! { () = stop => Ok(()), failure = self.failed() => Err(failure) }
    }

    async fn failed(&mut self) -> Failure {
        let Some(answering) = &mut self.answering else { return std::future::pending().await };
        let ended = answering.await;
        self.answering = None;
        let why = match ended {
            Ok(Ok(())) => "the HTTP server ended by itself".to_owned(),
            Ok(Err(error)) => causes(&error),
            Err(error) => causes(&error),
        };
        tracing::error!(why, "the HTTP server no longer accepts requests; stopping");
        Failure::operation(format!("the HTTP server no longer accepts requests: {why}"))
    }

    /// Stops in order: readiness fails and no run is claimed any more; requests and calls in progress finish within
    /// their time; runs are handed over; the database is closed.
    pub async fn stop(self) {
        let Self { http, answering, draining, background, .. } = self;
        draining.cancel();
        tracing::info!("stopping: requests and calls in progress finish");
        let requests = async {
            http.stop(true).await;
            if let Some(answering) = answering {
                let _ = answering.await;
            }
        };
        let ((), handed_over) = tokio::join!(requests, background.hand_over());
        background.end(handed_over).await;
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use std::path::Path;

    use super::{ServerHandle, serve};
    use crate::configuration::{Effective, Flag, Layers, Settings};

    /// A server on a free port.
    pub(crate) async fn served(directory: &Path) -> ServerHandle {
        let flag = |key: &str, value: String| Flag { name: "--set", key: key.to_owned(), value };
        let data = directory.join("data").display().to_string();
        let flags = vec![flag("data_dir", data), flag("server.port", "0".to_owned())];
        let settings = Settings::from(&Effective::read(&Layers { flags, ..Layers::default() }).unwrap());
        serve(&settings).await.unwrap()
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_server_that_ends_by_itself_is_a_failure_of_the_process() {
        let directory = tempfile::tempdir().unwrap();
        let mut server = served(directory.path()).await;
        server.http.stop(false).await;
        let outcome = server.until(std::future::pending()).await;
        server.stop().await;
        assert_eq!(outcome.map_err(|failure| failure.code()), Err(1));
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_server_that_is_asked_to_stop_has_not_failed() {
        let directory = tempfile::tempdir().unwrap();
        let mut server = served(directory.path()).await;
        let outcome = server.until(std::future::ready(())).await;
        server.stop().await;
        assert_eq!(outcome, Ok(()));
    }
}
