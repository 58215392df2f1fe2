//! The SQL adapters keep every promise about runs.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use devskyy_application::es::EventStore;
use devskyy_infrastructure::{
    agents::{AgentsProjection, SqlAgents},
    es::{PerStream, Projection, SqlEventStore},
    projects::ProjectsProjection,
    runs::{AgentsForRuns, RunsProjection, SqlRunQueue, SqlRuns},
    system::SystemClock,
    totals::TotalsProjection,
};
use devskyy_testkit::contracts::runs::{Passage, RunsUnderTest, agents};

use crate::databases::{self, Fresh};

struct Waits;

#[async_trait]
impl Passage for Waits {
    async fn pass(&self, time: Duration) {
        tokio::time::sleep(time).await;
    }
}

async fn log(fresh: &Fresh) -> Arc<dyn EventStore> {
    let projections: Vec<Arc<dyn Projection>> = vec![
        Arc::new(PerStream(ProjectsProjection)),
        Arc::new(PerStream(AgentsProjection)),
        Arc::new(PerStream(RunsProjection)),
        Arc::new(TotalsProjection),
    ];
    Arc::new(SqlEventStore::start(fresh.db.clone(), Arc::new(SystemClock), projections).await.unwrap())
}

async fn over(fresh: Fresh) -> RunsUnderTest {
    let db = fresh.db.clone();
    RunsUnderTest {
        store: log(&fresh).await,
        views: Arc::new(SqlRuns::new(db.clone())),
        queue: Arc::new(SqlRunQueue::new(db)),
        clock: Arc::new(SystemClock),
        time: Arc::new(Waits),
        keep: Box::new(fresh),
    }
}

async fn agents_are_told(fresh: Fresh) {
    let store = log(&fresh).await;
    let told = AgentsForRuns::new(Arc::new(SqlAgents::new(fresh.db.clone())));
    agents::an_agent_is_told_as_it_stands(store.as_ref(), &told).await;
}

mod on_sqlite {
    use super::{RunsUnderTest, agents_are_told, databases, over};

    async fn runs() -> RunsUnderTest {
        over(databases::sqlite().await).await
    }

    devskyy_testkit::runs_contract!(runs);

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn agents_are_told_as_they_stand() {
        agents_are_told(databases::sqlite().await).await;
    }
}

mod on_postgres {
    use super::{RunsUnderTest, agents_are_told, databases, over};

    async fn runs() -> RunsUnderTest {
        over(databases::postgres().await).await
    }

    devskyy_testkit::runs_contract!(
        #[ignore = "needs PostgreSQL"]
        runs
    );

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    #[ignore = "needs PostgreSQL"]
    async fn agents_are_told_as_they_stand() {
        agents_are_told(databases::postgres().await).await;
    }
}
