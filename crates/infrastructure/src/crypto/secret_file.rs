use std::{
    fs::{File, OpenOptions, hard_link, remove_file},
    io::{self, ErrorKind, Write as _},
    os::unix::fs::OpenOptionsExt as _,
    path::Path,
};

use super::keyed_token_mint::random_token;

/// Creates a file that only its owner may read, completely and durably or not at all.
///
/// The content is written to a temporary file, which is then linked under the name. So neither a reader nor a start
/// after a crash finds a partial file.
///
/// # Errors
/// [`ErrorKind::AlreadyExists`] when there is such a file, which is left unchanged; any other error of the system.
pub fn create_secret_file(path: &Path, content: &[u8]) -> io::Result<()> {
    let name = path.file_name().ok_or(ErrorKind::InvalidInput)?.to_string_lossy();
    let beside = path.with_file_name(format!(".{name}.{}", random_token().map_err(io::Error::other)?));
    let created = write(&beside, content).and_then(|()| hard_link(&beside, path));
    // A temporary file that remains after a crash is harmless.
    let removed = remove_file(&beside);
    created.and(removed)?;
    // The name is durable only once its directory is synced.
    File::open(path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new(".")))?.sync_all()
}

fn write(path: &Path, content: &[u8]) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    file.write_all(content)?;
    file.sync_all()
}
