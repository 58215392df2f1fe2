//! The demo's own account, with a password generated at its first start.

use std::{
    io::ErrorKind,
    path::{Path, PathBuf},
};

use devskyy_infrastructure::crypto::create_secret_file;
use reqwest::StatusCode;
use secrecy::ExposeSecret as _;
use serde_json::json;

use super::client::{Client, LOGIN};
use crate::{cli::make_password, failure::Failure};

/// The demo account's e-mail.
pub(super) const EMAIL: &str = "demo@example.org";

/// The file with the password, readable only by its owner.
pub(super) fn password_file(data_dir: &Path) -> PathBuf {
    data_dir.join("demo-password")
}

/// Signs in; creates the account the first time, as the administrator if the platform has none.
pub(super) async fn sign_in(url: &str, bootstrap: Option<&str>, data_dir: &Path) -> Result<Client, Failure> {
    let stranger = Client::stranger(url)?;
    let kept = password_file(data_dir);
    let password = password(&kept)?;
    let credentials = json!({"email": EMAIL, "password": password});
    // There is no account, or it has another password; registering shows which.
    let session = match stranger.post_unless(StatusCode::UNAUTHORIZED, LOGIN, &credentials).await? {
        Some(session) => session,
        None => {
            register(&stranger, bootstrap, &password, &kept).await?;
            stranger.post(LOGIN, &credentials).await?
        }
    };
    Ok(stranger.signed_in(credentials, &session))
}

async fn register(stranger: &Client, bootstrap: Option<&str>, password: &str, kept: &Path) -> Result<(), Failure> {
    let mut account = json!({"email": EMAIL, "password": password, "name": "Demo"});
    if let Some(token) = bootstrap.and_then(|path| std::fs::read_to_string(path).ok()) {
        account["bootstrap_token"] = json!(token.trim());
    }
    match stranger.post_unless(StatusCode::CONFLICT, "/auth/register", &account).await? {
        Some(_) => Ok(()),
        None => Err(Failure::operation(format!(
            "the password in {} is not that of {EMAIL}; choose another --data-dir",
            kept.display()
        ))),
    }
}

fn password(path: &Path) -> Result<String, Failure> {
    let failed = |error: std::io::Error| Failure::operation(format!("cannot keep {}: {error}", path.display()));
    match std::fs::read_to_string(path) {
        Ok(password) if password.trim().is_empty() => {
            let path = path.display();
            Err(Failure::operation(format!("{path} is empty; put the password back, or choose another --data-dir")))
        }
        Ok(password) => Ok(password.trim().to_owned()),
        Err(error) if error.kind() == ErrorKind::NotFound => {
            let password = make_password()?;
            create_secret_file(path, format!("{}\n", password.expose_secret()).as_bytes()).map_err(failed)?;
            Ok(password.expose_secret().to_owned())
        }
        Err(error) => Err(failed(error)),
    }
}
