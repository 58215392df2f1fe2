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
        identity::{AccountChanges, Credentials, Erasures, KeyStandings, PasswordHash},
    };
    use devskyy_domain::{
        identity::DisplayName,
        kernel::ids::{ApiKeyId, UserId},
    };
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

    /// Replaces whatever password there is, however old the one is that somebody started from.
    struct Hasty(Arc<dyn AccountChanges>);

    #[async_trait]
    impl AccountChanges for Hasty {
        async fn credentials(&self, user: UserId) -> Result<Option<Credentials>, PortError> {
            self.0.credentials(user).await
        }

        async fn set_password(
            &self,
            user: UserId,
            from: &PasswordHash,
            to: &PasswordHash,
            now: DateTime<Utc>,
        ) -> Result<bool, PortError> {
            let present = self.0.credentials(user).await?.map_or_else(|| from.clone(), |it| it.password);
            self.0.set_password(user, &present, to, now).await
        }

        async fn rename(&self, user: UserId, from: Option<&str>, to: &DisplayName) -> Result<bool, PortError> {
            self.0.rename(user, from, to).await
        }
    }

    #[tokio::test]
    async fn a_keeper_that_replaces_a_password_twice_is_caught() {
        let people = PeopleUnderTest::in_memory();
        let culprit = PeopleUnderTest { changes: Arc::new(Hasty(people.changes.clone())), ..people };
        assert!(is_broken(people::a_password_is_replaced_once(&culprit)).await);
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
