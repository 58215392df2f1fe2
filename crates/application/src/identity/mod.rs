//! Registration, sign-in and authentication.
//!
//! Personal data (e-mail, name, password hash) is stored in private rows outside the log. A private row is written
//! first, under a fresh id; it is valid only once an event refers to that id.

mod administration;
mod attempts;
mod authenticate;
mod bootstrap;
mod change_password;
mod change_ports;
mod enrolment;
mod get_profile;
mod get_public_keys;
mod housekeeping;
mod invitations;
mod keys;
mod log_in;
mod log_out;
mod open_account;
mod own_sessions;
mod ports;
mod recording;
mod refresh;
mod register;
mod sessions;
mod throttle;
mod update_profile;
mod views;

use std::sync::Arc;

pub use administration::{
    AccountChange, Administration, ChangeAccount, ChangeAccountHandler, ErasuresHandler, GetAccountHandler,
    ListAccountsHandler,
};
pub use attempts::{AttemptKey, Attempts, Charge, Charged, KNOWN_FOR, Spent};
pub use authenticate::AuthenticateHandler;
pub use bootstrap::OfferBootstrapHandler;
pub use change_password::{ChangePassword, ChangePasswordHandler};
pub use change_ports::{AccountChanges, Erasures, Mentions, PasswordChange, SessionList, Unrecorded, UnrecordedChange};
use enrolment::Enrolment;
pub use enrolment::{email_claim, email_digest};
pub use get_profile::GetProfileHandler;
pub use get_public_keys::GetPublicKeysHandler;
pub use housekeeping::{Housekeeping, HousekeepingPorts, Perishable, Swept};
pub use invitations::{INVITATION_SCOPE, Invitation, Invitations, InviteHandler, RegistrationMode};
pub use keys::{
    ApiKeys, ApiKeysPorts, AuthenticateKeyHandler, GetKey, GetKeyHandler, IssueKey, IssueKeyHandler, KeyRecord,
    KeySecret, KeyStandings, KeyStatus, KeyUses, KeyVault, KeyView, KeyViews, KeyWithSecret, ListKeys, ListKeysHandler,
    RevokeKey, RevokeKeyHandler, RotateKey, RotateKeyHandler, checked_scopes,
};
pub use log_in::{LogIn, LogInHandler};
pub use log_out::LogOutHandler;
pub use open_account::{OpenAccount, OpenAccountHandler};
pub use own_sessions::{EndSession, EndSessionHandler, ListSessionsHandler};
pub use ports::{
    AccessClaims, AccessTokens, Accounts, BootstrapOffer, BootstrapTokens, Credentials, HashError, NewSession,
    PasswordHash, PasswordHasher, PresentedPassword, PrivateAccount, Profile, RefreshDigest, Rotation, Sessions,
    Standings, TokenMint, UserViews,
};
pub use recording::PasswordRecording;
pub use refresh::{Refresh, RefreshHandler};
pub use register::{Register, RegisterHandler, first_administrator};
use sessions::SignIns;
pub use sessions::{SessionPolicy, Tokens};
use throttle::Throttle;
pub use throttle::ThrottleLimits;
pub use update_profile::{UpdateProfile, UpdateProfileHandler};
pub use views::{AccountView, SessionRecord, SessionView, UserFilter, UserRecord, UserStatus, UserView};

use devskyy_domain::identity::PasswordPolicy;

use crate::{
    audit::SecurityLog,
    es::{EventStore, Repository},
    ports::{Clock, IdGenerator},
};

/// The ports of the context.
#[derive(Clone)]
pub struct IdentityPorts {
    /// The log.
    pub store: Arc<dyn EventStore>,
    /// Private rows: e-mail, name, password hash.
    pub accounts: Arc<dyn Accounts>,
    /// Changes of private rows.
    pub changes: Arc<dyn AccountChanges>,
    /// The list of erased users.
    pub erasures: Arc<dyn Erasures>,
    /// E-mails stored outside accounts.
    pub mentions: Arc<dyn Mentions>,
    /// Sessions by user.
    pub session_list: Arc<dyn SessionList>,
    /// Invitations to open an account.
    pub invitations: Arc<dyn Invitations>,
    /// Who may register.
    pub registration: RegistrationMode,
    /// The rules for new passwords.
    pub password_policy: PasswordPolicy,
    /// Users, derived from the log.
    pub users: Arc<dyn UserViews>,
    /// Sessions and their refresh tokens.
    pub sessions: Arc<dyn Sessions>,
    /// Validity of sessions.
    pub standings: Arc<dyn Standings>,
    /// Signed access tokens.
    pub tokens: Arc<dyn AccessTokens>,
    /// Slow password hashes.
    pub hasher: Arc<dyn PasswordHasher>,
    /// Random and keyed values.
    pub mint: Arc<dyn TokenMint>,
    /// The first administrator's one-time token.
    pub bootstrap: Arc<dyn BootstrapTokens>,
    /// The clock.
    pub clock: Arc<dyn Clock>,
    /// Generates ids.
    pub ids: Arc<dyn IdGenerator>,
    /// Counters of attempts, and known sources.
    pub attempts: Arc<dyn Attempts>,
    /// Limits of attempts.
    pub limits: ThrottleLimits,
    /// Lifetimes of sessions.
    pub policy: SessionPolicy,
    /// The security log of sign-ins and sign-outs.
    pub security: SecurityLog,
}

/// The use cases of the context.
pub struct Identity {
    /// Opens an account.
    pub register: RegisterHandler,
    /// Exchanges e-mail and password for tokens.
    pub log_in: LogInHandler,
    /// Exchanges a refresh token for new tokens.
    pub refresh: RefreshHandler,
    /// Ends a session.
    pub log_out: LogOutHandler,
    /// Returns the signed-in user's account.
    pub profile: GetProfileHandler,
    /// Authenticates bearer tokens.
    pub authenticate: AuthenticateHandler,
    /// The keys that verify access tokens.
    pub public_keys: GetPublicKeysHandler,
    /// Offers the token for the first administrator.
    pub bootstrap: OfferBootstrapHandler,
    /// Opens an account, for the command line.
    pub open_account: OpenAccountHandler,
    /// Invites people to open an account.
    pub invite: InviteHandler,
    /// Changes one's own password.
    pub change_password: ChangePasswordHandler,
    /// Records password changes.
    pub password_recording: PasswordRecording,
    /// Changes one's own name.
    pub update_profile: UpdateProfileHandler,
    /// Lists one's own sessions.
    pub list_sessions: ListSessionsHandler,
    /// Ends one of one's own sessions.
    pub end_session: EndSessionHandler,
    /// Administration of accounts.
    pub administration: Administration,
    /// The rules for new passwords.
    pub password_policy: PasswordPolicy,
}

impl Identity {
    /// Creates the context from its ports.
    #[must_use]
    pub fn new(ports: IdentityPorts) -> Self {
        let enrolment = enrolment(&ports);
        let (mode, throttle, invite) = (ports.registration, throttle(&ports), invite(&ports));
        let (log_in, refresh, log_out) = (log_in(&ports), refresh(&ports), log_out(&ports));
        let (change_password, update_profile) = personal_changes(&ports);
        let (list_sessions, end_session) = own_sessions(&ports);
        let password_recording = password_recording(&ports);
        let (administration, password_policy) = (Administration::new(&ports), ports.password_policy);
        let IdentityPorts { accounts, users, standings, tokens, bootstrap, clock, .. } = ports;
        Self {
            register: RegisterHandler {
                enrolment: enrolment.clone(),
                bootstrap: bootstrap.clone(),
                users: users.clone(),
                invite: invite.clone(),
                mode,
                throttle,
            },
            invite,
            log_in,
            refresh,
            log_out,
            profile: GetProfileHandler { users: users.clone(), accounts },
            authenticate: AuthenticateHandler { tokens: tokens.clone(), standings, clock },
            public_keys: GetPublicKeysHandler { tokens },
            bootstrap: OfferBootstrapHandler { users, bootstrap },
            open_account: OpenAccountHandler { enrolment },
            change_password,
            password_recording,
            update_profile,
            list_sessions,
            end_session,
            administration,
            password_policy,
        }
    }
}

fn invite(ports: &IdentityPorts) -> InviteHandler {
    InviteHandler {
        store: ports.store.clone(),
        invitations: ports.invitations.clone(),
        mint: ports.mint.clone(),
        clock: ports.clock.clone(),
        mode: ports.registration,
    }
}

fn log_in(ports: &IdentityPorts) -> LogInHandler {
    LogInHandler {
        accounts: ports.accounts.clone(),
        users: ports.users.clone(),
        hasher: ports.hasher.clone(),
        mint: ports.mint.clone(),
        sign_ins: sign_ins(ports),
        throttle: throttle(ports),
        security: ports.security.clone(),
    }
}

fn refresh(ports: &IdentityPorts) -> RefreshHandler {
    RefreshHandler {
        users: ports.users.clone(),
        standings: ports.standings.clone(),
        sign_ins: sign_ins(ports),
        security: ports.security.clone(),
    }
}

fn log_out(ports: &IdentityPorts) -> LogOutHandler {
    LogOutHandler {
        sessions: ports.sessions.clone(),
        standings: ports.standings.clone(),
        clock: ports.clock.clone(),
        security: ports.security.clone(),
    }
}

fn throttle(ports: &IdentityPorts) -> Throttle {
    Throttle {
        attempts: ports.attempts.clone(),
        mint: ports.mint.clone(),
        clock: ports.clock.clone(),
        limits: ports.limits,
    }
}

fn sign_ins(ports: &IdentityPorts) -> SignIns {
    SignIns {
        sessions: ports.sessions.clone(),
        standings: ports.standings.clone(),
        tokens: ports.tokens.clone(),
        mint: ports.mint.clone(),
        clock: ports.clock.clone(),
        ids: ports.ids.clone(),
        policy: ports.policy,
    }
}

fn personal_changes(ports: &IdentityPorts) -> (ChangePasswordHandler, UpdateProfileHandler) {
    let change_password = ChangePasswordHandler {
        recording: password_recording(ports),
        accounts: ports.accounts.clone(),
        changes: ports.changes.clone(),
        hasher: ports.hasher.clone(),
        standings: ports.standings.clone(),
        clock: ports.clock.clone(),
        policy: ports.password_policy,
        throttle: throttle(ports),
        security: ports.security.clone(),
    };
    let profile = GetProfileHandler { users: ports.users.clone(), accounts: ports.accounts.clone() };
    (change_password, UpdateProfileHandler { changes: ports.changes.clone(), profile })
}

fn password_recording(ports: &IdentityPorts) -> PasswordRecording {
    PasswordRecording {
        users: Repository::new(ports.store.clone()),
        changes: ports.changes.clone(),
        clock: ports.clock.clone(),
        ids: ports.ids.clone(),
    }
}

fn own_sessions(ports: &IdentityPorts) -> (ListSessionsHandler, EndSessionHandler) {
    let list = ListSessionsHandler { list: ports.session_list.clone(), clock: ports.clock.clone() };
    let end = EndSessionHandler {
        list: ports.session_list.clone(),
        sessions: ports.sessions.clone(),
        standings: ports.standings.clone(),
        clock: ports.clock.clone(),
        security: ports.security.clone(),
    };
    (list, end)
}

fn enrolment(ports: &IdentityPorts) -> Enrolment {
    Enrolment {
        store: ports.store.clone(),
        accounts: ports.accounts.clone(),
        users: ports.users.clone(),
        hasher: ports.hasher.clone(),
        mint: ports.mint.clone(),
        clock: ports.clock.clone(),
        ids: ports.ids.clone(),
    }
}
