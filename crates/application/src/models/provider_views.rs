use chrono::{DateTime, Utc};
use devskyy_domain::{
    kernel::{
        Version,
        ids::{ProjectId, ProviderId},
    },
    models::{AllowedModels, HeldKey, PriceList, ProviderKind},
};

/// A provider, derived from the log.
#[derive(Debug, Clone, PartialEq)]
pub struct ProviderRecord {
    /// Its id.
    pub id: ProviderId,
    /// The project.
    pub project: ProjectId,
    /// The prefix of its models' names.
    pub name: String,
    /// Its API.
    pub kind: ProviderKind,
    /// Its base URL.
    pub base_url: String,
    /// The allowed models.
    pub models: AllowedModels,
    /// Their prices.
    pub prices: PriceList,
    /// Version of the price list, from 1.
    pub prices_version: u32,
    /// Its API key.
    pub key: HeldKey,
    /// Whether it is enabled.
    pub enabled: bool,
    /// When it was added.
    pub created_at: DateTime<Utc>,
    /// When it last changed.
    pub updated_at: DateTime<Utc>,
    /// Its version.
    pub version: Version,
}

/// A provider as it is shown.
#[derive(Debug, Clone, PartialEq)]
pub struct ProviderView {
    /// The record from the log.
    pub record: ProviderRecord,
    /// The part of its key that identifies it; empty if the key is too short.
    pub key_hint: Option<String>,
}

/// The result of testing a provider.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reachability {
    /// Whether it responded and accepted the key.
    pub reachable: bool,
    /// The models it lists.
    pub models: Vec<String>,
    /// What went wrong, without secrets.
    pub problem: Option<String>,
}
