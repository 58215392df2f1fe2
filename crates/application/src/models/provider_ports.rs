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

/// What a provider is paid with; never printed, and wiped from memory when it is let go of.
#[derive(Clone, PartialEq, Eq)]
pub struct ProviderSecret(Zeroizing<String>);

impl ProviderSecret {
    /// Characters it has.
    pub const LENGTH: RangeInclusive<usize> = 1..=4_096;

    /// Checks a raw key: it has to stand in a header.
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

    /// By what people recognise it: its last four characters, where it is long enough to keep the rest to itself.
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

/// For whom a key was handed over: it opens for exactly this, and for nothing else.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyBinding {
    /// By which the log knows the key.
    pub id: ProviderKeyId,
    /// Whose it is.
    pub provider: ProviderId,
    /// Where it may be sent.
    pub base_url: String,
}

/// Answers questions about a project's providers as the log tells.
#[async_trait]
pub trait ProviderViews: Send + Sync {
    /// Finds a provider that is not removed; who may see it is the handler's question.
    ///
    /// # Errors
    /// [`PortError`] when the answer cannot be had.
    async fn find(&self, provider: ProviderId) -> Result<Option<ProviderRecord>, PortError>;

    /// Finds the provider of that name in a project that is not removed.
    ///
    /// # Errors
    /// [`PortError`] when the answer cannot be had.
    async fn named(&self, project: ProjectId, name: &str) -> Result<Option<ProviderRecord>, PortError>;

    /// Lists the providers of a project that are not removed, the newest first.
    ///
    /// # Errors
    /// [`PortError`] when the answer cannot be had.
    async fn list(&self, project: ProjectId, part: &Part) -> Result<PageOf<ProviderRecord>, PortError>;
}

/// Keeps the keys of providers, sealed and outside the log. A key means nothing until an event refers to its id.
#[async_trait]
pub trait ProviderVault: Send + Sync {
    /// Keeps a key that is about to be recorded.
    ///
    /// # Errors
    /// [`PortError`] when it cannot be sealed or written.
    async fn save(&self, binding: &KeyBinding, key: &ProviderSecret, now: DateTime<Utc>) -> Result<(), PortError>;

    /// Opens a key for whom it was handed over; `None` for everybody else.
    ///
    /// # Errors
    /// [`PortError`] when it cannot be read.
    async fn open(&self, binding: &KeyBinding) -> Result<Option<ProviderSecret>, PortError>;

    /// By what people recognise a key.
    ///
    /// # Errors
    /// [`PortError`] when it cannot be read.
    async fn hint(&self, key: ProviderKeyId) -> Result<Option<String>, PortError>;

    /// Lets go of a key.
    ///
    /// # Errors
    /// [`PortError`] when it cannot be deleted.
    async fn remove(&self, key: ProviderKeyId) -> Result<(), PortError>;

    /// Deletes the keys no provider refers to any more that were handed over before an instant, and says how many.
    ///
    /// # Errors
    /// [`PortError`] when they cannot be deleted.
    async fn sweep(&self, before: DateTime<Utc>) -> Result<u64, PortError>;
}

/// Reaches out to a provider to see whether it is there.
#[async_trait]
pub trait ProviderProbe: Send + Sync {
    /// Whether anything may be sent to an address of a project's choice.
    ///
    /// # Errors
    /// Why not, in words.
    fn admits(&self, base_url: &str) -> Result<(), String>;

    /// The models the provider says it has. Costs nothing.
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
