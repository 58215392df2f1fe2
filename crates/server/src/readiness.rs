use std::time::Duration;

use async_trait::async_trait;
use devskyy_api::{Check, Readiness};
use devskyy_infrastructure::{
    es::{SubscriptionState, ahead_of_time, subscriptions},
    sql::Database,
};
use tokio::{sync::Mutex, time::Instant};
use tokio_util::sync::CancellationToken;

use crate::wiring::READERS;

/// How far the newest event may lie in the future before a clock is considered wrong.
const TOLERANCE: Duration = Duration::from_secs(60);

/// How long the result of the expensive checks is cached; the endpoint is public and may be called often.
const KEPT: Duration = Duration::from_secs(1);

/// The server is ready when the database answers and no stop was requested. Other problems are reported in addition:
/// requests are served, but reactions to events are stuck, or times are wrong.
#[derive(Debug)]
pub(crate) struct ServerReadiness {
    database: Database,
    draining: CancellationToken,
    outcome: Recent<Outcome>,
}

/// The findings of the expensive checks.
#[derive(Debug, Clone, Default)]
struct Outcome {
    stuck: Option<String>,
    ahead: Option<String>,
}

/// A result that is cached briefly and computed once at a time; concurrent callers wait for it.
#[derive(Debug, Default)]
struct Recent<T>(Mutex<Option<(Instant, T)>>);

impl<T: Clone + Send> Recent<T> {
    async fn or(&self, seek: impl Future<Output = T> + Send) -> T {
        let mut kept = self.0.lock().await;
        if let Some((since, outcome)) = &*kept
            && since.elapsed() < KEPT
        {
            return outcome.clone();
        }
        let outcome = seek.await;
        *kept = Some((Instant::now(), outcome.clone()));
        outcome
    }
}

impl ServerReadiness {
    pub(crate) fn new(database: Database, draining: CancellationToken) -> Self {
        Self { database, draining, outcome: Recent::default() }
    }

    async fn seek(&self) -> Outcome {
        Outcome { stuck: self.stuck().await, ahead: self.ahead().await }
    }

    /// Subscriptions that have stopped, lag or have set events aside, if any; the reasons are not public.
    async fn stuck(&self) -> Option<String> {
        let found = subscriptions(&self.database, &READERS).await;
        let found = found.inspect_err(|error| tracing::warn!(error = ?error, "cannot read the subscriptions"));
        let found = found.unwrap_or_default();
        let names = |what: &str, stuck: &dyn Fn(&SubscriptionState) -> bool| {
            let names: Vec<_> = found.iter().filter(|state| stuck(state)).map(|state| state.name.as_str()).collect();
            (!names.is_empty()).then(|| format!("{what}: {}", names.join(", ")))
        };
        let stopped = names("stopped", &|state| state.stopped.is_some());
        let behind = names("behind", &|state| state.stopped.is_none() && state.is_behind());
        let aside = names("set events aside", &|state| !state.aside.is_empty());
        let stuck: Vec<_> = [stopped, behind, aside].into_iter().flatten().collect();
        (!stuck.is_empty()).then(|| format!("{}; `devskyy subscriptions` shows why", stuck.join("; ")))
    }

    /// Whether the newest event has a time in the future, which happens after a clock was wrong.
    async fn ahead(&self) -> Option<String> {
        let ahead = ahead_of_time(&self.database).await;
        let ahead = ahead.inspect_err(|error| tracing::warn!(error = ?error, "cannot compare the clocks")).ok()?;
        (ahead > TOLERANCE).then(|| format!("the newest event bears a time {} s in the future", ahead.as_secs()))
    }
}

/// A check that fails if there is a finding.
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
        let Outcome { stuck, ahead } =
            if reached.is_ok() { self.outcome.or(self.seek()).await } else { Outcome::default() };
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

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use futures_util::future::join_all;
    use tokio::time::{advance, sleep, timeout};

    use super::{Duration, KEPT, Recent};

    /// The result to compute, and how often it was computed.
    #[derive(Default)]
    struct Sought {
        recent: Recent<u32>,
        times: AtomicU32,
    }

    impl Sought {
        async fn ask(&self) -> u32 {
            let seek = async {
                let times = self.times.fetch_add(1, Ordering::Relaxed) + 1;
                sleep(Duration::from_millis(100)).await;
                times
            };
            self.recent.or(seek).await
        }
    }

    #[tokio::test(start_paused = true)]
    async fn those_who_ask_at_once_get_one_outcome() {
        let sought = Sought::default();
        assert_eq!(join_all((0..50).map(|_| sought.ask())).await, [1; 50]);
    }

    #[tokio::test(start_paused = true)]
    async fn an_outcome_is_kept_for_a_second() {
        let sought = Sought::default();
        sought.ask().await;
        advance(KEPT - Duration::from_millis(1)).await;
        let kept = sought.ask().await;
        advance(Duration::from_millis(1)).await;
        assert_eq!((kept, sought.ask().await), (1, 2));
    }

    #[tokio::test(start_paused = true)]
    async fn whoever_gives_up_leaves_the_check_to_the_next() {
        let sought = Sought::default();
        timeout(Duration::from_millis(50), sought.ask()).await.unwrap_err();
        assert_eq!(sought.ask().await, 2);
    }
}
