use super::{
    error::ProviderError,
    event::{
        ProviderAdded, ProviderDisabled, ProviderEnabled, ProviderEvent, ProviderKeySet, ProviderModelsAllowed,
        ProviderMoved, ProviderPriced, ProviderRemoved,
    },
    prices::PriceList,
    values::{AllowedModels, ProviderKind, ProviderName, ProviderUrl},
};
use crate::kernel::{
    Aggregate, Decision,
    ids::{ProjectId, ProviderId, ProviderKeyId},
};

/// A provider to be added.
#[derive(Debug, Clone, PartialEq)]
pub struct NewProvider {
    /// The project.
    pub project: ProjectId,
    /// Its name.
    pub name: ProviderName,
    /// Its protocol.
    pub kind: ProviderKind,
    /// Its base URL.
    pub base_url: ProviderUrl,
    /// The models that may be called.
    pub models: AllowedModels,
    /// The prices.
    pub prices: PriceList,
    /// The id of its API key, if it needs one.
    pub key: Option<ProviderKeyId>,
}

/// Changes to a provider; `None` leaves a part as it is.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ProviderChange {
    /// The base URL.
    pub base_url: Option<ProviderUrl>,
    /// The models that may be called.
    pub models: Option<AllowedModels>,
    /// The prices.
    pub prices: Option<PriceList>,
    /// Whether it is enabled.
    pub enabled: Option<bool>,
    /// The id of its new API key.
    pub key: Option<ProviderKeyId>,
}

/// The API key of a provider.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HeldKey {
    /// It has never had a key.
    None,
    /// The key with this id.
    Held(ProviderKeyId),
    /// The key was for another base URL. The provider is not called until there is a new one.
    Dropped,
}

/// The properties of a provider.
#[derive(Debug, Clone, PartialEq)]
pub struct ProviderDetails {
    /// The project it belongs to.
    pub project: ProjectId,
    /// Its name.
    pub name: ProviderName,
    /// Its protocol.
    pub kind: ProviderKind,
    /// Its base URL.
    pub base_url: ProviderUrl,
    /// The models that may be called.
    pub models: AllowedModels,
    /// The prices.
    pub prices: PriceList,
    /// Version of the price list, from 1.
    pub prices_version: u32,
    /// Its API key.
    pub key: HeldKey,
    /// Whether it is enabled.
    pub enabled: bool,
}

/// A provider of language models in one project.
#[derive(Debug, Clone, Default, PartialEq)]
pub enum Provider {
    /// Nothing has been recorded yet.
    #[default]
    Unknown,
    /// Configured.
    Added(ProviderDetails),
    /// Removed; the project is kept for history.
    Removed(ProjectId),
}

impl Provider {
    /// Adds a provider to a project.
    ///
    /// # Errors
    /// [`ProviderError::AlreadyAdded`] for a used id.
    pub fn add(&self, new: &NewProvider) -> Decision<Self> {
        if *self != Self::Unknown {
            return Err(ProviderError::AlreadyAdded);
        }
        let NewProvider { project, name, kind, base_url, models, prices, key } = new.clone();
        let added = ProviderAdded { project, name, kind, base_url, models, prices };
        Ok([added.into()].into_iter().chain(key.map(|key| ProviderKeySet { key }.into())).collect())
    }

    /// Applies the changes; parts that do not differ are not recorded.
    ///
    /// # Errors
    /// [`ProviderError::Removed`] or [`ProviderError::NotAdded`].
    pub fn change(&self, change: &ProviderChange) -> Decision<Self> {
        let details = self.added()?;
        let mut events = Vec::new();
        if let Some(base_url) = change.base_url.clone().filter(|to| *to != details.base_url) {
            events.push(ProviderMoved { base_url }.into());
        }
        if let Some(models) = change.models.clone().filter(|to| *to != details.models) {
            events.push(ProviderModelsAllowed { models }.into());
        }
        if let Some(prices) = change.prices.clone().filter(|to| *to != details.prices) {
            events.push(ProviderPriced { version: details.prices_version.saturating_add(1), prices }.into());
        }
        if let Some(key) = change.key {
            events.push(ProviderKeySet { key }.into());
        }
        match change.enabled.filter(|to| *to != details.enabled) {
            Some(true) => events.push(ProviderEnabled {}.into()),
            Some(false) => events.push(ProviderDisabled {}.into()),
            None => {}
        }
        Ok(events)
    }

    /// Removes the provider permanently.
    ///
    /// # Errors
    /// [`ProviderError::NotAdded`].
    pub fn remove(&self) -> Decision<Self> {
        match self {
            Self::Added(_) => Ok(vec![ProviderRemoved {}.into()]),
            Self::Removed(_) => Ok(vec![]),
            Self::Unknown => Err(ProviderError::NotAdded),
        }
    }

    /// The properties of a provider that was not removed.
    ///
    /// # Errors
    /// [`ProviderError::Removed`] or [`ProviderError::NotAdded`].
    pub const fn added(&self) -> Result<&ProviderDetails, ProviderError> {
        match self {
            Self::Added(details) => Ok(details),
            Self::Removed(_) => Err(ProviderError::Removed),
            Self::Unknown => Err(ProviderError::NotAdded),
        }
    }
}

impl ProviderDetails {
    fn apply(&mut self, event: &ProviderEvent) {
        match event {
            ProviderEvent::Moved(it) => {
                self.base_url = it.base_url.clone();
                if self.key != HeldKey::None {
                    self.key = HeldKey::Dropped;
                }
            }
            ProviderEvent::ModelsAllowed(it) => self.models = it.models.clone(),
            ProviderEvent::Priced(it) => (self.prices, self.prices_version) = (it.prices.clone(), it.version),
            ProviderEvent::KeySet(it) => self.key = HeldKey::Held(it.key),
            ProviderEvent::Enabled(_) => self.enabled = true,
            ProviderEvent::Disabled(_) => self.enabled = false,
            ProviderEvent::Added(_) | ProviderEvent::Removed(_) => {}
        }
    }
}

impl Aggregate for Provider {
    const CATEGORY: &'static str = "provider";
    type Id = ProviderId;
    type Event = ProviderEvent;
    type Error = ProviderError;

    fn apply(&mut self, event: &ProviderEvent) {
        match (&mut *self, event) {
            (_, ProviderEvent::Added(it)) => {
                let ProviderAdded { project, name, kind, base_url, models, prices } = it.clone();
                let (prices_version, key, enabled) = (1, HeldKey::None, true);
                *self = Self::Added(ProviderDetails {
                    project,
                    name,
                    kind,
                    base_url,
                    models,
                    prices,
                    prices_version,
                    key,
                    enabled,
                });
            }
            (Self::Added(details), ProviderEvent::Removed(_)) => *self = Self::Removed(details.project),
            (Self::Added(details), event) => details.apply(event),
            (Self::Unknown | Self::Removed(_), _) => {}
        }
    }
}
