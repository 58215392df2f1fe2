use chrono::{DateTime, Utc};
use devskyy_domain::{
    kernel::{
        Version,
        ids::{ProjectId, ProviderId},
    },
    models::{AllowedModels, HeldKey, PriceList, ProviderKind},
};

/// A provider as the log tells.
#[derive(Debug, Clone, PartialEq)]
pub struct ProviderRecord {
    /// Which.
    pub id: ProviderId,
    /// Whose.
    pub project: ProjectId,
    /// What stands before the slash where its models are named.
    pub name: String,
    /// What it speaks.
    pub kind: ProviderKind,
    /// Where it is reached.
    pub base_url: String,
    /// What it may be asked for.
    pub models: AllowedModels,
    /// What that costs.
    pub prices: PriceList,
    /// Numbers the price list, from 1.
    pub prices_version: u32,
    /// What it is paid with.
    pub key: HeldKey,
    /// Whether it may be asked.
    pub enabled: bool,
    /// When it was added.
    pub created_at: DateTime<Utc>,
    /// When it last changed.
    pub updated_at: DateTime<Utc>,
    /// Its version.
    pub version: Version,
}

/// A provider as people see it.
#[derive(Debug, Clone, PartialEq)]
pub struct ProviderView {
    /// What the log tells.
    pub record: ProviderRecord,
    /// By what people recognise its key; empty for one too short to show any of it.
    pub key_hint: Option<String>,
}

/// What came of reaching out to a provider.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reachability {
    /// Whether it answered and accepted the key.
    pub reachable: bool,
    /// The models it says it has.
    pub models: Vec<String>,
    /// What went wrong, without secrets.
    pub problem: Option<String>,
}
