use std::{
    collections::BTreeSet,
    fs::{File, OpenOptions},
    io::{self, ErrorKind, Read as _, Write as _},
    path::{Path, PathBuf},
};

use async_trait::async_trait;
use chrono::{DateTime, SecondsFormat, Utc};
use devskyy_application::{error::PortError, identity::Erasures};
use devskyy_domain::kernel::ids::UserId;

const PORT: &str = "erasures";

/// Erasures in a file of the data directory, one `<time> <user id>` per line, append-only.
///
/// Backups of the database do not include it, so a restore cannot undo an erasure.
#[derive(Debug, Clone)]
pub struct FileErasures(PathBuf);

impl FileErasures {
    /// The erasures of the installation with this data directory.
    #[must_use]
    pub fn new(data_dir: &Path) -> Self {
        Self(data_dir.join("erasures"))
    }

    fn append(&self, user: UserId, at: DateTime<Utc>) -> io::Result<()> {
        let mut options = OpenOptions::new();
        options.create(true).read(true).append(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let mut file = options.open(&self.0)?;
        // Serializes processes that share the directory.
        file.lock()?;
        let mut content = Vec::new();
        file.read_to_end(&mut content)?;
        let Content { lines, rest } = Content::of(&content);
        let mut entry = format!("{} {user}\n", at.to_rfc3339_opts(SecondsFormat::Secs, true));
        if is_entry(rest) {
            entry.insert(0, '\n');
        } else if !rest.is_empty() {
            file.set_len(lines.len() as u64)?;
        }
        let end = file.metadata()?.len();
        if let Err(error) = file.write_all(entry.as_bytes()).and_then(|()| file.sync_all()) {
            // The entry was not recorded, so it must not be read. If this also fails, the partial line is ignored.
            let _ = file.set_len(end);
            return Err(error);
        }
        match self.0.parent() {
            Some(directory) => File::open(directory)?.sync_all(),
            None => Ok(()),
        }
    }

    fn read(&self) -> io::Result<Vec<UserId>> {
        let content = match std::fs::read(&self.0) {
            Ok(content) => content,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(error),
        };
        let Content { lines, rest } = Content::of(&content);
        let mut users = BTreeSet::new();
        for line in String::from_utf8_lossy(lines).lines().filter(|line| !line.is_empty()) {
            users.insert(named(line).ok_or_else(|| io::Error::other(format!("`{line}` names no user")))?);
        }
        if is_entry(rest) {
            users.extend(named(&String::from_utf8_lossy(rest)));
        } else if !rest.is_empty() {
            tracing::warn!(file = %self.0.display(), "the last line is incomplete and is ignored: its append was interrupted");
        }
        Ok(users.into_iter().collect())
    }
}

/// The content of the file.
struct Content<'a> {
    /// Complete lines.
    lines: &'a [u8],
    /// The text after the last line end; not empty only if an append was interrupted or the file was edited.
    rest: &'a [u8],
}

impl<'a> Content<'a> {
    fn of(content: &'a [u8]) -> Self {
        let end = content.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
        let (lines, rest) = content.split_at(end);
        Self { lines, rest }
    }
}

/// The user of a line.
fn named(line: &str) -> Option<UserId> {
    line.rsplit(' ').next().and_then(|id| id.parse().ok())
}

/// Whether a text is a complete entry without its line end.
fn is_entry(text: &[u8]) -> bool {
    let entry = std::str::from_utf8(text).ok().and_then(|text| text.split_once(' '));
    entry.is_some_and(|(at, id)| at.parse::<DateTime<Utc>>().is_ok() && id.parse::<UserId>().is_ok())
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

#[cfg(test)]
mod tests {
    use chrono::DateTime;
    use devskyy_domain::kernel::ids::UserId;
    use tempfile::TempDir;
    use uuid::Uuid;

    use super::FileErasures;

    fn user(number: u128) -> UserId {
        Uuid::from_u128(number).into()
    }

    fn line(number: u128) -> String {
        format!("1970-01-01T00:00:00Z {}\n", user(number))
    }

    /// A file with this content.
    fn holding(content: &str) -> (TempDir, FileErasures) {
        let directory = tempfile::tempdir().unwrap();
        std::fs::write(directory.path().join("erasures"), content).unwrap();
        let erasures = FileErasures::new(directory.path());
        (directory, erasures)
    }

    /// The content of the file after another erasure was recorded.
    fn after_another(content: &str) -> String {
        let (directory, erasures) = holding(content);
        erasures.append(user(9), DateTime::UNIX_EPOCH).unwrap();
        std::fs::read_to_string(directory.path().join("erasures")).unwrap()
    }

    #[test]
    fn a_last_line_cut_anywhere_hides_no_other() {
        let (first, second) = (line(1), line(2));
        let wrong = (0..second.len() - 1).filter(|cut| {
            let (_directory, erasures) = holding(&format!("{first}{}", &second[..*cut]));
            erasures.read().unwrap() != [user(1)]
        });
        assert_eq!(wrong.count(), 0);
    }

    #[test]
    fn a_last_line_that_lacks_only_its_end_counts() {
        let (_directory, erasures) = holding(line(1).trim_end());
        assert_eq!(erasures.read().unwrap(), [user(1)]);
    }

    #[test]
    fn an_incomplete_last_line_gives_way_to_the_next() {
        assert_eq!(after_another(&format!("{}1970-01-01T00:00:00Z 0000", line(1))), format!("{}{}", line(1), line(9)));
    }

    #[test]
    fn a_last_line_that_lacks_only_its_end_gets_it_with_the_next() {
        assert_eq!(after_another(line(1).trim_end()), format!("{}{}", line(1), line(9)));
    }

    #[test]
    fn zeros_that_a_power_cut_left_at_the_end_are_ignored() {
        let (_directory, erasures) = holding(&format!("{}\0\0\0\0", line(1)));
        assert_eq!(erasures.read().unwrap(), [user(1)]);
    }

    #[test]
    fn a_damaged_line_amid_others_is_refused() {
        let (_directory, erasures) = holding(&format!("nonsense\n{}", line(1)));
        assert!(erasures.read().is_err());
    }
}
