//! Wiring of identity: registration and sessions.

use std::sync::Arc;

use chrono::TimeDelta;
use devskyy_application::identity::{AccessTokens, Identity, IdentityPorts, SessionPolicy, TokenMint};
use devskyy_infrastructure::{
    crypto::{Argon2Cost, Argon2PasswordHasher, FileBootstrapTokens},
    identity::{
        CachedStandings, FileErasures, SqlAccounts, SqlAddressees, SqlAttempts, SqlInvitations, SqlSessions, SqlUsers,
    },
};

use super::{Ground, unusable};
use crate::{configuration::Settings, failure::Failure};

/// Maximum number of passwords that wait for a hashing thread; further ones are refused with a retry hint.
const WAITING_PASSWORDS: usize = 256;

pub(super) fn identity(
    settings: &Settings,
    ground: &Ground,
    tokens: Arc<dyn AccessTokens>,
    mint: Arc<dyn TokenMint>,
) -> Result<Identity, Failure> {
    let Ground { database, clock, ids, .. } = ground.clone();
    let accounts = Arc::new(SqlAccounts::new(database.clone()));
    let sessions = Arc::new(SqlSessions::new(database.clone()));
    Ok(Identity::new(IdentityPorts {
        store: ground.audited(),
        changes: accounts.clone(),
        accounts,
        erasures: Arc::new(FileErasures::new(&settings.data_dir)),
        mentions: Arc::new(SqlAddressees::new(database.clone(), mint.clone())),
        session_list: sessions.clone(),
        invitations: Arc::new(SqlInvitations::new(database.clone())),
        registration: settings.security.registration,
        password_policy: settings.security.password_policy,
        users: Arc::new(SqlUsers::new(database.clone())),
        attempts: Arc::new(SqlAttempts::new(database)),
        limits: settings.security.throttle,
        standings: Arc::new(CachedStandings::new(sessions.clone())),
        sessions,
        tokens,
        hasher: Arc::new(hasher(settings)?),
        mint,
        bootstrap: Arc::new(FileBootstrapTokens::new(&settings.data_dir)),
        clock,
        ids,
        policy: policy(settings),
        security: ground.audit.security.clone(),
    }))
}

fn hasher(settings: &Settings) -> Result<Argon2PasswordHasher, Failure> {
    Argon2PasswordHasher::start(Argon2Cost::default(), settings.security.hash_threads, WAITING_PASSWORDS)
        .map_err(|error| unusable(&error))
}

fn policy(settings: &Settings) -> SessionPolicy {
    let access = TimeDelta::from_std(settings.security.access_token).unwrap_or(SessionPolicy::default().access);
    SessionPolicy { access, at_once: settings.security.sessions_per_person, ..SessionPolicy::default() }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use devskyy_infrastructure::identity::{CachedKeyStandings, CachedStandings};

    /// A stream checks its permission at its next heartbeat at the latest, possibly against a cached result.
    #[test]
    fn a_stream_ends_within_five_seconds_of_the_right_to_listen() {
        let remembered =
            CachedStandings::REMEMBERED.max(CachedKeyStandings::REMEMBERED).to_std().unwrap_or(Duration::MAX);
        let longest = devskyy_api::Settings::default().heartbeat.saturating_add(remembered);
        assert!(longest < Duration::from_secs(5), "{longest:?}");
    }
}
