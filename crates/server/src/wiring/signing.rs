//! The master key, and the signing keys: read by every replica, rotated by one of them.

use std::{sync::Arc, time::Duration};

use chrono::TimeDelta;
use devskyy_application::ports::Clock;
use devskyy_infrastructure::{
    crypto::{EdDsaAccessTokens, KeyRotation, MasterKey, SigningKeyStore, SqlSigningKeyStore, TokenSettings},
    sql::Database,
    system::SystemClock,
};
use secrecy::ExposeSecret as _;

use super::Ground;
use crate::{
    configuration::Settings,
    failure::{Failure, causes},
    tasks::Tasks,
};

/// File name of the generated master key in the data directory.
const MASTER_KEY: &str = "master-key";
/// Interval of reading the keys; far below the time between publication and first use of a key.
const READ_AGAIN: Duration = Duration::from_secs(30);

/// Access tokens and their signing keys.
pub(super) struct Signing {
    pub(super) tokens: Arc<EdDsaAccessTokens>,
    rotation: KeyRotation,
    age: TimeDelta,
}

pub(super) async fn signing(settings: &Settings, ground: &Ground, master: MasterKey) -> Result<Signing, Failure> {
    let store: Arc<dyn SigningKeyStore> = Arc::new(SqlSigningKeyStore::new(ground.database.clone()));
    let names = TokenSettings { life: life(settings), ..TokenSettings::default() };
    let tokens = EdDsaAccessTokens::load(names, store.clone(), master.clone(), ground.clock.clone()).await;
    let tokens = tokens.map_err(|error| {
        let advice = "set security.master_key to the key this database was made with, the same on every replica";
        Failure::operation(format!("{}; {advice}", causes(&error)))
    })?;
    let rotation = KeyRotation::new(store, master, ground.clock.clone(), life(settings));
    Ok(Signing { tokens: Arc::new(tokens), rotation, age: TimeDelta::days(settings.security.signing_key_days) })
}

/// The configured master key, or the generated one.
pub(super) fn master_key(settings: &Settings) -> Result<MasterKey, Failure> {
    match &settings.security.master_key {
        Some(key) => MasterKey::parse(key.expose_secret()).map_err(Failure::configuration),
        None => {
            let path = settings.data_dir.join(MASTER_KEY);
            MasterKey::load_or_create(&path).map_err(|error| Failure::operation(causes(&error)))
        }
    }
}

/// Rotates the keys of a database, for the command line.
///
/// # Errors
/// When there is no master key.
pub(crate) fn rotation(settings: &Settings, database: Database) -> Result<KeyRotation, Failure> {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    Ok(KeyRotation::new(Arc::new(SqlSigningKeyStore::new(database)), master_key(settings)?, clock, life(settings)))
}

fn life(settings: &Settings) -> TimeDelta {
    TimeDelta::from_std(settings.security.access_token).unwrap_or(TokenSettings::default().life)
}

impl Signing {
    /// Rotates keys by age, and reads what other replicas have rotated.
    pub(super) fn start(&self, tasks: &Tasks) {
        let (tokens, rotation, age) = (self.tokens.clone(), self.rotation.clone(), self.age);
        tasks.every("signing_keys", READ_AGAIN, move || {
            let (tokens, rotation) = (tokens.clone(), rotation.clone());
            async move {
                if let Some(key) = rotation.keep_young(age).await? {
                    tracing::info!(kid = key.kid, signs_from = %key.signs_from, "a new signing key is published");
                }
                tokens.reload().await
            }
        });
    }
}
