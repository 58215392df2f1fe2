//! API keys: issuing, rotating, revoking and authenticating.
//!
//! A key is shown once. Only a digest of it is stored, in a private row that an event refers to by id.

mod authenticate_key;
mod get_key;
mod issue_key;
mod list_keys;
mod ports;
mod revoke_key;
mod rotate_key;
mod scopes;
mod text;
mod views;

use std::sync::Arc;

pub use authenticate_key::AuthenticateKeyHandler;
use devskyy_domain::identity::ApiKey;
pub use get_key::{GetKey, GetKeyHandler};
pub use issue_key::{IssueKey, IssueKeyHandler};
pub use list_keys::{ListKeys, ListKeysHandler};
pub use ports::{KeySecret, KeyStandings, KeyUses, KeyVault, KeyViews};
pub use revoke_key::{RevokeKey, RevokeKeyHandler};
pub use rotate_key::{RotateKey, RotateKeyHandler};
pub use scopes::checked_scopes;
use text::{KeyText, MARK};
use views::Shelf;
pub use views::{KeyRecord, KeyStatus, KeyView, KeyWithSecret};

use super::ports::TokenMint;
use crate::{
    access::Access,
    es::{EventStore, Repository},
    ports::{Clock, IdGenerator},
};

/// The ports of API keys.
#[derive(Clone)]
pub struct ApiKeysPorts {
    /// The log.
    pub store: Arc<dyn EventStore>,
    /// Keys derived from the log.
    pub views: Arc<dyn KeyViews>,
    /// Digests of their secrets.
    pub vault: Arc<dyn KeyVault>,
    /// Validity of presented keys.
    pub standings: Arc<dyn KeyStandings>,
    /// When keys were last used.
    pub uses: Arc<dyn KeyUses>,
    /// Random values and digests.
    pub mint: Arc<dyn TokenMint>,
    /// Access rules.
    pub access: Access,
    /// The clock.
    pub clock: Arc<dyn Clock>,
    /// Generates ids.
    pub ids: Arc<dyn IdGenerator>,
}

/// The use cases of API keys.
pub struct ApiKeys {
    /// Issues a key.
    pub issue: IssueKeyHandler,
    /// Lists a project's keys.
    pub list: ListKeysHandler,
    /// Returns one key.
    pub get: GetKeyHandler,
    /// Rotates a key's secret.
    pub rotate: RotateKeyHandler,
    /// Revokes a key.
    pub revoke: RevokeKeyHandler,
    /// Authenticates presented keys.
    pub authenticate: AuthenticateKeyHandler,
}

impl ApiKeys {
    /// Whether a text has the form of a key, valid or not.
    #[must_use]
    pub fn recognises(text: &str) -> bool {
        text.starts_with(MARK)
    }

    /// Creates the use cases from their ports.
    #[must_use]
    pub fn new(ports: ApiKeysPorts) -> Self {
        let ApiKeysPorts { store, views, vault, standings, uses, mint, access, clock, ids } = ports;
        let keys = Repository::<ApiKey>::new(store);
        let shelf = Shelf { views, uses: uses.clone(), access, clock: clock.clone() };
        let text = KeyText(mint);
        Self {
            issue: IssueKeyHandler {
                keys: keys.clone(),
                vault: vault.clone(),
                text: text.clone(),
                shelf: shelf.clone(),
                ids: ids.clone(),
            },
            list: ListKeysHandler { shelf: shelf.clone() },
            get: GetKeyHandler { shelf: shelf.clone() },
            rotate: RotateKeyHandler {
                keys: keys.clone(),
                vault,
                standings: standings.clone(),
                text: text.clone(),
                shelf: shelf.clone(),
                ids,
            },
            revoke: RevokeKeyHandler { keys, standings: standings.clone(), shelf },
            authenticate: AuthenticateKeyHandler { standings, uses, text, clock },
        }
    }
}
