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

/// Everything an operator can decide, typed.
#[derive(Debug, Clone)]
pub struct Settings {
    /// For whom this installation is.
    pub profile: Profile,
    /// Directory of everything kept on disk.
    pub data_dir: PathBuf,
    /// How requests are accepted.
    pub server: Server,
    /// What is announced about version 1 of the interface.
    pub retirement: Retirement,
    /// Where facts are kept.
    pub database: Database,
    /// Keys and tokens.
    pub security: Security,
    /// How much one caller may ask for.
    pub limits: Limits,
    /// Whose pages may call from a browser.
    pub allowed_origins: Vec<String>,
    /// How runs are executed.
    pub runs: Runs,
    /// What tools may reach.
    pub egress: Egress,
    /// Providers of models for everybody, by their names.
    pub models: BTreeMap<String, ModelProvider>,
    /// What is logged, and how.
    pub log: Log,
}

/// For whom an installation is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Profile {
    /// For those who try it or work on it.
    Development,
    /// For everybody who reaches it: unsafe settings are refused.
    Production,
}

/// How requests are accepted.
#[derive(Debug, Clone)]
pub struct Server {
    /// Where to listen.
    pub listen: SocketAddr,
    /// Where clients reach the platform, if that is known.
    pub public_url: Option<String>,
    /// Threads that answer requests.
    pub workers: usize,
    /// Connections held open at once.
    pub max_connections: usize,
    /// Largest request body, in bytes.
    pub body_limit: usize,
    /// How long a client may take to send the head of a request.
    pub header_timeout: Duration,
    /// How long a client may take to send the body of a request.
    pub body_timeout: Duration,
    /// Bytes of a body that a client must send per second.
    pub body_rate: u32,
    /// How long a client may leave an answer unread.
    pub write_timeout: Duration,
    /// How long an idle connection is kept open.
    pub keep_alive: Duration,
    /// Proxies that are believed when they say whom they speak for.
    pub trusted_proxies: Vec<Network>,
    /// How long requests may take to finish while draining.
    pub drain_timeout: Duration,
}

/// Where facts are kept.
#[derive(Debug, Clone)]
pub struct Database {
    /// The database, where it is not SQLite in the data directory.
    pub url: Option<SecretString>,
    /// Connections opened at most.
    pub max_connections: u32,
    /// What an acknowledged change survives.
    pub durability: Durability,
}

/// Keys and tokens.
#[derive(Debug, Clone)]
pub struct Security {
    /// Seals private keys and hashes e-mail addresses; generated into the data directory where it is not set.
    pub master_key: Option<SecretString>,
    /// How long an access token is accepted.
    pub access_token: Duration,
    /// Sign-ins that one person may have at a time.
    pub sessions_per_person: u32,
    /// Age in days at which a signing key is replaced.
    pub signing_key_days: i64,
    /// Passwords hashed at once.
    pub hash_threads: usize,
    /// How much may be tried before somebody has to wait.
    pub throttle: ThrottleLimits,
    /// What is asked of new passwords.
    pub password_policy: PasswordPolicy,
    /// Who may open an account.
    pub registration: RegistrationMode,
}

/// How runs are executed.
#[derive(Debug, Clone)]
pub struct Runs {
    /// Runs executed at once.
    pub concurrency: usize,
    /// Runs of one project executed at once by all processes together, where that is bounded.
    pub project_concurrency: Option<usize>,
    /// Percent of the runs executed at once that are of one project at most.
    pub project_share: usize,
    /// Silence after which a run is taken over.
    pub lease: Duration,
    /// How long calls of runs may take to end while draining.
    pub drain_timeout: Duration,
}

/// What tools may reach.
#[derive(Debug, Clone)]
pub struct Egress {
    /// Whether plain HTTP is allowed.
    pub allow_http: bool,
    /// Private destinations that are allowed all the same.
    pub allow_private: Vec<String>,
}

/// A provider of models for everybody.
#[derive(Debug, Clone)]
pub struct ModelProvider {
    /// What it speaks.
    pub kind: ProviderKind,
    /// Where it is reached.
    pub base_url: String,
    /// With what it is paid.
    pub api_key: Option<SecretString>,
    /// What it may be asked for.
    pub models: Vec<String>,
    /// What that costs, as it was written.
    pub prices: Vec<String>,
    /// How long it may keep silent before it answers, where somebody said.
    pub first_byte: Option<Duration>,
}

/// What is logged, and how.
#[derive(Debug, Clone)]
pub struct Log {
    /// Directives of the log filter, where somebody set them.
    pub level: Option<String>,
    /// How lines are written.
    pub format: LogFormat,
}

/// How log lines are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFormat {
    /// By whether standard error is a terminal.
    Auto,
    /// One JSON object per line.
    Json,
    /// For people.
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

/// Independent of the working directory, so that what is printed can be used anywhere.
fn absolute(path: PathBuf) -> PathBuf {
    std::path::absolute(&path).unwrap_or(path)
}

/// Takes typed values out of the table's; each has been checked against its key before.
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
