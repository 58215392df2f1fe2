use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;

use crate::configuration::{Flag, Layers};

/// Define AI agents, run them, and prove afterwards what they did.
#[derive(Debug, Parser)]
#[command(name = "devskyy", version, arg_required_else_help = true)]
pub(super) struct Arguments {
    #[command(flatten)]
    settings: SettingFlags,
    #[command(subcommand)]
    pub(super) verb: Verb,
}

/// Flags that set keys of the configuration, whatever the verb.
#[derive(Debug, Args)]
struct SettingFlags {
    /// Configuration file [default: devskyy.toml, if it exists]
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Data directory [default: devskyy-data]
    #[arg(long, global = true, value_name = "DIR")]
    data_dir: Option<String>,
    /// postgres:// or sqlite: URL [default: SQLite in the data directory]
    #[arg(long, global = true, value_name = "URL")]
    database_url: Option<String>,
    /// Log level: error, warn, info, debug or trace
    #[arg(long, global = true, value_name = "LEVEL")]
    log_level: Option<String>,
    /// Log format: auto, json or text
    #[arg(long, global = true, value_name = "FORMAT")]
    log_format: Option<String>,
    /// Set any configuration key; may be repeated
    #[arg(long, global = true, value_name = "KEY=VALUE", value_parser = assignment)]
    set: Vec<(String, String)>,
}

/// What the program can do.
#[derive(Debug, Subcommand)]
pub(super) enum Verb {
    /// Start the server
    Serve {
        /// Address to listen on [default: 127.0.0.1]
        #[arg(long, value_name = "ADDRESS")]
        host: Option<String>,
        /// Port to listen on; 0 picks a free one [default: 8000]
        #[arg(long, value_name = "PORT")]
        port: Option<String>,
    },
    /// Execute runs without serving requests, beside servers on the same PostgreSQL
    Worker,
    /// Run the platform's main job on a real lock file, step by step
    Demo {
        /// The Cargo.lock to review [default: the one in this directory, or the one this program was built from]
        #[arg(long, value_name = "PATH")]
        lockfile: Option<PathBuf>,
        /// Approve the ticket without asking
        #[arg(long, conflicts_with = "deny")]
        approve: bool,
        /// Deny the ticket without asking
        #[arg(long)]
        deny: bool,
        /// Exit after the report is printed instead of serving on
        #[arg(long)]
        exit: bool,
    },
    /// Bring the database schema up to date
    Migrate,
    /// Check the log's hash chain, the views, unique values and the invariants of runs
    Verify,
    /// Manage views
    Projections {
        #[command(subcommand)]
        verb: ProjectionsVerb,
    },
    /// Show each subscription's position, lag and errors; fails if one has stopped, lags or has set events aside
    Subscriptions {
        #[command(subcommand)]
        verb: Option<SubscriptionsVerb>,
    },
    /// Manage accounts
    User {
        #[command(subcommand)]
        verb: UserVerb,
    },
    /// Manage the signing keys of access tokens
    Keys {
        #[command(subcommand)]
        verb: KeysVerb,
    },
    /// Print the OpenAPI 3.1 document of the REST API
    Openapi,
    /// Print the effective configuration with the source of each value, secrets masked
    Config {
        /// Output format
        #[arg(long, value_enum, default_value_t = Format::Toml)]
        format: Format,
    },
    /// Print a completion script for a shell
    Completions {
        /// The shell
        shell: Shell,
    },
}

/// Commands for views.
#[derive(Debug, Subcommand)]
pub(super) enum ProjectionsVerb {
    /// Rebuild views from the log
    Rebuild {
        /// Only this projection
        name: Option<String>,
    },
}

/// Commands for subscriptions.
#[derive(Debug, Subcommand)]
pub(super) enum SubscriptionsVerb {
    /// Resume a subscription after a position of the log, if the log was put back to an earlier state
    Resume {
        /// Name of the subscription
        name: String,
        /// The position; all later events are processed, some perhaps again
        #[arg(long, value_name = "POSITION")]
        after: u64,
    },
}

/// Commands for signing keys.
#[derive(Debug, Clone, Copy, Subcommand)]
pub(super) enum KeysVerb {
    /// Publish a new signing key, also while servers run; they sign with it once every replica has had time to read it
    Rotate,
}

/// Commands for accounts.
#[derive(Debug, Subcommand)]
pub(super) enum UserVerb {
    /// Create an account, even if registration is closed
    Create(NewUser),
    /// Create an administrator's account
    CreateAdmin(NewUser),
}

/// The account to create. A password is generated and printed unless one is read from standard input.
#[derive(Debug, Args)]
pub(super) struct NewUser {
    /// E-mail address to sign in with
    #[arg(long)]
    pub(super) email: String,
    /// Display name
    #[arg(long)]
    pub(super) name: String,
    /// Read the password from the first line of standard input
    #[arg(long)]
    pub(super) password_stdin: bool,
}

/// An output format.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Format {
    /// As a configuration file
    Toml,
    /// For programs
    Json,
}

impl Arguments {
    /// Whether the command line names a data directory.
    pub(super) const fn names_data_dir(&self) -> bool {
        self.settings.data_dir.is_some()
    }

    /// Whether the command line names a database.
    pub(super) const fn names_database(&self) -> bool {
        self.settings.database_url.is_some()
    }

    /// The layers of the configuration from the command line and the environment.
    pub(super) fn layers(&self) -> Layers {
        let flags = &self.settings;
        let mut set: Vec<Flag> = flags
            .set
            .iter()
            .map(|(key, value)| Flag { name: "--set", key: key.clone(), value: value.clone() })
            .collect();
        let mut named = |name: &'static str, key: &str, value: Option<&String>| {
            set.extend(value.map(|value| Flag { name, key: key.to_owned(), value: value.clone() }));
        };
        named("--data-dir", "data_dir", flags.data_dir.as_ref());
        named("--database-url", "database.url", flags.database_url.as_ref());
        named("--log-level", "log.level", flags.log_level.as_ref());
        named("--log-format", "log.format", flags.log_format.as_ref());
        if let Verb::Serve { host, port } = &self.verb {
            named("--host", "server.host", host.as_ref());
            named("--port", "server.port", port.as_ref());
        }
        Layers { file: flags.config.clone(), environment: std::env::vars_os().collect(), flags: set }
    }
}

fn assignment(raw: &str) -> Result<(String, String), String> {
    let (key, value) = raw.split_once('=').ok_or("write it as KEY=VALUE, for example server.port=8001")?;
    Ok((key.trim().to_owned(), value.to_owned()))
}
