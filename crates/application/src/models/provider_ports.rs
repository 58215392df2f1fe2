use std::ops::RangeInclusive;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use devskyy_domain::{
    kernel::ids::{ProjectId, ProviderId, ProviderKeyId},
    models::{ProviderError, ProviderKind},
};
use zeroize::Zeroizing;

use super::{ports::ModelError, provider_views::ProviderRecord};
use crate::{
    error::PortError,
    paging::{PageOf, Part},
};

/// A provider's API key; never printed, and zeroed when it is dropped.
#[derive(Clone, PartialEq, Eq)]
pub struct ProviderSecret(Zeroizing<String>);

impl ProviderSecret {
    /// Its allowed length.
    pub const LENGTH: RangeInclusive<usize> = 1..=4_096;

    /// Parses a raw key, which must be valid in a header.
    ///
    /// # Errors
    /// [`ProviderError::KeyFormat`].
    pub fn parse(raw: &str) -> Result<Self, ProviderError> {
        if Self::LENGTH.contains(&raw.len()) && raw.bytes().all(|byte| byte.is_ascii_graphic()) {
            Ok(Self(Zeroizing::new(raw.to_owned())))
        } else {
            Err(ProviderError::KeyFormat)
        }
    }

    /// The key itself.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// The part shown to identify it: its last four characters, if it is long enough.
    #[must_use]
    pub fn hint(&self) -> String {
        let shown = if self.0.len() >= 16 { self.0.len() - 4 } else { self.0.len() };
        self.0.get(shown..).unwrap_or_default().to_owned()
    }
}

impl std::fmt::Debug for ProviderSecret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ProviderSecret(…)")
    }
}

/// What a key is bound to: it can be decrypted for exactly this combination only.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyBinding {
    /// The id by which the log refers to the key.
    pub id: ProviderKeyId,
    /// The provider it belongs to.
    pub provider: ProviderId,
    /// The base URL it may be sent to.
    pub base_url: String,
}

/// Reads a project's providers, derived from the log.
#[async_trait]
pub trait ProviderViews: Send + Sync {
    /// Finds a provider that is not removed; the handler checks who may see it.
    ///
    /// # Errors
    /// [`PortError`] when the lookup fails.
    async fn find(&self, provider: ProviderId) -> Result<Option<ProviderRecord>, PortError>;

    /// Finds a project's provider by name, unless it is removed.
    ///
    /// # Errors
    /// [`PortError`] when the lookup fails.
    async fn named(&self, project: ProjectId, name: &str) -> Result<Option<ProviderRecord>, PortError>;

    /// Lists a project's providers that are not removed, newest first.
    ///
    /// # Errors
    /// [`PortError`] when the lookup fails.
    async fn list(&self, project: ProjectId, part: &Part) -> Result<PageOf<ProviderRecord>, PortError>;
}

/// Stores the keys of providers, sealed and outside the log. A key is valid only once an event refers to its id.
#[async_trait]
pub trait ProviderVault: Send + Sync {
    /// Stores a key before it is recorded.
    ///
    /// # Errors
    /// [`PortError`] when it cannot be sealed or written.
    async fn save(&self, binding: &KeyBinding, key: &ProviderSecret, now: DateTime<Utc>) -> Result<(), PortError>;

    /// Decrypts a key, if the binding matches; otherwise returns `None`.
    ///
    /// # Errors
    /// [`PortError`] when it cannot be read.
    async fn open(&self, binding: &KeyBinding) -> Result<Option<ProviderSecret>, PortError>;

    /// The part of a key shown to identify it.
    ///
    /// # Errors
    /// [`PortError`] when it cannot be read.
    async fn hint(&self, key: ProviderKeyId) -> Result<Option<String>, PortError>;

    /// Deletes a key.
    ///
    /// # Errors
    /// [`PortError`] when it cannot be deleted.
    async fn remove(&self, key: ProviderKeyId) -> Result<(), PortError>;

    /// Deletes keys from before an instant that no provider refers to. Returns how many.
    ///
    /// # Errors
    /// [`PortError`] when they cannot be deleted.
    async fn sweep(&self, before: DateTime<Utc>) -> Result<u64, PortError>;
}

/// Connects to a provider to test it.
#[async_trait]
pub trait ProviderProbe: Send + Sync {
    /// Whether requests may be sent to an address that a project has chosen.
    ///
    /// # Errors
    /// The reason for a refusal, in words.
    fn admits(&self, base_url: &str) -> Result<(), String>;

    /// The models the provider lists. Costs nothing.
    ///
    /// # Errors
    /// [`ModelError`] when it cannot be reached or does not accept the key.
    async fn list(
        &self,
        kind: ProviderKind,
        base_url: &str,
        key: Option<&ProviderSecret>,
    ) -> Result<Vec<String>, ModelError>;
}
