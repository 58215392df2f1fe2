use std::time::Duration;

use async_trait::async_trait;
use devskyy_api::{Check, Readiness};
use devskyy_infrastructure::{
    es::{SubscriptionState, ahead_of_time, subscriptions},
    sql::Database,
};
use tokio_util::sync::CancellationToken;

use crate::wiring::READERS;

/// How far the newest event may lie in the future before a clock is wrong.
const TOLERANCE: Duration = Duration::from_secs(60);

/// Ready means: the database answers and nobody has asked the server to stop. What else is wrong is told beside that:
/// requests are served, and what should follow from events does not, or their times are wrong.
#[derive(Debug)]
pub(crate) struct ServerReadiness {
    database: Database,
    draining: CancellationToken,
}

impl ServerReadiness {
    pub(crate) const fn new(database: Database, draining: CancellationToken) -> Self {
        Self { database, draining }
    }

    /// Which subscriptions have stopped, are behind or set events aside, where some are; why is not for strangers.
    async fn stuck(&self) -> Option<String> {
        let found = subscriptions(&self.database, &READERS).await;
        let found = found.inspect_err(|error| tracing::warn!(error = ?error, "subscriptions cannot be looked at"));
        let found = found.unwrap_or_default();
        let names = |what: &str, stuck: &dyn Fn(&SubscriptionState) -> bool| {
            let names: Vec<_> = found.iter().filter(|state| stuck(state)).map(|state| state.name.as_str()).collect();
            (!names.is_empty()).then(|| format!("{what}: {}", names.join(", ")))
        };
        let stopped = names("stopped", &|state| state.stopped.is_some());
        let behind = names("behind", &|state| state.stopped.is_none() && state.is_behind());
        let aside = names("set events aside", &|state| !state.aside.is_empty());
        let stuck: Vec<_> = [stopped, behind, aside].into_iter().flatten().collect();
        (!stuck.is_empty()).then(|| format!("{}; `devskyy subscriptions` says why", stuck.join("; ")))
    }

    /// Whether events bear times of the future, as they do once a clock was wrong.
    async fn ahead(&self) -> Option<String> {
        let ahead = ahead_of_time(&self.database).await;
        let ahead = ahead.inspect_err(|error| tracing::warn!(error = ?error, "clocks cannot be compared")).ok()?;
        (ahead > TOLERANCE).then(|| format!("the newest event bears a time {} s in the future", ahead.as_secs()))
    }
}

/// A check that fails where there is something to tell.
const fn check(name: &'static str, vital: bool, detail: Option<String>) -> Check {
    Check { name, ok: detail.is_none(), vital, detail }
}

#[async_trait]
impl Readiness for ServerReadiness {
    async fn checks(&self) -> Vec<Check> {
        let reached = self.database.ping().await;
        if let Err(error) = &reached {
            tracing::warn!(error = ?error, "the database does not answer");
        }
        let draining = self.draining.is_cancelled();
        let (stuck, ahead) = if reached.is_ok() { (self.stuck().await, self.ahead().await) } else { (None, None) };
        let away = reached.err().map(|_| "it does not answer".to_owned());
        vec![
            check("database", true, away),
            check("accepting", true, draining.then(|| "the server is stopping".to_owned())),
            check("subscriptions", false, stuck),
            check("clock", false, ahead),
        ]
    }

    async fn draining(&self) {
        self.draining.cancelled().await;
    }
}
