//! The location of this installation's data, and its lock against other processes.

use std::{
    fs::{DirBuilder, File, OpenOptions, TryLockError},
    io::{Read as _, Seek as _, Write as _},
    path::{Path, PathBuf},
};

use devskyy_infrastructure::sql::Durability;
use secrecy::{ExposeSecret as _, SecretString};

use crate::{
    configuration::{Settings, without_password},
    failure::Failure,
};

/// The database file in the data directory.
const DATABASE: &str = "devskyy.db";

/// The selected database.
#[derive(Debug, Clone)]
pub enum Store {
    /// SQLite: one file, one process.
    Sqlite(PathBuf),
    /// PostgreSQL: a server shared by several processes.
    Postgres(SecretString),
}

impl Store {
    /// The database that the settings select.
    #[must_use]
    pub fn chosen(settings: &Settings) -> Self {
        let Some(url) = &settings.database.url else {
            return Self::Sqlite(settings.data_dir.join(DATABASE));
        };
        match url.expose_secret().strip_prefix("sqlite:") {
            Some(path) => Self::Sqlite(PathBuf::from(path.strip_prefix("//").unwrap_or(path))),
            None => Self::Postgres(url.clone()),
        }
    }

    /// The durability of acknowledged changes.
    ///
    /// # Errors
    /// When relaxed durability is requested for a database that does not support it here.
    pub fn durability(&self, settings: &Settings) -> Result<Durability, Failure> {
        match (self, settings.database.durability) {
            (Self::Postgres(_), Durability::Relaxed) => Err(Failure::configuration(
                "database.durability: `relaxed` is for SQLite; remove it, and set `synchronous_commit` on the PostgreSQL server",
            )),
            (Self::Sqlite(_) | Self::Postgres(_), durability) => Ok(durability),
        }
    }

    /// The database for display, with a note on its durability.
    #[must_use]
    pub fn told(&self, settings: &Settings) -> String {
        match settings.database.durability {
            Durability::Full => self.to_string(),
            Durability::Relaxed => format!("{self} (relaxed: a power cut may lose the last changes)"),
        }
    }

    /// The URL to connect to.
    #[must_use]
    pub fn url(&self) -> SecretString {
        match self {
            Self::Sqlite(path) => {
                let path = path.display().to_string().replace('%', "%25").replace('?', "%3F");
                SecretString::from(format!("sqlite://{path}"))
            }
            Self::Postgres(url) => url.clone(),
        }
    }
}

/// For display, without the password.
impl std::fmt::Display for Store {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Sqlite(path) => write!(f, "SQLite, {}", path.display()),
            Self::Postgres(url) => write!(f, "PostgreSQL, {}", without_password(url.expose_secret())),
        }
    }
}

/// Proof that the directory exists and is writable, and that no other process uses the SQLite file.
#[derive(Debug)]
pub struct Claimed {
    lock: Option<File>,
}

impl Claimed {
    /// Whether no other process uses the database while this is held.
    #[must_use]
    pub const fn is_sole(&self) -> bool {
        self.lock.is_some()
    }
}

/// Creates the data directory if necessary and claims the database file.
///
/// # Errors
/// When the directory cannot be created or written to, or another process holds the file.
pub fn claim(settings: &Settings, store: &Store) -> Result<Claimed, Failure> {
    prepare(&settings.data_dir)?;
    match store {
        Store::Sqlite(file) => Ok(Claimed { lock: Some(lock(file)?) }),
        Store::Postgres(_) => Ok(Claimed { lock: None }),
    }
}

/// Checks that there is a database to read, for commands that never create one.
///
/// # Errors
/// When the SQLite file does not exist or cannot be read.
pub fn present(store: &Store) -> Result<(), Failure> {
    let Store::Sqlite(file) = store else { return Ok(()) };
    match File::open(file) {
        Ok(_) => Ok(()),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Err(Failure::operation(format!(
            "there is no database {}; check --data-dir and database.url, or create it with `devskyy migrate`",
            file.display()
        ))),
        Err(error) => {
            Err(Failure::operation(format!("cannot read the database {}: {error}; check who owns it", file.display())))
        }
    }
}

fn prepare(directory: &Path) -> Result<(), Failure> {
    use std::os::unix::fs::DirBuilderExt as _;
    let advice = "name another with --data-dir or DEVSKYY_DATA_DIR, or check who owns it";
    if directory.exists() && !directory.is_dir() {
        return Err(Failure::operation(format!("the data directory {} is a file; {advice}", directory.display())));
    }
    DirBuilder::new().recursive(true).mode(0o700).create(directory).map_err(|error| {
        Failure::operation(format!("cannot create the data directory {}: {error}; {advice}", directory.display()))
    })?;
    let probe = directory.join(format!(".writable-{}", std::process::id()));
    File::create(&probe).and_then(|_| std::fs::remove_file(&probe)).map_err(|error| {
        Failure::operation(format!("cannot write to the data directory {}: {error}; {advice}", directory.display()))
    })
}

/// The lock is released when the process ends, however it does; the process id in the file is informative.
fn lock(database: &Path) -> Result<File, Failure> {
    let path = PathBuf::from(format!("{}.lock", database.display()));
    let opened = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(&path);
    let mut file = opened
        .map_err(|error| Failure::operation(format!("cannot open {}: {error}; check who owns it", path.display())))?;
    match file.try_lock() {
        Ok(()) => {
            let told = file.set_len(0).and_then(|()| write!(file, "{}", std::process::id()));
            told.map_err(|error| Failure::operation(format!("cannot write to {}: {error}", path.display())))?;
            Ok(file)
        }
        Err(TryLockError::WouldBlock) => {
            let mut holder = String::new();
            let _ = file.rewind().and_then(|()| file.read_to_string(&mut holder));
            Err(Failure::operation(format!(
                "{} is in use by another devskyy (process {}); stop it, or choose another directory with --data-dir",
                database.display(),
                if holder.is_empty() { "unknown" } else { holder.trim() }
            )))
        }
        Err(TryLockError::Error(error)) => Err(Failure::operation(format!("cannot lock {}: {error}", path.display()))),
    }
}
