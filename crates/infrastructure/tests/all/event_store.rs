//! The log and its checkpoints on both engines, and failures that only a real database has.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use devskyy_application::es::{Checkpoints, EventFilter, EventStore, PAGE_BYTES, Position, SetAside};
use devskyy_infrastructure::{
    es::{Replay, SqlCheckpoints, SqlEventStore, SqlSetAside},
    sql::Database,
    system::SystemClock,
};
use devskyy_testkit::contracts::{
    checkpoints::CheckpointsUnderTest,
    event_store::{LogUnderTest, Request, lamp},
    set_aside::SetAsideUnderTest,
};

use crate::databases::{Fresh, postgres, sqlite};

/// The SQL log over a fresh database; a restart closes every connection and opens new ones.
struct Sql {
    fresh: Fresh,
    store: Arc<SqlEventStore>,
}

async fn started(db: &Database) -> Arc<SqlEventStore> {
    Arc::new(SqlEventStore::start_shared(db.clone(), Arc::new(SystemClock), Vec::new()).await.unwrap())
}

impl Sql {
    async fn over(fresh: Fresh) -> Self {
        Self { store: started(&fresh.db).await, fresh }
    }
}

#[async_trait]
impl LogUnderTest for Sql {
    fn store(&self) -> Arc<dyn EventStore> {
        self.store.clone()
    }

    async fn restart(&mut self) {
        self.store.stop().await;
        self.fresh.db.close().await;
        self.fresh.db = Database::connect(&self.fresh.url, 8).await.unwrap();
        self.store = started(&self.fresh.db).await;
    }
}

/// The SQL log over an in-memory database, which lives as long as its one connection: only the log is restarted.
struct InMemory {
    db: Database,
    store: Arc<SqlEventStore>,
}

#[async_trait]
impl LogUnderTest for InMemory {
    fn store(&self) -> Arc<dyn EventStore> {
        self.store.clone()
    }

    async fn restart(&mut self) {
        self.store.stop().await;
        self.store = started(&self.db).await;
    }
}

/// Checkpoints beside a log of ten events, with their hashes.
struct SqlKeeper(Fresh, Vec<[u8; 32]>);

impl SqlKeeper {
    async fn over(fresh: Fresh) -> Self {
        let log = started(&fresh.db).await;
        for n in 0..10 {
            Request::to(lamp(n), &["a"]).ask(log.as_ref()).await.unwrap();
        }
        let hashes = log.read_all(0, 10, &EventFilter::default()).await.unwrap().events;
        log.stop().await;
        Self(fresh, hashes.into_iter().map(|event| event.hash).collect())
    }
}

#[async_trait]
impl CheckpointsUnderTest for SqlKeeper {
    fn checkpoints(&self) -> Arc<dyn Checkpoints> {
        Arc::new(SqlCheckpoints::new(self.0.db.clone()))
    }

    fn hash(&self, position: Position) -> [u8; 32] {
        self.1[usize::try_from(position).unwrap() - 1]
    }

    async fn pass(&self, time: Duration) {
        tokio::time::sleep(time).await;
    }
}

struct SqlAside(Fresh);

#[async_trait]
impl SetAsideUnderTest for SqlAside {
    fn aside(&self) -> Arc<dyn SetAside> {
        Arc::new(SqlSetAside::new(self.0.db.clone()))
    }

    async fn pass(&self, time: Duration) {
        tokio::time::sleep(time).await;
    }
}

mod on_sqlite {
    use super::{Sql, SqlAside, SqlKeeper, sqlite};

    async fn log() -> Sql {
        Sql::over(sqlite().await).await
    }

    async fn keeper() -> SqlKeeper {
        SqlKeeper::over(sqlite().await).await
    }

    async fn aside() -> SqlAside {
        SqlAside(sqlite().await)
    }

    devskyy_testkit::event_store_contract!(log);
    devskyy_testkit::checkpoints_contract!(keeper);
    devskyy_testkit::set_aside_contract!(aside);
}

mod on_sqlite_in_memory {
    use super::{Database, InMemory, started};

    async fn log() -> InMemory {
        let db = Database::connect("sqlite::memory:", 1).await.unwrap();
        db.migrate().await.unwrap();
        InMemory { store: started(&db).await, db }
    }

    devskyy_testkit::event_store_contract!(log);
}

mod on_postgres {
    use super::{Sql, SqlAside, SqlKeeper, postgres};

    async fn log() -> Sql {
        Sql::over(postgres().await).await
    }

    async fn keeper() -> SqlKeeper {
        SqlKeeper::over(postgres().await).await
    }

    async fn aside() -> SqlAside {
        SqlAside(postgres().await)
    }

    devskyy_testkit::event_store_contract!(
        #[ignore = "needs PostgreSQL"]
        log
    );
    devskyy_testkit::checkpoints_contract!(
        #[ignore = "needs PostgreSQL"]
        keeper
    );
    devskyy_testkit::set_aside_contract!(
        #[ignore = "needs PostgreSQL"]
        aside
    );
}

/// However large events are, readers of the whole log hold a bounded part of it in memory, and miss nothing.
async fn a_replay_ends_its_pages_early(fresh: Fresh) {
    let log = Sql::over(fresh).await;
    let large = "x".repeat(PAGE_BYTES / 4);
    for n in 0..11 {
        Request::to(lamp(n), &[&large]).ask(log.store.as_ref()).await.unwrap();
    }
    let (mut replay, mut pages) = (Replay::start(&log.fresh.db, vec![], 11), Vec::new());
    while let Some(page) = replay.next().await.unwrap() {
        pages.push((page.events.len(), page.scanned_to));
    }
    assert_eq!(pages, [(4, 4), (4, 8), (3, 11)]);
}

#[tokio::test]
async fn a_replay_of_sqlite_ends_its_pages_early() {
    a_replay_ends_its_pages_early(sqlite().await).await;
}

#[tokio::test]
#[ignore = "needs PostgreSQL"]
async fn a_replay_of_postgres_ends_its_pages_early() {
    a_replay_ends_its_pages_early(postgres().await).await;
}
