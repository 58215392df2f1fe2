//! The SQL adapter keeps the contract of usage.

use std::sync::Arc;

use devskyy_infrastructure::{
    es::{PerStream, SqlEventStore},
    runs::{RunsProjection, SqlUsage},
};
use devskyy_testkit::{contracts::usage::UsageUnderTest, fakes::FixedClock};

use crate::databases::{self, Fresh};

pub(crate) async fn over(fresh: Fresh) -> UsageUnderTest {
    let (db, clock) = (fresh.db.clone(), Arc::new(FixedClock::default()));
    let store = SqlEventStore::start(db.clone(), clock.clone(), vec![Arc::new(PerStream(RunsProjection))]).await;
    UsageUnderTest { store: Arc::new(store.unwrap()), usage: Arc::new(SqlUsage::new(db)), clock, keep: Box::new(fresh) }
}

mod on_sqlite {
    use super::{UsageUnderTest, databases, over};

    async fn usage() -> UsageUnderTest {
        over(databases::sqlite().await).await
    }

    devskyy_testkit::usage_contract!(usage);
}

mod on_postgres {
    use super::{UsageUnderTest, databases, over};

    async fn usage() -> UsageUnderTest {
        over(databases::postgres().await).await
    }

    devskyy_testkit::usage_contract!(
        #[ignore = "needs PostgreSQL"]
        usage
    );
}
