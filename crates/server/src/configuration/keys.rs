//! All configuration keys in one table: the file, the environment, the flags, `devskyy config` and
//! `docs/configuration.md` are derived from it.

use devskyy_domain::models::ProviderName;

use super::value::Kind;

/// A configuration key.
#[derive(Debug)]
pub struct Key {
    /// Its dotted name, for example `server.port`; in `models.<name>.kind` the operator chooses the middle part.
    pub name: &'static str,
    /// The kind of its values.
    pub kind: Kind,
    /// Its default, in the form used in the environment.
    pub default: Option<&'static str>,
    /// Its description in one or two sentences.
    pub about: &'static str,
}

impl Key {
    /// Whether the operator chooses a part of its name.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.name.contains(CHOSEN)
    }

    fn answers_to(&self, name: &str) -> bool {
        if !self.is_open() {
            return self.name == name;
        }
        let (mut wanted, mut given) = (self.name.split('.'), name.split('.'));
        let fits = |(wanted, given): (&str, &str)| match wanted {
            CHOSEN => ProviderName::parse(given).is_ok(),
            fixed => fixed == given,
        };
        wanted.by_ref().zip(given.by_ref()).all(fits) && wanted.next().is_none() && name.matches('.').count() == 2
    }
}

/// The part of a name that the operator chooses.
const CHOSEN: &str = "<name>";

/// The environment variable of a key.
pub(super) fn variable(name: &str) -> String {
    format!("DEVSKYY_{}", name.replace('.', "__").replace('-', "_").to_uppercase())
}

/// The section of a key, and its name in the section.
pub(super) fn path(name: &str) -> (&str, &str) {
    name.rsplit_once('.').unwrap_or(("", name))
}

const fn key(name: &'static str, kind: Kind, default: Option<&'static str>, about: &'static str) -> Key {
    Key { name, kind, default, about }
}

const fn from_to(min: i64, max: i64) -> Kind {
    Kind::Integer { min, max }
}

/// The table, grouped by section.
pub(super) const KEYS: &[Key] = &[
    key(
        "data_dir",
        Kind::Text,
        Some("devskyy-data"),
        "Directory of everything this installation keeps on disk: the SQLite database, the generated master key, the first administrator's token. Made at the first start.",
    ),
    key(
        "profile",
        Kind::Choice(&["development", "production"]),
        Some("development"),
        "`production` refuses to start with settings that are unsafe on a network, names each one, and logs JSON.",
    ),
    key("server.host", Kind::Address, Some("127.0.0.1"), "Address to listen on; `0.0.0.0` for all."),
    key("server.port", from_to(0, 65_535), Some("8000"), "Port to listen on; `0` takes a free one."),
    key(
        "server.public_url",
        Kind::Origin,
        None,
        "Address at which clients reach the platform. With `https://`, every response has an HSTS header.",
    ),
    key("server.workers", from_to(1, 256), None, "Threads that serve requests; one per processor if not set."),
    key(
        "server.max_connections",
        from_to(1, 1_000_000),
        Some("10000"),
        "Connections held open at once; further ones wait to be accepted.",
    ),
    key(
        "server.body_limit",
        from_to(1_024, 67_108_864),
        Some("262144"),
        "Largest request body, in bytes; a larger one gets 413.",
    ),
    key(
        "server.header_timeout_s",
        from_to(1, 300),
        Some("5"),
        "Seconds a client may take to send the head of a request; a slower one gets 408.",
    ),
    key(
        "server.body_timeout_s",
        from_to(1, 300),
        Some("15"),
        "Seconds a client may take to send the body of a request.",
    ),
    key(
        "server.body_rate",
        from_to(1, 1_048_576),
        Some("256"),
        "Bytes per second that a client must send of a body, after three seconds of grace; a slower one gets 408.",
    ),
    key(
        "server.write_timeout_s",
        from_to(1, 300),
        Some("30"),
        "Seconds in which a client may read nothing of its response; then the connection is closed.",
    ),
    key("server.keep_alive_s", from_to(1, 3_600), Some("30"), "Seconds an idle connection is kept open."),
    key(
        "server.drain_timeout_s",
        from_to(1, 25),
        Some("20"),
        "Seconds that requests in progress may take to finish after SIGTERM.",
    ),
    key(
        "server.trusted_proxies",
        Kind::Networks,
        Some(""),
        "Proxies whose `X-Forwarded-For` or `Forwarded` is trusted for the client's address, and whose `X-Forwarded-Proto` or `Forwarded` is trusted for TLS; for others the client's address is that of the connection.",
    ),
    key(
        "api.v1_deprecated_at",
        Kind::Instant,
        None,
        "Time at which version 1 of the API becomes deprecated: its responses then have a `Deprecation` header. No header if not set.",
    ),
    key(
        "api.v1_sunset_at",
        Kind::Instant,
        None,
        "Time from which version 1 of the API may be unavailable: its responses then have a `Sunset` header. No header if not set.",
    ),
    key(
        "database.url",
        Kind::Url,
        None,
        "`postgres://user:password@host:port/name`, or `sqlite:///path/to/file`; SQLite in the data directory if not set.",
    ),
    key(
        "database.durability",
        Kind::Choice(&["full", "relaxed"]),
        Some("full"),
        "What an acknowledged change survives on SQLite: with `full` a power cut, with `relaxed` only a crash of the process, which is faster on slow disks. PostgreSQL has its own setting (`synchronous_commit`) and requires `full` here.",
    ),
    key(
        "database.max_connections",
        from_to(2, 500),
        Some("16"),
        "Connections to the database that this process's requests and workers share. On PostgreSQL the log opens up to three more, and the live wire one.",
    ),
    key(
        "security.master_key",
        Kind::Secret,
        None,
        "64 hexadecimal digits that seal private keys and hash e-mail addresses; the same on every replica and never changed. If not set, one is generated in the data directory.",
    ),
    key("security.access_token_s", from_to(60, 3_600), Some("900"), "Seconds for which an access token is valid."),
    key(
        "security.sessions_per_person",
        from_to(1, 1_000),
        Some("100"),
        "Sign-ins that a person may have at a time; another one ends the one used longest ago.",
    ),
    key(
        "security.signing_key_days",
        from_to(1, 3_650),
        Some("30"),
        "Days after which the key that access tokens are signed with is replaced; the old one verifies until its last token has expired.",
    ),
    key(
        "security.hash_threads",
        from_to(1, 64),
        None,
        "Passwords hashed concurrently, 19 MiB each; one less than the number of processors if not set.",
    ),
    key(
        "throttle.window_s",
        from_to(60, 86_400),
        Some("900"),
        "Length of the window in seconds, counted from the first attempt of a kind.",
    ),
    key(
        "throttle.source_failures",
        from_to(1, 1_000_000),
        Some("100"),
        "Failed sign-ins from one address (IPv6: one /64) within the window, over all accounts; addresses known to an account are not counted.",
    ),
    key(
        "throttle.account_failures",
        from_to(1, 1_000),
        Some("5"),
        "Failed sign-ins with one account from one address within the window; four times as many from an address it has signed in from before.",
    ),
    key(
        "throttle.account_sign_ins",
        from_to(1, 1_000_000),
        Some("300"),
        "Successful sign-ins with one account from one address (IPv6: one /64) within the window: each of them costs a hash.",
    ),
    key(
        "throttle.registrations",
        from_to(1, 1_000_000),
        Some("60"),
        "Registrations from one address (IPv6: one /64) within the window.",
    ),
    key(
        "password.policy",
        Kind::Choice(&["classic", "nist"]),
        Some("classic"),
        "Requirements for new passwords: `classic` for 8 characters with a digit and an upper-case letter, `nist` for 12 characters of any kind. Both refuse common passwords.",
    ),
    key(
        "registration.mode",
        Kind::Choice(&["open", "invite", "closed"]),
        Some("open"),
        "Who may register: everybody, people invited by an administrator, or nobody. The bootstrap token of the first administrator is always accepted once.",
    ),
    key(
        "limits.reads",
        from_to(0, 10_000_000),
        Some("60000"),
        "Reading requests per minute of a person or an API key; `0` disables the limit.",
    ),
    key(
        "limits.writes",
        from_to(0, 10_000_000),
        Some("12000"),
        "Changing requests per minute of a person or an API key; `0` disables the limit.",
    ),
    key(
        "limits.anonymous",
        from_to(0, 10_000_000),
        Some("6000"),
        "Unauthenticated requests per minute from one address (IPv6: one /64); `0` disables the limit.",
    ),
    key(
        "cors.allowed_origins",
        Kind::Origins,
        Some(""),
        "Origins whose pages may call the API from a browser; `*` for all. Browser credentials are never allowed.",
    ),
    key(
        "runs.concurrency",
        from_to(0, 1_024),
        Some("32"),
        "Runs that this process executes concurrently; `0` leaves them to other processes on the same database.",
    ),
    key(
        "runs.project_concurrency",
        from_to(0, 100_000),
        Some("0"),
        "Runs of one project that all processes together execute concurrently; `0` disables the limit.",
    ),
    key(
        "runs.project_share",
        from_to(1, 100),
        Some("75"),
        "Percentage of `runs.concurrency` that one project may take in this process, rounded up. The rest stays available to other projects, however long its runs take. `100` disables the limit.",
    ),
    key(
        "runs.lease_s",
        from_to(2, 600),
        Some("15"),
        "Seconds without a heartbeat after which another worker may claim a run.",
    ),
    key(
        "runs.drain_timeout_s",
        from_to(0, 3_600),
        Some("20"),
        "Seconds that calls of runs may take to finish after SIGTERM. Calls that have not finished by then are dropped, and another worker resumes their runs at once. The process exits at most nine seconds later, so allow that much more before killing it.",
    ),
    key(
        "egress.allow_http",
        Kind::Boolean,
        Some("false"),
        "Allows tools and the model providers of projects to call plain `http://` addresses.",
    ),
    key(
        "egress.allow_private",
        Kind::List,
        Some(""),
        "Private addresses that tools and the model providers of projects may call, as `host:port` or network (`10.1.0.0/16`).",
    ),
    key(
        "models.<name>.kind",
        Kind::Choice(&["openai", "anthropic"]),
        None,
        "Protocol of the model provider `<name>`: `openai` (chat completions; also gateways and local servers; used if not set) or `anthropic`. Its models are named `<name>/<model>`.",
    ),
    key(
        "models.<name>.base_url",
        Kind::Place,
        None,
        "Base URL of the provider, for example `http://127.0.0.1:11434/v1`; the vendor's cloud if not set. Private addresses are allowed.",
    ),
    key("models.<name>.api_key", Kind::Credential, None, "API key of the provider; local servers need none."),
    key(
        "models.<name>.models",
        Kind::List,
        None,
        "Models of the provider that may be used, by its own names; all of them if not set.",
    ),
    key(
        "models.<name>.prices",
        Kind::List,
        None,
        "Prices of models, as `gpt-4o input=2500000 output=10000000`: millionths of your currency per million tokens of the classes `input`, `output`, `cache_read`, `cache_write` and `reasoning`; an omitted class costs nothing.",
    ),
    key(
        "models.<name>.first_byte_s",
        from_to(1, 600),
        None,
        "Seconds to wait for the first byte of an answer; 180 if not set, because local servers and reasoning models take long. Set it lower if the provider has a fallback, which is then tried earlier.",
    ),
    key(
        "log.level",
        Kind::Directives,
        None,
        "Log level: `error`, `warn`, `info`, `debug` or `trace`, and per module as in `info,devskyy_application=debug`. If not set, `info` for `serve` and `worker`, else `warn`.",
    ),
    key(
        "log.format",
        Kind::Choice(&["auto", "json", "text"]),
        Some("auto"),
        "`json` writes one object per line, `text` is for people; `auto` writes text if standard error is a terminal, and JSON otherwise and in production.",
    ),
];

/// The key with that name.
#[must_use]
pub(super) fn find(name: &str) -> Option<&'static Key> {
    KEYS.iter().find(|key| key.answers_to(name))
}

/// The known key that is most similar to a mistyped one.
#[must_use]
pub(super) fn nearest(name: &str) -> String {
    let chosen = name.split('.').nth(1).unwrap_or(CHOSEN);
    let known = KEYS.iter().map(|key| key.name.replace(CHOSEN, chosen));
    known.min_by_key(|known| distance(name, known)).unwrap_or_default()
}

/// Edit distance: the number of characters to insert, remove or replace.
fn distance(one: &str, other: &str) -> usize {
    let other: Vec<char> = other.chars().collect();
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (i, left) in one.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, right) in other.iter().enumerate() {
            let replaced = diagonal + usize::from(left != *right);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::{KEYS, distance, nearest};

    #[test]
    fn a_mistyped_key_finds_the_one_that_was_meant() {
        assert_eq!(nearest("server.prot"), "server.port");
        assert_eq!(nearest("databse.url"), "database.url");
    }

    #[test]
    fn the_distance_counts_insertions_removals_and_replacements() {
        assert_eq!(distance("kitten", "sitting"), 3);
    }

    #[test]
    fn every_default_is_a_value_its_key_takes() {
        for key in KEYS {
            if let Some(default) = key.default {
                assert!(key.kind.parse(default).is_ok(), "{}", key.name);
            }
        }
    }
}
