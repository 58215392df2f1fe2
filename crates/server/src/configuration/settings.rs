use std::{
    collections::BTreeMap,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    path::PathBuf,
    time::Duration,
};

use chrono::{DateTime, TimeDelta, Utc};
use devskyy_api::{Limits, Network, Retirement};
use devskyy_application::identity::{RegistrationMode, ThrottleLimits};
use devskyy_domain::{
    identity::PasswordPolicy,
    models::{ProviderKind, ProviderUrl},
};
use devskyy_infrastructure::sql::Durability;
use secrecy::SecretString;

use super::{effective::Effective, value::Value};

/// The typed settings of an installation.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The profile of the installation.
    pub profile: Profile,
    /// The directory of all files.
    pub data_dir: PathBuf,
    /// The HTTP server.
    pub server: Server,
    /// The deprecation of API version 1.
    pub retirement: Retirement,
    /// The database.
    pub database: Database,
    /// Keys and tokens.
    pub security: Security,
    /// Limits per caller.
    pub limits: Limits,
    /// Origins whose pages may call the API from a browser.
    pub allowed_origins: Vec<String>,
    /// The execution of runs.
    pub runs: Runs,
    /// The egress rules of tools.
    pub egress: Egress,
    /// Model providers for all projects, by name.
    pub models: BTreeMap<String, ModelProvider>,
    /// Logging.
    pub log: Log,
}

/// The profile of an installation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Profile {
    /// For evaluation and development.
    Development,
    /// For production: unsafe settings are refused.
    Production,
}

/// Settings of the HTTP server.
#[derive(Debug, Clone)]
pub struct Server {
    /// The address to listen on.
    pub listen: SocketAddr,
    /// The public URL of the platform, if set.
    pub public_url: Option<String>,
    /// Number of worker threads.
    pub workers: usize,
    /// Maximum number of open connections.
    pub max_connections: usize,
    /// Maximum size of a request body in bytes.
    pub body_limit: usize,
    /// Timeout for receiving the head of a request.
    pub header_timeout: Duration,
    /// Timeout for receiving the body of a request.
    pub body_timeout: Duration,
    /// Minimum rate at which a client must send a body, in bytes per second.
    pub body_rate: u32,
    /// Timeout of a client that does not read its response.
    pub write_timeout: Duration,
    /// Timeout of an idle connection.
    pub keep_alive: Duration,
    /// Proxies whose forwarding headers are trusted.
    pub trusted_proxies: Vec<Network>,
    /// Time for requests to finish while draining.
    pub drain_timeout: Duration,
}

/// Settings of the database.
#[derive(Debug, Clone)]
pub struct Database {
    /// The database's URL, unless it is SQLite in the data directory.
    pub url: Option<SecretString>,
    /// Maximum number of connections.
    pub max_connections: u32,
    /// Durability of acknowledged changes.
    pub durability: Durability,
}

/// Keys and tokens.
#[derive(Debug, Clone)]
pub struct Security {
    /// Encrypts private keys and hashes e-mail addresses; generated in the data directory if not set.
    pub master_key: Option<SecretString>,
    /// Lifetime of an access token.
    pub access_token: Duration,
    /// Maximum number of sessions per person.
    pub sessions_per_person: u32,
    /// Age in days at which a signing key is rotated.
    pub signing_key_days: i64,
    /// Number of passwords hashed at once.
    pub hash_threads: usize,
    /// Limits on attempts to authenticate.
    pub throttle: ThrottleLimits,
    /// The requirements for new passwords.
    pub password_policy: PasswordPolicy,
    /// Who may register.
    pub registration: RegistrationMode,
}

/// Settings of runs.
#[derive(Debug, Clone)]
pub struct Runs {
    /// Maximum number of runs executed at once.
    pub concurrency: usize,
    /// Maximum number of runs of one project executed at once by all processes together; `None` for no limit.
    pub project_concurrency: Option<usize>,
    /// Maximum share of one project in the runs executed at once, in percent.
    pub project_share: usize,
    /// Duration of a lease without renewal.
    pub lease: Duration,
    /// Time for calls of runs to finish while draining.
    pub drain_timeout: Duration,
}

/// Egress rules of tools.
#[derive(Debug, Clone)]
pub struct Egress {
    /// Whether plain HTTP is allowed.
    pub allow_http: bool,
    /// Private destinations that are allowed.
    pub allow_private: Vec<String>,
}

/// A model provider for all projects.
#[derive(Debug, Clone)]
pub struct ModelProvider {
    /// Its protocol.
    pub kind: ProviderKind,
    /// Its base URL.
    pub base_url: String,
    /// Its API key.
    pub api_key: Option<SecretString>,
    /// The models that may be called.
    pub models: Vec<String>,
    /// Their prices, as written.
    pub prices: Vec<String>,
    /// Timeout until the first byte of an answer, if set.
    pub first_byte: Option<Duration>,
}

/// Settings of the log.
#[derive(Debug, Clone)]
pub struct Log {
    /// Directives of the log filter, if set.
    pub level: Option<String>,
    /// The format of log lines.
    pub format: LogFormat,
}

/// The format of log lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFormat {
    /// Text if standard error is a terminal, else JSON.
    Auto,
    /// One JSON object per line.
    Json,
    /// Readable text.
    Text,
}

impl From<&Effective> for Settings {
    fn from(effective: &Effective) -> Self {
        let read = Reader(effective);
        let processors = std::thread::available_parallelism().map_or(1, usize::from);
        Self {
            profile: read.profile(),
            data_dir: absolute(PathBuf::from(read.text("data_dir"))),
            server: read.server(processors),
            retirement: read.retirement(),
            database: Database {
                url: read.secret("database.url"),
                max_connections: read.number("database.max_connections").unwrap_or_default(),
                durability: read.durability(),
            },
            security: read.security(processors),
            limits: read.limits(),
            allowed_origins: read.list("cors.allowed_origins"),
            runs: Runs {
                concurrency: read.number("runs.concurrency").unwrap_or_default(),
                project_concurrency: read.number("runs.project_concurrency").filter(|share| *share > 0),
                project_share: read.number("runs.project_share").unwrap_or_default(),
                lease: read.seconds("runs.lease_s"),
                drain_timeout: read.seconds("runs.drain_timeout_s"),
            },
            egress: Egress {
                allow_http: read.truth("egress.allow_http"),
                allow_private: read.list("egress.allow_private"),
            },
            models: read.models(),
            log: read.log(),
        }
    }
}

/// Independent of the working directory, so that printed paths can be used anywhere.
fn absolute(path: PathBuf) -> PathBuf {
    std::path::absolute(&path).unwrap_or(path)
}

/// Extracts typed values from the table; each has been validated against its key before.
struct Reader<'a>(&'a Effective);

impl Reader<'_> {
    fn models(&self) -> BTreeMap<String, ModelProvider> {
        self.0.chosen("models").into_iter().map(|name| (name.to_owned(), self.model_provider(name))).collect()
    }

    fn model_provider(&self, name: &str) -> ModelProvider {
        let member = |member: &str| format!("models.{name}.{member}");
        let kind = ProviderKind::parse(&self.text(&member("kind"))).unwrap_or(ProviderKind::OpenAi);
        let cloud = match kind {
            ProviderKind::OpenAi => "https://api.openai.com/v1",
            ProviderKind::Anthropic => "https://api.anthropic.com",
        };
        let base_url = self.text(&member("base_url"));
        ModelProvider {
            kind,
            base_url: ProviderUrl::parse(&base_url).map_or_else(|_| cloud.to_owned(), |url| url.to_string()),
            api_key: self.secret(&member("api_key")),
            models: self.list(&member("models")),
            prices: self.list(&member("prices")),
            first_byte: self.number(&member("first_byte_s")).map(Duration::from_secs),
        }
    }

    fn retirement(&self) -> Retirement {
        Retirement { deprecated_at: self.instant("api.v1_deprecated_at"), sunset_at: self.instant("api.v1_sunset_at") }
    }

    fn server(&self, processors: usize) -> Server {
        let host = self.text("server.host").parse().unwrap_or(IpAddr::V4(Ipv4Addr::LOCALHOST));
        Server {
            listen: SocketAddr::new(host, self.number("server.port").unwrap_or_default()),
            public_url: Some(self.text("server.public_url")).filter(|url| !url.is_empty()),
            workers: self.number("server.workers").unwrap_or(processors),
            max_connections: self.number("server.max_connections").unwrap_or_default(),
            body_limit: self.number("server.body_limit").unwrap_or_default(),
            header_timeout: self.seconds("server.header_timeout_s"),
            body_timeout: self.seconds("server.body_timeout_s"),
            body_rate: self.number("server.body_rate").unwrap_or_default(),
            write_timeout: self.seconds("server.write_timeout_s"),
            keep_alive: self.seconds("server.keep_alive_s"),
            trusted_proxies: self.list("server.trusted_proxies").iter().filter_map(|it| Network::parse(it)).collect(),
            drain_timeout: self.seconds("server.drain_timeout_s"),
        }
    }

    fn security(&self, processors: usize) -> Security {
        Security {
            master_key: self.secret("security.master_key"),
            access_token: self.seconds("security.access_token_s"),
            sessions_per_person: self.number("security.sessions_per_person").unwrap_or(100),
            signing_key_days: self.number("security.signing_key_days").unwrap_or(30),
            throttle: self.throttle(),
            password_policy: self.password_policy(),
            registration: self.registration(),
            hash_threads: self.number("security.hash_threads").unwrap_or_else(|| processors.saturating_sub(1).max(1)),
        }
    }

    fn throttle(&self) -> ThrottleLimits {
        let limits = ThrottleLimits::default();
        ThrottleLimits {
            window: TimeDelta::seconds(self.number("throttle.window_s").unwrap_or(900)),
            source: self.number("throttle.source_failures").unwrap_or(limits.source),
            account: self.number("throttle.account_failures").unwrap_or(limits.account),
            sign_ins: self.number("throttle.account_sign_ins").unwrap_or(limits.sign_ins),
            registrations: self.number("throttle.registrations").unwrap_or(limits.registrations),
            ..limits
        }
    }

    fn limits(&self) -> Limits {
        Limits {
            reads: self.number("limits.reads").unwrap_or_default(),
            writes: self.number("limits.writes").unwrap_or_default(),
            anonymous: self.number("limits.anonymous").unwrap_or_default(),
        }
    }

    fn profile(&self) -> Profile {
        match self.text("profile").as_str() {
            "production" => Profile::Production,
            _ => Profile::Development,
        }
    }

    fn log(&self) -> Log {
        let format = match self.text("log.format").as_str() {
            "json" => LogFormat::Json,
            "text" => LogFormat::Text,
            _ if self.profile() == Profile::Production => LogFormat::Json,
            _ => LogFormat::Auto,
        };
        Log { level: Some(self.text("log.level")).filter(|level| !level.is_empty()), format }
    }

    fn durability(&self) -> Durability {
        match self.text("database.durability").as_str() {
            "relaxed" => Durability::Relaxed,
            _ => Durability::Full,
        }
    }

    fn password_policy(&self) -> PasswordPolicy {
        match self.text("password.policy").as_str() {
            "nist" => PasswordPolicy::Nist,
            _ => PasswordPolicy::Classic,
        }
    }

    fn registration(&self) -> RegistrationMode {
        match self.text("registration.mode").as_str() {
            "invite" => RegistrationMode::Invite,
            "closed" => RegistrationMode::Closed,
            _ => RegistrationMode::Open,
        }
    }

    fn text(&self, name: &str) -> String {
        match self.0.value(name) {
            Some(Value::Text(text)) => text.clone(),
            _ => String::new(),
        }
    }

    fn secret(&self, name: &str) -> Option<SecretString> {
        Some(self.text(name)).filter(|text| !text.is_empty()).map(SecretString::from)
    }

    fn number<N: TryFrom<i64>>(&self, name: &str) -> Option<N> {
        match self.0.value(name) {
            Some(Value::Integer(number)) => N::try_from(*number).ok(),
            _ => None,
        }
    }

    fn seconds(&self, name: &str) -> Duration {
        Duration::from_secs(self.number(name).unwrap_or_default())
    }

    fn instant(&self, name: &str) -> Option<DateTime<Utc>> {
        self.text(name).parse().ok()
    }

    fn truth(&self, name: &str) -> bool {
        matches!(self.0.value(name), Some(Value::Boolean(true)))
    }

    fn list(&self, name: &str) -> Vec<String> {
        match self.0.value(name) {
            Some(Value::List(items)) => items.clone(),
            _ => Vec::new(),
        }
    }
}
