//! Administration of accounts.

mod change_account;
mod erasures;
mod get_account;
mod list_accounts;
mod personal_data;

pub use change_account::{AccountChange, ChangeAccount, ChangeAccountHandler};
pub use erasures::ErasuresHandler;
pub use get_account::GetAccountHandler;
pub use list_accounts::ListAccountsHandler;
use personal_data::PersonalData;

use super::IdentityPorts;

/// Use cases of administrators: viewing, listing and changing accounts.
pub struct Administration {
    /// Lists accounts.
    pub list: ListAccountsHandler,
    /// Returns one account.
    pub get: GetAccountHandler,
    /// Changes an account.
    pub change: ChangeAccountHandler,
    /// Keeps erased users erased.
    pub erasures: ErasuresHandler,
}

impl Administration {
    pub(super) fn new(ports: &IdentityPorts) -> Self {
        let personal = PersonalData {
            accounts: ports.accounts.clone(),
            erasures: ports.erasures.clone(),
            mentions: ports.mentions.clone(),
            mint: ports.mint.clone(),
            clock: ports.clock.clone(),
        };
        let get = GetAccountHandler { users: ports.users.clone(), accounts: ports.accounts.clone() };
        Self {
            list: ListAccountsHandler {
                users: ports.users.clone(),
                accounts: ports.accounts.clone(),
                mint: ports.mint.clone(),
            },
            get: get.clone(),
            change: ChangeAccountHandler {
                store: ports.store.clone(),
                users: ports.users.clone(),
                sessions: ports.sessions.clone(),
                list: ports.session_list.clone(),
                standings: ports.standings.clone(),
                clock: ports.clock.clone(),
                personal: personal.clone(),
                get,
            },
            erasures: ErasuresHandler {
                store: ports.store.clone(),
                users: ports.users.clone(),
                sessions: ports.sessions.clone(),
                clock: ports.clock.clone(),
                personal,
            },
        }
    }
}
