//! Invitations on SQL keep the contract.

use std::sync::Arc;

use devskyy_application::es::EventStore;
use devskyy_infrastructure::{
    es::{PerStream, Projection, SqlEventStore},
    identity::SqlAddressees,
    projects::{InvitationsProjection, SqlProjectInvitations},
};
use devskyy_testkit::{
    contracts::invitations::InvitationsUnderTest,
    fakes::{FixedClock, SequentialTokenMint},
};

use crate::databases::{self, Fresh};

async fn over(fresh: Fresh) -> InvitationsUnderTest {
    let db = fresh.db.clone();
    let projections: Vec<Arc<dyn Projection>> = vec![Arc::new(PerStream(InvitationsProjection))];
    let store = SqlEventStore::start(db.clone(), Arc::new(FixedClock::default()), projections).await.unwrap();
    let store: Arc<dyn EventStore> = Arc::new(store);
    let addressees = Arc::new(SqlAddressees::new(db.clone(), Arc::new(SequentialTokenMint::default())));
    InvitationsUnderTest {
        store,
        views: Arc::new(SqlProjectInvitations::new(db)),
        perishable: addressees.clone(),
        mentions: addressees.clone(),
        addressees,
        keep: Box::new(fresh),
    }
}

mod on_sqlite {
    use super::{InvitationsUnderTest, databases, over};

    async fn invitations() -> InvitationsUnderTest {
        over(databases::sqlite().await).await
    }

    devskyy_testkit::invitations_contract!(invitations);
}

mod on_postgres {
    use super::{InvitationsUnderTest, databases, over};

    async fn invitations() -> InvitationsUnderTest {
        over(databases::postgres().await).await
    }

    devskyy_testkit::invitations_contract!(
        #[ignore = "needs PostgreSQL"]
        invitations
    );
}
