//! The in-memory adapters keep the contract of users, projects and agents.

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
    //! Stores of keys that break a promise and must be detected.

    use std::{
        collections::HashMap,
        sync::{Arc, Mutex, PoisonError},
    };

    use async_trait::async_trait;
    use chrono::{DateTime, Utc};
    use devskyy_application::{
        context::KeyGrant,
        error::PortError,
        identity::{
            AccountChanges, Credentials, Erasures, KeyStandings, KeyUses, NewSession, PasswordChange, RefreshDigest,
            Rotation, Sessions, Unrecorded, UnrecordedChange,
        },
    };
    use devskyy_domain::{
        identity::DisplayName,
        kernel::ids::{ApiKeyId, SessionId, UserId},
    };
    use devskyy_testkit::{
        contracts::{
            is_broken,
            people::{self, PeopleUnderTest},
        },
        fakes::{InMemoryAccounts, InMemorySessions, InMemoryUsers},
    };

    /// Accepts a key by its prefix, and ignores expiry.
    struct Trusting(Arc<dyn KeyStandings>);

    #[async_trait]
    impl KeyStandings for Trusting {
        async fn of(&self, key: ApiKeyId, _: &[u8; 32], _: DateTime<Utc>) -> Result<Option<KeyGrant>, PortError> {
            self.0.of(key, &[1; 32], DateTime::UNIX_EPOCH).await
        }

        fn forget(&self, _: ApiKeyId) {}
    }

    /// Lists no erasures.
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

    /// Replaces any password, however old the one is that the change started from.
    struct Hasty(Arc<dyn AccountChanges>);

    #[async_trait]
    impl AccountChanges for Hasty {
        async fn credentials(&self, user: UserId) -> Result<Option<Credentials>, PortError> {
            self.0.credentials(user).await
        }

        async fn set_password(&self, change: &PasswordChange) -> Result<Option<Vec<SessionId>>, PortError> {
            let present = self.0.credentials(change.user).await?;
            let from = present.map_or_else(|| change.from.clone(), |it| it.password);
            self.0.set_password(&PasswordChange { from, ..change.clone() }).await
        }

        async fn unrecorded(&self, which: Unrecorded) -> Result<Vec<UnrecordedChange>, PortError> {
            self.0.unrecorded(which).await
        }

        async fn recorded(&self, user: UserId, at: DateTime<Utc>) -> Result<(), PortError> {
            self.0.recorded(user, at).await
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

    /// Stores of passwords that ignore sessions, and leave those to a step that never comes.
    fn half_way() -> PeopleUnderTest {
        let users = Arc::new(InMemoryUsers::default());
        let elsewhere = Arc::new(InMemorySessions::of(users.clone()));
        let accounts = Arc::new(InMemoryAccounts::of(users, elsewhere));
        PeopleUnderTest { changes: accounts.clone(), accounts, ..PeopleUnderTest::in_memory() }
    }

    #[tokio::test]
    async fn a_keeper_that_stops_half_way_through_a_change_of_the_password_is_caught() {
        assert!(is_broken(people::every_other_sign_in_ends_with_the_password(&half_way())).await);
    }

    #[tokio::test]
    async fn a_keeper_that_lets_a_sign_in_slip_past_a_change_of_the_password_is_caught() {
        assert!(is_broken(people::no_sign_in_slips_past_a_change_of_the_password(&half_way())).await);
    }

    /// Ends no session.
    struct Hoarding(Arc<dyn Sessions>);

    #[async_trait]
    impl Sessions for Hoarding {
        async fn open(&self, session: &NewSession) -> Result<Vec<SessionId>, PortError> {
            self.0.open(&NewSession { at_once: u32::MAX, ..session.clone() }).await
        }

        async fn rotate(
            &self,
            presented: &RefreshDigest,
            next: &RefreshDigest,
            now: DateTime<Utc>,
            next_until: DateTime<Utc>,
        ) -> Result<Rotation, PortError> {
            self.0.rotate(presented, next, now, next_until).await
        }

        async fn revoke(&self, session: SessionId, now: DateTime<Utc>) -> Result<(), PortError> {
            self.0.revoke(session, now).await
        }

        async fn revoke_all(&self, user: UserId, now: DateTime<Utc>) -> Result<(), PortError> {
            self.0.revoke_all(user, now).await
        }
    }

    #[tokio::test]
    async fn a_keeper_that_lets_sign_ins_pile_up_is_caught() {
        let people = PeopleUnderTest::in_memory();
        let culprit = PeopleUnderTest { sessions: Arc::new(Hoarding(people.sessions.clone())), ..people };
        assert!(is_broken(people::a_person_has_no_more_sign_ins_than_they_may(&culprit)).await);
    }

    /// Trusts the last write.
    #[derive(Default)]
    struct Gullible(Mutex<HashMap<ApiKeyId, DateTime<Utc>>>);

    #[async_trait]
    impl KeyUses for Gullible {
        fn note(&self, key: ApiKeyId, at: DateTime<Utc>) {
            self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(key, at);
        }

        async fn last(&self, keys: &[ApiKeyId]) -> Result<Vec<(ApiKeyId, DateTime<Utc>)>, PortError> {
            let told = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            Ok(keys.iter().filter_map(|key| Some((*key, *told.get(key)?))).collect())
        }
    }

    #[tokio::test]
    async fn a_keeper_whose_last_use_goes_back_is_caught() {
        let culprit = PeopleUnderTest { key_uses: Arc::new(Gullible::default()), ..PeopleUnderTest::in_memory() };
        assert!(is_broken(people::an_older_use_that_is_told_later_changes_nothing(&culprit)).await);
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
