//! The SQL adapters keep the contract of users, projects and agents.

use std::sync::Arc;

use devskyy_application::es::EventStore;
use devskyy_infrastructure::{
    agents::{AgentsProjection, SqlAgents},
    es::{PerStream, Projection, SqlEventStore},
    identity::{
        AccountDirectory, ApiKeysProjection, FileErasures, SqlAccounts, SqlApiKeys, SqlAttempts, SqlInvitations,
        SqlKeyUses, SqlKeyVault, SqlSessions, SqlUsers, UsersProjection,
    },
    projects::{ProjectsProjection, SqlProjects},
    sql::SqlUsedKeys,
    totals::TotalsProjection,
};
use devskyy_testkit::{
    contracts::people::{PeopleUnderTest, Perishables},
    fakes::{FixedClock, SequentialTokenMint},
};

use crate::databases::{self, Fresh};

pub(crate) async fn over(fresh: Fresh) -> PeopleUnderTest {
    let projections: Vec<Arc<dyn Projection>> = vec![
        Arc::new(PerStream(UsersProjection)),
        Arc::new(PerStream(ProjectsProjection)),
        Arc::new(PerStream(AgentsProjection)),
        Arc::new(PerStream(ApiKeysProjection)),
        Arc::new(TotalsProjection),
    ];
    let db = fresh.db.clone();
    let store = SqlEventStore::start(db.clone(), Arc::new(FixedClock::default()), projections).await.unwrap();
    let store: Arc<dyn EventStore> = Arc::new(store);
    let sessions = Arc::new(SqlSessions::new(db.clone()));
    let projects = Arc::new(SqlProjects::new(db.clone()));
    let accounts = Arc::new(SqlAccounts::new(db.clone()));
    let (users, mint) = (Arc::new(SqlUsers::new(db.clone())), Arc::new(SequentialTokenMint::default()));
    let directory = tempfile::tempdir().unwrap();
    let keys = Arc::new(SqlApiKeys::new(db.clone()));
    let invitations = Arc::new(SqlInvitations::new(db.clone()));
    let attempts = Arc::new(SqlAttempts::new(db.clone()));
    let perishables = Perishables {
        attempts: attempts.clone(),
        sessions: sessions.clone(),
        invitations: invitations.clone(),
        used_keys: Arc::new(SqlUsedKeys::new(db.clone())),
    };
    PeopleUnderTest {
        store,
        perishables,
        attempts,
        accounts: accounts.clone(),
        changes: accounts.clone(),
        session_list: sessions.clone(),
        invitations,
        erasures: Arc::new(FileErasures::new(directory.path())),
        sessions: sessions.clone(),
        standings: sessions,
        directory: Arc::new(AccountDirectory::new(users.clone(), accounts, mint)),
        users,
        projects: projects.clone(),
        memberships: projects,
        keys: keys.clone(),
        key_standings: keys,
        key_vault: Arc::new(SqlKeyVault::new(db.clone())),
        key_uses: Arc::new(SqlKeyUses::new(db.clone())),
        agents: Arc::new(SqlAgents::new(db)),
        keep: Box::new((fresh, directory)),
    }
}

mod on_sqlite {
    use super::{PeopleUnderTest, databases, over};

    async fn people() -> PeopleUnderTest {
        over(databases::sqlite().await).await
    }

    devskyy_testkit::identity_contract!(people);
    devskyy_testkit::attempts_contract!(people);
    devskyy_testkit::projects_contract!(people);
    devskyy_testkit::agents_contract!(people);
    devskyy_testkit::api_keys_contract!(people);
}

mod on_postgres {
    use super::{PeopleUnderTest, databases, over};

    async fn people() -> PeopleUnderTest {
        over(databases::postgres().await).await
    }

    devskyy_testkit::identity_contract!(
        #[ignore = "needs PostgreSQL"]
        people
    );
    devskyy_testkit::attempts_contract!(
        #[ignore = "needs PostgreSQL"]
        people
    );
    devskyy_testkit::projects_contract!(
        #[ignore = "needs PostgreSQL"]
        people
    );
    devskyy_testkit::agents_contract!(
        #[ignore = "needs PostgreSQL"]
        people
    );
    devskyy_testkit::api_keys_contract!(
        #[ignore = "needs PostgreSQL"]
        people
    );
}
