use std::{
    collections::BTreeSet,
    fs::{File, OpenOptions},
    io::{self, ErrorKind, Write as _},
    path::{Path, PathBuf},
};

use async_trait::async_trait;
use chrono::{DateTime, SecondsFormat, Utc};
use devskyy_application::{error::PortError, identity::Erasures};
use devskyy_domain::kernel::ids::UserId;

const PORT: &str = "erasures";

/// Erasures in a file of the data directory, one `<time> <user id>` per line, appended and never rewritten.
///
/// A backup of the database does not hold it, so a restore cannot bring anybody back.
#[derive(Debug, Clone)]
pub struct FileErasures(PathBuf);

impl FileErasures {
    /// Erasures of the installation with this data directory.
    #[must_use]
    pub fn new(data_dir: &Path) -> Self {
        Self(data_dir.join("erasures"))
    }

    fn append(&self, user: UserId, at: DateTime<Utc>) -> io::Result<()> {
        let mut options = OpenOptions::new();
        options.create(true).append(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let mut file = options.open(&self.0)?;
        // One short write: lines of processes that share the directory do not mix.
        file.write_all(format!("{} {user}\n", at.to_rfc3339_opts(SecondsFormat::Secs, true)).as_bytes())?;
        file.sync_all()?;
        match self.0.parent() {
            Some(directory) => File::open(directory)?.sync_all(),
            None => Ok(()),
        }
    }

    fn read(&self) -> io::Result<Vec<UserId>> {
        let text = match std::fs::read_to_string(&self.0) {
            Ok(text) => text,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(error),
        };
        let mut users = BTreeSet::new();
        for line in text.lines().filter(|line| !line.is_empty()) {
            let id = line.rsplit(' ').next().and_then(|id| id.parse().ok());
            users.insert(id.ok_or_else(|| io::Error::other(format!("`{line}` names no user")))?);
        }
        Ok(users.into_iter().collect())
    }
}

#[async_trait]
impl Erasures for FileErasures {
    async fn record(&self, user: UserId, at: DateTime<Utc>) -> Result<(), PortError> {
        let file = self.clone();
        let done = tokio::task::spawn_blocking(move || file.append(user, at)).await;
        let done = done.map_err(|error| PortError::bug(PORT, "recording an erasure", error))?;
        done.map_err(|error| PortError::transient(PORT, "recording an erasure", error))
    }

    async fn all(&self) -> Result<Vec<UserId>, PortError> {
        let file = self.clone();
        let read = tokio::task::spawn_blocking(move || file.read()).await;
        let read = read.map_err(|error| PortError::bug(PORT, "reading erasures", error))?;
        read.map_err(|error| PortError::transient(PORT, "reading erasures", error))
    }
}
