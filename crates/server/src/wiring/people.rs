//! Identity, projects and agents.

use std::sync::Arc;

use chrono::TimeDelta;
use devskyy_application::{
    agents::{AgentViews, Agents, AgentsPorts},
    identity::{AccessTokens, Identity, IdentityPorts, SessionPolicy, TokenMint},
    projects::{Projects, ProjectsPorts},
    workflow::DefinitionCheck,
};
use devskyy_infrastructure::{
    agents::SqlAgents,
    crypto::{Argon2Cost, Argon2PasswordHasher, FileBootstrapTokens, KeyedTokenMint, MasterKey},
    identity::{
        AccountDirectory, CachedStandings, FileErasures, SqlAccounts, SqlAddressees, SqlAttempts, SqlInvitations,
        SqlSessions, SqlUsers,
    },
    projects::{SqlProjectInvitations, SqlProjects},
};
use secrecy::ExposeSecret as _;

use super::{
    Ground,
    signing::{self, Signing},
    unusable,
};
use crate::{
    configuration::Settings,
    failure::{Failure, causes},
};

/// The generated master key in the data directory.
const MASTER_KEY: &str = "master-key";
/// Passwords that may wait for a hashing thread; more are refused with a hint to come back.
const WAITING_PASSWORDS: usize = 256;

pub(super) struct People {
    pub(super) identity: Identity,
    pub(super) projects: Projects,
    pub(super) agents: Agents,
    pub(super) agent_views: Arc<dyn AgentViews>,
    pub(super) mint: Arc<dyn TokenMint>,
    pub(super) signing: Signing,
}

pub(super) async fn people(settings: &Settings, ground: &Ground) -> Result<People, Failure> {
    let Ground { database, ids, access, .. } = ground.clone();
    let log = ground.audited();
    let master = master_key(settings)?;
    let mint: Arc<dyn TokenMint> = Arc::new(KeyedTokenMint::new(master.clone()));
    let signing = signing::signing(settings, ground, master).await?;
    let identity = identity(settings, ground, signing.tokens.clone(), mint.clone())?;
    let (users, accounts) = (Arc::new(SqlUsers::new(database.clone())), Arc::new(SqlAccounts::new(database.clone())));
    let views = Arc::new(SqlProjects::new(database.clone()));
    let agent_views: Arc<dyn AgentViews> = Arc::new(SqlAgents::new(database));
    let directory = Arc::new(AccountDirectory::new(users, accounts, mint.clone()));
    let projects = ProjectsPorts {
        store: log,
        views,
        directory,
        invitations: Arc::new(SqlProjectInvitations::new(ground.database.clone())),
        addressees: Arc::new(SqlAddressees::new(ground.database.clone(), mint.clone())),
        clock: ground.clock.clone(),
        access,
        ids,
    };
    Ok(People {
        identity,
        projects: Projects::new(projects),
        agents: agents(ground, agent_views.clone()),
        agent_views,
        mint,
        signing,
    })
}

fn agents(ground: &Ground, views: Arc<dyn AgentViews>) -> Agents {
    let Ground { ids, expressions, schemas, egress, access, routed, tool_secrets, tools, .. } = ground.clone();
    Agents::new(AgentsPorts {
        store: ground.audited(),
        views,
        access,
        check: DefinitionCheck::new(expressions, schemas, Arc::new(egress)),
        models: routed.clone(),
        prices: routed,
        secrets: tool_secrets.opened,
        descriptions: tools,
        ids,
    })
}

fn identity(
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

/// The configured key, or the generated one.
pub(super) fn master_key(settings: &Settings) -> Result<MasterKey, Failure> {
    match &settings.security.master_key {
        Some(key) => MasterKey::parse(key.expose_secret()).map_err(Failure::configuration),
        None => {
            let path = settings.data_dir.join(MASTER_KEY);
            MasterKey::load_or_create(&path).map_err(|error| Failure::operation(causes(&error)))
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use devskyy_infrastructure::identity::{CachedKeyStandings, CachedStandings};

    /// A stream asks again at its next heartbeat at the latest, and may then be told what was remembered just before.
    #[test]
    fn a_stream_ends_within_five_seconds_of_the_right_to_listen() {
        let remembered =
            CachedStandings::REMEMBERED.max(CachedKeyStandings::REMEMBERED).to_std().unwrap_or(Duration::MAX);
        let longest = devskyy_api::Settings::default().heartbeat.saturating_add(remembered);
        assert!(longest < Duration::from_secs(5), "{longest:?}");
    }
}
