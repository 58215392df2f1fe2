//! Identity, projects and agents.

use std::sync::Arc;

use chrono::TimeDelta;
use devskyy_application::{
    agents::{AgentViews, Agents, AgentsPorts},
    identity::{Accounts, Identity, IdentityPorts, Secrets, SessionPolicy},
    ports::Clock,
    projects::{Projects, ProjectsPorts},
    workflow::WorkflowCheck,
};
use devskyy_infrastructure::{
    agents::SqlAgents,
    crypto::{
        Argon2Cost, Argon2PasswordHasher, EdDsaAccessTokens, FileBootstrapTokens, KeyedSecrets, MasterKey,
        SqlSigningKeyStore, TokenSettings,
    },
    identity::{AccountDirectory, CachedStandings, FileErasures, SqlAccounts, SqlInvitations, SqlSessions, SqlUsers},
    projects::SqlProjects,
    sql::Database,
};
use secrecy::ExposeSecret as _;

use super::{Ground, unusable};
use crate::{
    configuration::Settings,
    failure::{Failure, causes},
};

/// The generated master key in the data directory.
const MASTER_KEY: &str = "master-key";
/// Passwords that may wait for a hashing thread; more are refused with a hint to come back.
const WAITING_PASSWORDS: usize = 64;

pub(super) struct People {
    pub(super) identity: Identity,
    pub(super) projects: Projects,
    pub(super) agents: Agents,
    pub(super) agent_views: Arc<dyn AgentViews>,
    pub(super) secrets: Arc<dyn Secrets>,
}

pub(super) async fn people(settings: &Settings, ground: &Ground) -> Result<People, Failure> {
    let Ground { database, log, clock, ids, expressions, schemas, access } = ground.clone();
    let master = master_key(settings)?;
    let tokens = access_tokens(database.clone(), master.clone(), clock.as_ref()).await?;
    let hasher = hasher(settings)?;
    let secrets = Arc::new(KeyedSecrets::new(master));
    let changes = Arc::new(SqlAccounts::new(database.clone()));
    let accounts: Arc<dyn Accounts> = changes.clone();
    let users = Arc::new(SqlUsers::new(database.clone()));
    let sessions = Arc::new(SqlSessions::new(database.clone()));
    let views = Arc::new(SqlProjects::new(database.clone()));
    let agent_views: Arc<dyn AgentViews> = Arc::new(SqlAgents::new(database.clone()));
    let directory = AccountDirectory::new(users.clone(), accounts.clone(), secrets.clone());
    let check = WorkflowCheck::new(expressions, schemas);
    Ok(People {
        agent_views: agent_views.clone(),
        secrets: secrets.clone(),
        identity: Identity::new(IdentityPorts {
            store: log.clone(),
            changes,
            erasures: Arc::new(FileErasures::new(&settings.data_dir)),
            session_list: sessions.clone(),
            invitations: Arc::new(SqlInvitations::new(database.clone())),
            registration: settings.security.registration,
            password_policy: settings.security.password_policy,
            accounts,
            users,
            standings: Arc::new(CachedStandings::new(sessions.clone())),
            sessions,
            tokens: Arc::new(tokens),
            hasher: Arc::new(hasher),
            secrets,
            bootstrap: Arc::new(FileBootstrapTokens::new(&settings.data_dir)),
            clock,
            ids: ids.clone(),
            policy: policy(settings),
        }),
        projects: Projects::new(ProjectsPorts {
            store: log.clone(),
            views,
            directory: Arc::new(directory),
            access: access.clone(),
            ids: ids.clone(),
        }),
        agents: Agents::new(AgentsPorts { store: log, views: agent_views.clone(), access, check, ids }),
    })
}

async fn access_tokens(database: Database, master: MasterKey, clock: &dyn Clock) -> Result<EdDsaAccessTokens, Failure> {
    let signing = Arc::new(SqlSigningKeyStore::new(database));
    EdDsaAccessTokens::load(TokenSettings::default(), signing, master, clock).await.map_err(|error| {
        let advice = "set security.master_key to the key this database was made with, the same on every replica";
        Failure::operation(format!("{}; {advice}", causes(&error)))
    })
}

fn hasher(settings: &Settings) -> Result<Argon2PasswordHasher, Failure> {
    Argon2PasswordHasher::start(Argon2Cost::default(), settings.security.hash_threads, WAITING_PASSWORDS)
        .map_err(|error| unusable(&error))
}

fn policy(settings: &Settings) -> SessionPolicy {
    let access = TimeDelta::from_std(settings.security.access_token).unwrap_or(SessionPolicy::default().access);
    SessionPolicy { access, ..SessionPolicy::default() }
}

/// The configured key, or the generated one.
fn master_key(settings: &Settings) -> Result<MasterKey, Failure> {
    match &settings.security.master_key {
        Some(key) => MasterKey::parse(key.expose_secret()).map_err(Failure::configuration),
        None => {
            let path = settings.data_dir.join(MASTER_KEY);
            MasterKey::load_or_create(&path).map_err(|error| Failure::operation(causes(&error)))
        }
    }
}
