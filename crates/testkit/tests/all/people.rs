//! The adapters in memory keep every promise about people, projects and agents.

use devskyy_testkit::contracts::people::PeopleUnderTest;

async fn in_memory() -> PeopleUnderTest {
    PeopleUnderTest::in_memory()
}

devskyy_testkit::identity_contract!(in_memory);
devskyy_testkit::attempts_contract!(in_memory);
devskyy_testkit::projects_contract!(in_memory);
devskyy_testkit::agents_contract!(in_memory);
devskyy_testkit::api_keys_contract!(in_memory);

mod culprits {
    //! Keepers of keys that break a promise and must be caught.

    use std::sync::Arc;

    use async_trait::async_trait;
    use chrono::{DateTime, Utc};
    use devskyy_application::{
        context::KeyGrant,
        error::PortError,
        identity::{Erasures, KeyStandings},
    };
    use devskyy_domain::kernel::ids::{ApiKeyId, UserId};
    use devskyy_testkit::contracts::{
        is_broken,
        people::{self, PeopleUnderTest},
    };

    /// Takes the prefix for a proof, and time for a rumour.
    struct Trusting(Arc<dyn KeyStandings>);

    #[async_trait]
    impl KeyStandings for Trusting {
        async fn of(&self, key: ApiKeyId, _: &[u8; 32], _: DateTime<Utc>) -> Result<Option<KeyGrant>, PortError> {
            self.0.of(key, &[1; 32], DateTime::UNIX_EPOCH).await
        }

        fn forget(&self, _: ApiKeyId) {}
    }

    /// Remembers nobody.
    struct Forgetful;

    #[async_trait]
    impl Erasures for Forgetful {
        async fn record(&self, _: UserId, _: DateTime<Utc>) -> Result<(), PortError> {
            Ok(())
        }

        async fn all(&self) -> Result<Vec<UserId>, PortError> {
            Ok(vec![])
        }
    }

    #[tokio::test]
    async fn a_keeper_that_forgets_an_erasure_is_caught() {
        let culprit = PeopleUnderTest { erasures: Arc::new(Forgetful), ..PeopleUnderTest::in_memory() };
        assert!(is_broken(people::an_erasure_is_remembered_once(&culprit)).await);
    }

    fn trusting() -> PeopleUnderTest {
        let people = PeopleUnderTest::in_memory();
        PeopleUnderTest { key_standings: Arc::new(Trusting(people.key_standings.clone())), ..people }
    }

    #[tokio::test]
    async fn a_keeper_that_takes_any_secret_is_caught() {
        let culprit = trusting();
        assert!(is_broken(people::a_key_with_another_secret_does_not_count(&culprit)).await);
    }

    #[tokio::test]
    async fn a_keeper_that_forgets_the_expiry_is_caught() {
        let culprit = trusting();
        assert!(is_broken(people::an_expired_key_does_not_count(&culprit)).await);
    }
}
