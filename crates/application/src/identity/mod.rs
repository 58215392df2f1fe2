//! Signing up, signing in, and proving who asks.
//!
//! What is personal (e-mail, name, password hash) lives in private rows outside the log. A private row is written first,
//! under a fresh id; the event that refers to the id makes it mean something.

mod authenticate;
mod bootstrap;
mod create_admin;
mod enrolment;
mod get_profile;
mod get_public_keys;
mod keys;
mod log_in;
mod log_out;
mod ports;
mod refresh;
mod register;
mod sessions;
mod views;

use std::sync::Arc;

pub use authenticate::AuthenticateHandler;
pub use bootstrap::OfferBootstrapHandler;
pub use create_admin::{CreateAdmin, CreateAdminHandler};
use enrolment::Enrolment;
pub use get_profile::GetProfileHandler;
pub use get_public_keys::GetPublicKeysHandler;
pub use keys::{
    ApiKeys, ApiKeysPorts, AuthenticateKeyHandler, GetKey, GetKeyHandler, IssueKey, IssueKeyHandler, KeyRecord,
    KeySecret, KeyStandings, KeyStatus, KeyUses, KeyVault, KeyView, KeyViews, KeyWithSecret, ListKeys, ListKeysHandler,
    RevokeKey, RevokeKeyHandler, RotateKey, RotateKeyHandler, checked_scopes,
};
pub use log_in::{LogIn, LogInHandler};
pub use log_out::LogOutHandler;
pub use ports::{
    AccessClaims, AccessTokens, Accounts, BootstrapOffer, BootstrapTokens, Credentials, HashError, NewSession,
    PasswordHash, PasswordHasher, PrivateAccount, Profile, RefreshDigest, Rotation, Secrets, Sessions, Standings,
    UserViews,
};
pub use refresh::{Refresh, RefreshHandler};
pub use register::{Register, RegisterHandler};
use sessions::SignIns;
pub use sessions::{SessionPolicy, Tokens};
pub use views::{UserRecord, UserStatus, UserView};

use crate::{
    es::EventStore,
    ports::{Clock, IdGenerator},
};

/// What the context needs from outside.
#[derive(Clone)]
pub struct IdentityPorts {
    /// The log.
    pub store: Arc<dyn EventStore>,
    /// Private rows: e-mail, name, password hash.
    pub accounts: Arc<dyn Accounts>,
    /// Users as the log tells.
    pub users: Arc<dyn UserViews>,
    /// Sign-ins and their refresh tokens.
    pub sessions: Arc<dyn Sessions>,
    /// Whether a sign-in still counts.
    pub standings: Arc<dyn Standings>,
    /// Signed access tokens.
    pub tokens: Arc<dyn AccessTokens>,
    /// Slow password hashes.
    pub hasher: Arc<dyn PasswordHasher>,
    /// Random and keyed values.
    pub secrets: Arc<dyn Secrets>,
    /// The first administrator's one-time token.
    pub bootstrap: Arc<dyn BootstrapTokens>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Fresh ids.
    pub ids: Arc<dyn IdGenerator>,
    /// How long sign-ins last.
    pub policy: SessionPolicy,
}

/// Everything the context can be asked.
pub struct Identity {
    /// Opens an account.
    pub register: RegisterHandler,
    /// Trades e-mail and password for tokens.
    pub log_in: LogInHandler,
    /// Trades a refresh token for new tokens.
    pub refresh: RefreshHandler,
    /// Ends a sign-in.
    pub log_out: LogOutHandler,
    /// Shows the signed-in person their account.
    pub profile: GetProfileHandler,
    /// Turns a bearer token into who is asking.
    pub authenticate: AuthenticateHandler,
    /// The keys access tokens can be checked with.
    pub public_keys: GetPublicKeysHandler,
    /// Offers the token that makes the first administrator.
    pub bootstrap: OfferBootstrapHandler,
    /// Opens an administrator's account, for the command line.
    pub create_admin: CreateAdminHandler,
}

impl Identity {
    /// The context over its ports.
    #[must_use]
    pub fn new(ports: IdentityPorts) -> Self {
        let enrolment = enrolment(&ports);
        let IdentityPorts { accounts, users, sessions, standings, tokens, .. } = ports.clone();
        let IdentityPorts { hasher, secrets, bootstrap, clock, ids, policy, .. } = ports;
        let sign_ins = SignIns {
            sessions: sessions.clone(),
            tokens: tokens.clone(),
            secrets: secrets.clone(),
            clock: clock.clone(),
            ids,
            policy,
        };
        Self {
            register: RegisterHandler {
                enrolment: enrolment.clone(),
                bootstrap: bootstrap.clone(),
                users: users.clone(),
            },
            log_in: LogInHandler {
                accounts: accounts.clone(),
                users: users.clone(),
                hasher,
                secrets,
                sign_ins: sign_ins.clone(),
            },
            refresh: RefreshHandler { users: users.clone(), standings: standings.clone(), sign_ins },
            log_out: LogOutHandler { sessions, standings: standings.clone(), clock: clock.clone() },
            profile: GetProfileHandler { users: users.clone(), accounts },
            authenticate: AuthenticateHandler { tokens: tokens.clone(), standings, clock },
            public_keys: GetPublicKeysHandler { tokens },
            bootstrap: OfferBootstrapHandler { users, bootstrap },
            create_admin: CreateAdminHandler { enrolment },
        }
    }
}

fn enrolment(ports: &IdentityPorts) -> Enrolment {
    Enrolment {
        store: ports.store.clone(),
        accounts: ports.accounts.clone(),
        users: ports.users.clone(),
        hasher: ports.hasher.clone(),
        secrets: ports.secrets.clone(),
        clock: ports.clock.clone(),
        ids: ports.ids.clone(),
    }
}
