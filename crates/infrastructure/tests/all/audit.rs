//! The trail on SQL keeps the contract.

use std::sync::Arc;

use devskyy_application::es::EventStore;
use devskyy_infrastructure::{
    audit::{AuditProjection, SqlAudit},
    es::{Projection, SqlEventStore},
};
use devskyy_testkit::{contracts::audit::AuditUnderTest, fakes::FixedClock};

use crate::databases::{self, Fresh};

async fn over(fresh: Fresh) -> AuditUnderTest {
    let projections: Vec<Arc<dyn Projection>> = vec![Arc::new(AuditProjection)];
    let store = SqlEventStore::start(fresh.db.clone(), Arc::new(FixedClock::default()), projections).await.unwrap();
    let store: Arc<dyn EventStore> = Arc::new(store);
    let audit = Arc::new(SqlAudit::new(fresh.db.clone()));
    AuditUnderTest { store, records: audit.clone(), trail: audit, keep: Box::new(fresh) }
}

mod on_sqlite {
    use super::{AuditUnderTest, databases, over};

    async fn audit() -> AuditUnderTest {
        over(databases::sqlite().await).await
    }

    devskyy_testkit::audit_contract!(audit);
}

mod on_postgres {
    use super::{AuditUnderTest, databases, over};

    async fn audit() -> AuditUnderTest {
        over(databases::postgres().await).await
    }

    devskyy_testkit::audit_contract!(
        #[ignore = "needs PostgreSQL"]
        audit
    );
}
