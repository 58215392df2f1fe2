use std::{
    fs::File,
    io::{self, ErrorKind, Read as _},
    path::{Path, PathBuf},
};

use crate::failure::Failure;

/// The lock file this program was built from, as the default.
const OWN: &str = include_str!("../../../../Cargo.lock");
/// Maximum size of a lock file in bytes, because a run's input is limited.
const MOST: u64 = 900_000;

/// The lock file that the demo reviews.
#[derive(Debug)]
pub(super) struct Lockfile {
    /// Its text.
    pub(super) text: String,
    /// Its name in the report.
    pub(super) name: String,
    /// Its origin, for display.
    pub(super) origin: String,
}

impl Lockfile {
    /// The given file, the one in the current directory, or the program's own.
    pub(super) fn find(asked: Option<&Path>) -> Result<Self, Failure> {
        let usual = PathBuf::from("Cargo.lock");
        let path = asked.unwrap_or(&usual);
        let name = path.file_name().map_or_else(|| "Cargo.lock".into(), |name| name.to_string_lossy().into_owned());
        match read(path) {
            Ok(Some(text)) => Ok(Self { text, name, origin: path.display().to_string() }),
            Ok(None) => Err(Failure::operation(format!(
                "{} is larger than {MOST} bytes, more than a run's input may have; choose another with --lockfile",
                path.display()
            ))),
            Err(error) if error.kind() == ErrorKind::NotFound && asked.is_none() => {
                Ok(Self { text: OWN.to_owned(), name, origin: "the Cargo.lock this program was built from".to_owned() })
            }
            Err(error) => Err(Failure::operation(format!(
                "cannot read {}: {error}; name a readable Cargo.lock with --lockfile",
                path.display()
            ))),
        }
    }
}

/// The text of a file; `None` if it is too large for a run. A pipe or a device is not opened, because reading it might
/// block or never end.
fn read(path: &Path) -> io::Result<Option<String>> {
    if !std::fs::metadata(path)?.is_file() {
        return Err(io::Error::new(ErrorKind::InvalidInput, "it is not a regular file"));
    }
    let mut held = Vec::new();
    let read = File::open(path)?.take(MOST + 1).read_to_end(&mut held)?;
    if read as u64 > MOST {
        return Ok(None);
    }
    String::from_utf8(held).map(Some).map_err(|error| io::Error::new(ErrorKind::InvalidData, error.utf8_error()))
}
