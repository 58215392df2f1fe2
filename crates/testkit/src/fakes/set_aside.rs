use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use devskyy_application::{
    error::PortError,
    es::{Aside, Position, SetAside},
    ports::Clock,
};

type Rows = BTreeMap<(String, Position), Row>;

/// Events set aside by subscriptions, in memory, with a clock the test controls.
pub struct InMemorySetAside {
    clock: Arc<dyn Clock>,
    rows: Mutex<Rows>,
}

struct Row {
    failures: u32,
    failure: String,
    due: DateTime<Utc>,
}

impl InMemorySetAside {
    /// An empty store.
    #[must_use]
    pub fn with_clock(clock: Arc<dyn Clock>) -> Self {
        Self { clock, rows: Mutex::default() }
    }

    /// The events set aside by a subscription, and the errors.
    #[must_use]
    pub fn of(&self, name: &str) -> Vec<(Position, String)> {
        let rows = self.rows();
        let own = rows.iter().filter(|((of, _), _)| of == name);
        own.map(|((_, at), row)| (*at, row.failure.clone())).collect()
    }

    fn rows(&self) -> MutexGuard<'_, Rows> {
        self.rows.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl SetAside for InMemorySetAside {
    async fn put(&self, name: &str, at: Position, failure: &str, pause: Duration) -> Result<(), PortError> {
        let due = self.clock.now() + pause;
        let mut rows = self.rows();
        let row = rows.entry((name.to_owned(), at)).or_insert(Row { failures: 0, failure: String::new(), due });
        *row = Row { failures: row.failures + 1, failure: failure.to_owned(), due };
        Ok(())
    }

    async fn due(&self, name: &str, most: u64) -> Result<Vec<Aside>, PortError> {
        let now = self.clock.now();
        let rows = self.rows();
        let due = rows.iter().filter(|((of, _), row)| of == name && row.due <= now);
        let due = due.map(|((_, at), row)| Aside { position: *at, failures: row.failures });
        Ok(due.take(usize::try_from(most).unwrap_or(usize::MAX)).collect())
    }

    async fn settle(&self, name: &str, at: Position) -> Result<(), PortError> {
        self.rows().remove(&(name.to_owned(), at));
        Ok(())
    }
}
