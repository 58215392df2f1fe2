use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;

use crate::configuration::{Flag, Layers};

/// Defines agents, runs them and proves afterwards what they did.
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
    /// Configuration file [default: devskyy.toml, where there is one]
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Directory of everything kept on disk [default: devskyy-data]
    #[arg(long, global = true, value_name = "DIR")]
    data_dir: Option<String>,
    /// postgres:// or sqlite: URL [default: SQLite in the data directory]
    #[arg(long, global = true, value_name = "URL")]
    database_url: Option<String>,
    /// What is logged: error, warn, info, debug, trace
    #[arg(long, global = true, value_name = "LEVEL")]
    log_level: Option<String>,
    /// auto, json or text
    #[arg(long, global = true, value_name = "FORMAT")]
    log_format: Option<String>,
    /// Sets any key of the configuration; may be repeated
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
        /// Port to listen on; 0 takes a free one [default: 8000]
        #[arg(long, value_name = "PORT")]
        port: Option<String>,
    },
    /// Carry runs out without answering requests, beside servers on the same PostgreSQL
    Worker,
    /// Do the platform's main job on a real lock file, in front of you
    Demo {
        /// The Cargo.lock to review [default: this directory's, or the one this program was built from]
        #[arg(long, value_name = "PATH")]
        lockfile: Option<PathBuf>,
        /// Approve the ticket without asking
        #[arg(long, conflicts_with = "deny")]
        approve: bool,
        /// Deny the ticket without asking
        #[arg(long)]
        deny: bool,
        /// End when the report is printed instead of serving on
        #[arg(long)]
        exit: bool,
    },
    /// Bring the database's schema up to date
    Migrate,
    /// Prove that the log is whole and every view is what the log says
    Verify,
    /// Look after views
    Projections {
        #[command(subcommand)]
        verb: ProjectionsVerb,
    },
    /// Tell how far each reader of the log is, which has stopped and why; fails where one has, is behind or set events aside
    Subscriptions {
        #[command(subcommand)]
        verb: Option<SubscriptionsVerb>,
    },
    /// Look after accounts
    User {
        #[command(subcommand)]
        verb: UserVerb,
    },
    /// Look after the keys that access tokens are signed with
    Keys {
        #[command(subcommand)]
        verb: KeysVerb,
    },
    /// Print the description of the REST interface (OpenAPI 3.1)
    Openapi,
    /// Print the effective configuration, who set each value, secrets masked
    Config {
        /// How it is printed
        #[arg(long, value_enum, default_value_t = Format::Toml)]
        format: Format,
    },
    /// Print a completion script for a shell
    Completions {
        /// Which shell
        shell: Shell,
    },
}

/// What can be done about views.
#[derive(Debug, Subcommand)]
pub(super) enum ProjectionsVerb {
    /// Derive views from the log again
    Rebuild {
        /// Only this one
        name: Option<String>,
    },
}

/// What can be done about readers of the log.
#[derive(Debug, Subcommand)]
pub(super) enum SubscriptionsVerb {
    /// Have a reader go on behind a position of the log as it is now, after the log was put back
    Resume {
        /// Which one
        name: String,
        /// The position; everything after it is seen, perhaps again
        #[arg(long, value_name = "POSITION")]
        after: u64,
    },
}

/// What can be done about signing keys.
#[derive(Debug, Clone, Copy, Subcommand)]
pub(super) enum KeysVerb {
    /// Publish a new signing key, also while servers run; they sign with it once everybody has had time to read it
    Rotate,
}

/// What can be done about accounts.
#[derive(Debug, Subcommand)]
pub(super) enum UserVerb {
    /// Open an account, also where registration is closed
    Create(NewUser),
    /// Open an administrator's account
    CreateAdmin(NewUser),
}

/// Whose account is opened. The password is made up and printed unless it is read from standard input.
#[derive(Debug, Args)]
pub(super) struct NewUser {
    /// The e-mail to sign in with
    #[arg(long)]
    pub(super) email: String,
    /// The name to go by
    #[arg(long)]
    pub(super) name: String,
    /// Read the password from the first line of standard input
    #[arg(long)]
    pub(super) password_stdin: bool,
}

/// How an answer is printed.
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

    /// The layers of the configuration, as the command line and the environment give them.
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
