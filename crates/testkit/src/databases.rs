//! Where tests find PostgreSQL, and what the databases are called that they make there for themselves.

use uuid::Uuid;

/// The PostgreSQL server that tests may use.
const VARIABLE: &str = "DEVSKYY_TEST_POSTGRES_URL";

/// The server that `DEVSKYY_TEST_POSTGRES_URL` names, where it names one.
#[must_use]
#[expect(clippy::disallowed_methods, reason = "whoever runs the tests says which server they may use")]
pub fn server() -> Option<String> {
    std::env::var(VARIABLE).ok()
}

/// A database that a test, a measurement or a journey makes for itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Own {
    /// What it is called: `devskyy_<purpose>_<a number nobody used>`. The gate drops what begins so, and nothing else.
    pub name: String,
    /// Where it is once it is made: on the server, by the same user, with the same parameters.
    pub url: String,
}

impl Own {
    /// Names a database beside the one that a URL names.
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
