use async_trait::async_trait;
use devskyy_api::{Check, Readiness};
use devskyy_infrastructure::{
    es::{SubscriptionState, subscriptions},
    sql::Database,
};
use tokio_util::sync::CancellationToken;

/// Ready means: the database answers and nobody has asked the server to stop. That a subscription has stopped is told beside
/// that: requests are served, and what should follow from events does not.
#[derive(Debug)]
pub(crate) struct ServerReadiness {
    database: Database,
    draining: CancellationToken,
}

impl ServerReadiness {
    pub(crate) const fn new(database: Database, draining: CancellationToken) -> Self {
        Self { database, draining }
    }

    /// Which subscriptions have stopped or set events aside, where some have; why they did is not for strangers.
    async fn behind(&self) -> Option<String> {
        let found = subscriptions(&self.database).await;
        let found = found.inspect_err(|error| tracing::warn!(error = ?error, "subscriptions cannot be looked at"));
        let found = found.unwrap_or_default();
        let named = |what: &str, which: fn(&SubscriptionState) -> bool| {
            let names: Vec<&str> = found.iter().filter(|state| which(state)).map(|state| state.name.as_str()).collect();
            (!names.is_empty()).then(|| format!("{what}: {}; ", names.join(", ")))
        };
        let stopped = named("stopped", |state| state.stopped.is_some());
        let aside = named("set events aside", |state| !state.aside.is_empty());
        let told: String = stopped.into_iter().chain(aside).collect();
        (!told.is_empty()).then(|| format!("{told}`devskyy subscriptions` says why"))
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
        let behind = if reached.is_ok() { self.behind().await } else { None };
        let away = reached.err().map(|_| "it does not answer".to_owned());
        vec![
            check("database", true, away),
            check("accepting", true, draining.then(|| "the server is stopping".to_owned())),
            check("subscriptions", false, behind),
        ]
    }

    async fn draining(&self) {
        self.draining.cancelled().await;
    }
}
