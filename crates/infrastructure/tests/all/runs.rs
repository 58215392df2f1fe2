//! The SQL adapters keep every promise about runs.

use std::sync::Arc;

use devskyy_application::es::EventStore;
use devskyy_infrastructure::{
    agents::{AgentsProjection, SqlAgents},
    es::{PerStream, Projection, SqlEventStore},
    projects::ProjectsProjection,
    runs::{AgentsForRuns, RunsProjection, SqlRunQueue, SqlRuns},
    system::SystemClock,
    totals::TotalsProjection,
};
use devskyy_testkit::contracts::runs::RunsUnderTest;

use crate::{
    databases::{self, Fresh},
    machine::Waits,
};

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
        queue: Arc::new(SqlRunQueue::new(db.clone())),
        agents: Arc::new(AgentsForRuns::new(Arc::new(SqlAgents::new(db)))),
        clock: Arc::new(SystemClock),
        time: Arc::new(Waits),
        keep: Box::new(fresh),
    }
}

mod on_sqlite {
    use super::{RunsUnderTest, databases, over};

    async fn runs() -> RunsUnderTest {
        over(databases::sqlite().await).await
    }

    devskyy_testkit::runs_contract!(runs);
}

mod on_postgres {
    use super::{RunsUnderTest, databases, over};

    async fn runs() -> RunsUnderTest {
        over(databases::postgres().await).await
    }

    devskyy_testkit::runs_contract!(
        #[ignore = "needs PostgreSQL"]
        runs
    );
}
