//! The contract of all stores of signing keys, in memory and in both databases.

use std::sync::Arc;

use chrono::TimeDelta;
use devskyy_infrastructure::crypto::{SealedKey, SigningKeyStore};
use futures_util::future::join_all;

use super::world::now;

fn key(kid: &str, minutes: i64) -> SealedKey {
    let signs_from = now() + TimeDelta::minutes(minutes);
    SealedKey { kid: kid.to_owned(), public: vec![1; 32], sealed_private: vec![2; 48], created_at: now(), signs_from }
}

async fn kids(store: &Arc<dyn SigningKeyStore>) -> Vec<String> {
    store.all().await.unwrap().into_iter().map(|key| key.kid).collect()
}

async fn a_kept_key_is_read_back_as_it_was(store: &Arc<dyn SigningKeyStore>) {
    store.add(&key("one", 0), None).await.unwrap();
    assert_eq!(store.all().await.unwrap(), [key("one", 0)]);
}

async fn keys_are_told_in_the_order_in_which_they_sign(store: &Arc<dyn SigningKeyStore>) {
    store.add(&key("b", 0), None).await.unwrap();
    store.add(&key("a", 10), Some("b")).await.unwrap();
    assert_eq!(kids(store).await, ["b", "a"]);
}

async fn a_first_key_is_added_only_where_there_is_none(store: &Arc<dyn SigningKeyStore>) {
    store.add(&key("one", 0), None).await.unwrap();
    assert_eq!((store.add(&key("two", 10), None).await.unwrap(), kids(store).await.len()), (false, 1));
}

async fn a_key_follows_only_the_last_one(store: &Arc<dyn SigningKeyStore>) {
    store.add(&key("one", 0), None).await.unwrap();
    store.add(&key("two", 10), Some("one")).await.unwrap();
    assert_eq!((store.add(&key("three", 20), Some("one")).await.unwrap(), kids(store).await.len()), (false, 2));
}

async fn of_twenty_parallel_additions_one_is_made(store: &Arc<dyn SigningKeyStore>) {
    store.add(&key("one", 0), None).await.unwrap();
    join_all((0..20).map(|n| async move { store.add(&key(&format!("key-{n}"), 10), Some("one")).await })).await;
    assert_eq!(kids(store).await.len(), 2);
}

async fn removed_keys_are_gone(store: &Arc<dyn SigningKeyStore>) {
    store.add(&key("one", 0), None).await.unwrap();
    store.add(&key("two", 10), Some("one")).await.unwrap();
    store.remove(&["one".to_owned()]).await.unwrap();
    assert_eq!(kids(store).await, ["two"]);
}

macro_rules! promises {
    ($metas:tt $factory:path => $($promise:ident),+ $(,)?) => {
        $(promises! { @one $metas $factory, $promise })+
    };
    (@one [$(#[$meta:meta])*] $factory:path, $promise:ident) => {
        #[tokio::test]
        $(#[$meta])*
        async fn $promise() {
            let (_keep, store) = $factory().await;
            super::$promise(&store).await;
        }
    };
}

macro_rules! signing_key_store_contract {
    ($(#[$meta:meta])* $factory:path) => {
        promises! { [$(#[$meta])*] $factory =>
            a_kept_key_is_read_back_as_it_was,
            keys_are_told_in_the_order_in_which_they_sign,
            a_first_key_is_added_only_where_there_is_none,
            a_key_follows_only_the_last_one,
            of_twenty_parallel_additions_one_is_made,
            removed_keys_are_gone,
        }
    };
}

mod in_memory {
    use std::sync::Arc;

    use devskyy_infrastructure::crypto::SigningKeyStore;

    use crate::crypto::world::KeysInMemory;

    async fn store() -> ((), Arc<dyn SigningKeyStore>) {
        ((), Arc::<KeysInMemory>::default())
    }

    signing_key_store_contract!(store);
}

mod on_sqlite {
    use std::sync::Arc;

    use devskyy_infrastructure::crypto::{SigningKeyStore, SqlSigningKeyStore};

    use crate::databases::{self, Fresh};

    async fn store() -> (Fresh, Arc<dyn SigningKeyStore>) {
        let fresh = databases::sqlite().await;
        let store = Arc::new(SqlSigningKeyStore::new(fresh.db.clone()));
        (fresh, store)
    }

    signing_key_store_contract!(store);
}

mod on_postgres {
    use std::sync::Arc;

    use devskyy_infrastructure::crypto::{SigningKeyStore, SqlSigningKeyStore};

    use crate::databases::{self, Fresh};

    async fn store() -> (Fresh, Arc<dyn SigningKeyStore>) {
        let fresh = databases::postgres().await;
        let store = Arc::new(SqlSigningKeyStore::new(fresh.db.clone()));
        (fresh, store)
    }

    signing_key_store_contract!(
        #[ignore = "needs PostgreSQL"]
        store
    );
}

mod culprits {
    use std::sync::Arc;

    use async_trait::async_trait;
    use devskyy_application::error::PortError;
    use devskyy_infrastructure::crypto::{SealedKey, SigningKeyStore};
    use devskyy_testkit::contracts::is_broken;

    use crate::crypto::world::KeysInMemory;

    /// What is wrong with a store.
    #[derive(Clone, Copy, PartialEq, Eq)]
    enum Flaw {
        /// Returns the newest first, and without their public halves.
        Garbling,
        /// Adds whatever it is given, whichever came before.
        Pliant,
        /// Checks first and adds later, so that others check in between.
        Hesitant,
        /// Deletes nothing.
        Clinging,
    }

    struct Flawed(KeysInMemory, Flaw);

    #[async_trait]
    impl SigningKeyStore for Flawed {
        async fn all(&self) -> Result<Vec<SealedKey>, PortError> {
            let mut keys = self.0.all().await?;
            if self.1 == Flaw::Garbling {
                keys.reverse();
                keys.iter_mut().for_each(|key| key.public.clear());
            }
            Ok(keys)
        }

        async fn add(&self, key: &SealedKey, after: Option<&str>) -> Result<bool, PortError> {
            let last = self.0.all().await?.pop().map(|last| last.kid);
            match self.1 {
                Flaw::Pliant => self.0.add(key, last.as_deref()).await,
                Flaw::Hesitant if last.as_deref() == after => {
                    tokio::task::yield_now().await;
                    let last = self.0.all().await?.pop().map(|last| last.kid);
                    self.0.add(key, last.as_deref()).await
                }
                _ => self.0.add(key, after).await,
            }
        }

        async fn remove(&self, kids: &[String]) -> Result<(), PortError> {
            if self.1 == Flaw::Clinging { Ok(()) } else { self.0.remove(kids).await }
        }
    }

    macro_rules! caught {
        ($($flaw:ident by $promise:ident;)+) => {$(
            #[tokio::test]
            async fn $promise() {
                let store: Arc<dyn SigningKeyStore> = Arc::new(Flawed(KeysInMemory::default(), Flaw::$flaw));
                assert!(is_broken(super::$promise(&store)).await);
            }
        )+};
    }

    caught! {
        Garbling by a_kept_key_is_read_back_as_it_was;
        Garbling by keys_are_told_in_the_order_in_which_they_sign;
        Pliant by a_first_key_is_added_only_where_there_is_none;
        Pliant by a_key_follows_only_the_last_one;
        Hesitant by of_twenty_parallel_additions_one_is_made;
        Clinging by removed_keys_are_gone;
    }
}
