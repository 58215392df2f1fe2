//! Secrets on SQL keep the contract.

use std::sync::Arc;

use devskyy_application::{
    es::EventStore,
    secrets::{OpenedSecrets, SecretBinding},
};
use devskyy_domain::secrets::{SecretHosts, SecretValue};
use devskyy_infrastructure::{
    crypto::MasterKey,
    es::{PerStream, Projection, SqlEventStore},
    secrets::{SecretsProjection, SqlSecretVault, SqlSecrets},
};
use devskyy_testkit::{contracts::secrets::SecretsUnderTest, fakes::FixedClock};
use sea_orm::{ConnectionTrait as _, Statement};
use uuid::Uuid;

use crate::databases::{self, Fresh};

async fn over(fresh: Fresh) -> SecretsUnderTest {
    let projections: Vec<Arc<dyn Projection>> = vec![Arc::new(PerStream(SecretsProjection))];
    let db = fresh.db.clone();
    let store = SqlEventStore::start(db.clone(), Arc::new(FixedClock::default()), projections).await.unwrap();
    let store: Arc<dyn EventStore> = Arc::new(store);
    let vault = Arc::new(SqlSecretVault::new(db.clone(), MasterKey::parse(&"ab".repeat(32)).unwrap()));
    let views = Arc::new(SqlSecrets::new(db));
    let opened = Arc::new(OpenedSecrets::new(views.clone(), vault.clone()));
    SecretsUnderTest { store, views, vault, opened, keep: Box::new(fresh) }
}

mod on_sqlite {
    use super::{SecretsUnderTest, databases, over};

    async fn secrets() -> SecretsUnderTest {
        over(databases::sqlite().await).await
    }

    devskyy_testkit::secrets_contract!(secrets);
}

mod on_postgres {
    use super::{SecretsUnderTest, databases, over};

    async fn secrets() -> SecretsUnderTest {
        over(databases::postgres().await).await
    }

    devskyy_testkit::secrets_contract!(
        #[ignore = "needs PostgreSQL"]
        secrets
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_value_is_not_found_in_the_database() {
    let fresh = databases::sqlite().await;
    let db = fresh.db.clone();
    let kept = over(fresh).await;
    let hosts = SecretHosts::parse(&["a.example.org"]).unwrap();
    let binding = SecretBinding { id: Uuid::from_u128(1).into(), secret: Uuid::from_u128(2).into(), hosts };
    let value = SecretValue::parse("sk-of-the-project").unwrap();
    kept.vault.save(&binding, &value, chrono::DateTime::UNIX_EPOCH).await.unwrap();
    let sql = "SELECT count(*) AS n FROM secret_values WHERE instr(CAST(sealed AS TEXT), 'sk-of') > 0";
    let statement = Statement::from_string(sea_orm::DatabaseBackend::Sqlite, sql);
    let found: i64 = db.reader.query_one_raw(statement).await.unwrap().unwrap().try_get("", "n").unwrap();
    assert_eq!(found, 0);
}
