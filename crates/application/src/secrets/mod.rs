//! Secrets of project tools: managed by people, decrypted only to be sent in a header or body, never shown.

mod add_secret;
mod desk;
mod get_secret;
mod list_secrets;
mod opened;
mod ports;
mod remove_secret;
mod replace_secret;
mod views;

pub use self::{
    add_secret::{AddSecret, AddSecretHandler, RawSecret},
    desk::{ProjectSecrets, ProjectSecretsPorts, held_name},
    get_secret::{GetSecret, GetSecretHandler},
    list_secrets::{ListSecrets, ListSecretsHandler},
    opened::OpenedSecrets,
    ports::{SecretBinding, SecretVault, SecretViews},
    remove_secret::{RemoveSecret, RemoveSecretHandler},
    replace_secret::{ReplaceSecret, ReplaceSecretHandler},
    views::SecretView,
};
