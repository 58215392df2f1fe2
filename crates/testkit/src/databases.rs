//! The PostgreSQL server for tests, and the names of the databases they create.

use uuid::Uuid;

/// The environment variable with the server's URL.
const VARIABLE: &str = "DEVSKYY_TEST_POSTGRES_URL";

/// The server in `DEVSKYY_TEST_POSTGRES_URL`, if it is set.
#[must_use]
#[expect(clippy::disallowed_methods, reason = "whoever runs the tests says which server they may use")]
pub fn server() -> Option<String> {
    std::env::var(VARIABLE).ok()
}

/// A database created by a test, a measurement or a journey.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Own {
    /// Its name: `devskyy_<purpose>_<unique number>`. The gate drops only databases with such names.
    pub name: String,
    /// Its URL, with the server, user and parameters of the original.
    pub url: String,
}

impl Own {
    /// Names a new database on the server of a URL.
    #[must_use]
    #[expect(clippy::disallowed_methods, reason = "nobody foresees the name of a database that tests throw away")]
    pub fn beside(server: &str, purpose: &str) -> Self {
        let name = format!("devskyy_{purpose}_{}", Uuid::now_v7().simple());
        let (address, parameters) = match server.split_once('?') {
            Some((address, parameters)) => (address, format!("?{parameters}")),
            None => (server, String::new()),
        };
        let host = address.find("://").map_or(0, |scheme| scheme + "://".len());
        let end = address[host..].find('/').map_or(address.len(), |slash| host + slash);
        let url = format!("{}/{name}{parameters}", &address[..end]);
        Self { name, url }
    }
}
