use std::{
    fs, io,
    path::{Path, PathBuf},
};

use async_trait::async_trait;
use aws_lc_rs::constant_time::verify_slices_are_equal;
use devskyy_application::{
    error::PortError,
    identity::{BootstrapOffer, BootstrapTokens},
};

use super::{keyed_token_mint::random_token, secret_file::create_secret_file};

const PORT: &str = "bootstrap token";

/// Stores the first administrator's one-time token in a file of the data directory, readable by its owner only.
#[derive(Debug, Clone)]
pub struct FileBootstrapTokens {
    path: PathBuf,
}

impl FileBootstrapTokens {
    /// The token of the installation with this data directory.
    #[must_use]
    pub fn new(data_dir: &Path) -> Self {
        Self { path: data_dir.join("bootstrap-token") }
    }

    async fn on_file<T: Send + 'static>(
        &self,
        doing: &'static str,
        work: impl FnOnce(&Path) -> io::Result<T> + Send + 'static,
    ) -> Result<T, PortError> {
        let path = self.path.clone();
        tokio::task::spawn_blocking(move || work(&path))
            .await
            .map_err(|error| PortError::transient(PORT, doing, error))?
            .map_err(|error| PortError::transient(PORT, doing, error))
    }
}

fn read(path: &Path) -> io::Result<Option<String>> {
    match fs::read_to_string(path) {
        Ok(text) => Ok(Some(text.trim().to_owned()).filter(|token| !token.is_empty())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// The token in the file, or a fresh one that is put there. Of several processes that start together, one creates it.
fn read_or_create(path: &Path, fresh: &str) -> io::Result<String> {
    if let Some(token) = read(path)? {
        return Ok(token);
    }
    match create_secret_file(path, format!("{fresh}\n").as_bytes()) {
        Ok(()) => Ok(fresh.to_owned()),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => read(path)?.ok_or(error),
        Err(error) => Err(error),
    }
}

#[async_trait]
impl BootstrapTokens for FileBootstrapTokens {
    async fn offer(&self) -> Result<BootstrapOffer, PortError> {
        let fresh = random_token()?;
        let token = self.on_file("making the token", move |path| read_or_create(path, &fresh)).await?;
        Ok(BootstrapOffer { token, location: self.path.display().to_string() })
    }

    async fn matches(&self, presented: &str) -> Result<bool, PortError> {
        let token = self.on_file("reading the token", read).await?;
        Ok(token.is_some_and(|token| verify_slices_are_equal(token.as_bytes(), presented.as_bytes()).is_ok()))
    }

    async fn withdraw(&self) -> Result<(), PortError> {
        self.on_file("withdrawing the token", |path| match fs::remove_file(path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            Ok(()) | Err(_) => Ok(()),
        })
        .await
    }
}
