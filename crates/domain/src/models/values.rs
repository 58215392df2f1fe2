use std::{collections::BTreeSet, fmt, ops::RangeInclusive};

use serde::{Deserialize, Serialize};

use super::error::ProviderError;

/// The name of a provider, unique in its project: the part before the slash in a model's name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ProviderName(String);

impl ProviderName {
    /// Length of a name in characters.
    pub const LENGTH: RangeInclusive<usize> = 1..=40;

    /// Validates a raw name.
    ///
    /// # Errors
    /// [`ProviderError::NameFormat`] when it is not a slug.
    pub fn parse(raw: &str) -> Result<Self, ProviderError> {
        let begins_well = raw.starts_with(|first: char| first.is_ascii_lowercase());
        let goes_on = raw.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
        if begins_well && goes_on && Self::LENGTH.contains(&raw.len()) {
            Ok(Self(raw.to_owned()))
        } else {
            Err(ProviderError::NameFormat)
        }
    }

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The protocol of a provider.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ProviderKind {
    /// OpenAI's chat completions, which gateways and local servers also use.
    #[serde(rename = "openai")]
    OpenAi,
    /// Anthropic's Messages API.
    Anthropic,
}

impl ProviderKind {
    /// Every kind.
    pub const ALL: [Self; 2] = [Self::OpenAi, Self::Anthropic];

    /// The name used on the wire and in the database.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::OpenAi => "openai",
            Self::Anthropic => "anthropic",
        }
    }

    /// Parses the name used on the wire and in the database.
    ///
    /// # Errors
    /// [`ProviderError::KindUnknown`] for any other name.
    pub fn parse(name: &str) -> Result<Self, ProviderError> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == name).ok_or(ProviderError::KindUnknown)
    }
}

/// The base URL of a provider, without a trailing slash.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ProviderUrl(String);

impl ProviderUrl {
    /// Maximum length in bytes.
    pub const LONGEST: usize = 2_048;

    /// Validates a raw URL without resolving it.
    ///
    /// # Errors
    /// [`ProviderError::BaseUrlFormat`].
    pub fn parse(raw: &str) -> Result<Self, ProviderError> {
        let url = raw.trim().trim_end_matches('/');
        let (scheme, rest) = url.split_once("://").ok_or(ProviderError::BaseUrlFormat)?;
        let authority = rest.split('/').next().unwrap_or_default();
        let odd = |c: char| c.is_control() || c.is_whitespace() || matches!(c, '?' | '#' | '\\');
        let sound = matches!(scheme, "http" | "https") && !authority.is_empty() && !authority.contains('@');
        if sound && !rest.contains(odd) && url.len() <= Self::LONGEST {
            Ok(Self(url.to_owned()))
        } else {
            Err(ProviderError::BaseUrlFormat)
        }
    }

    /// The URL.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ProviderUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The models of a provider that may be called, by the provider's names; an empty list allows every model.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct AllowedModels(BTreeSet<String>);

impl AllowedModels {
    /// Maximum number of listed names.
    pub const MOST: usize = 200;
    /// Length of a name in characters.
    pub const LENGTH: RangeInclusive<usize> = 1..=200;

    /// Validates raw names and drops duplicates.
    ///
    /// # Errors
    /// [`ProviderError::ModelFormat`] with the index of the first invalid name, or [`ProviderError::TooManyModels`].
    pub fn parse<S: AsRef<str>>(raw: &[S]) -> Result<Self, ProviderError> {
        if raw.len() > Self::MOST {
            return Err(ProviderError::TooManyModels);
        }
        match raw.iter().position(|name| !is_model(name.as_ref())) {
            Some(index) => Err(ProviderError::ModelFormat(index)),
            None => Ok(Self(raw.iter().map(|name| name.as_ref().to_owned()).collect())),
        }
    }

    /// Whether a model may be called.
    #[must_use]
    pub fn allow(&self, model: &str) -> bool {
        is_model(model) && (self.0.is_empty() || self.0.contains(model))
    }

    /// The names, in order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(String::as_str)
    }
}

/// Whether a text can be a provider's name of a model; many contain slashes.
pub(super) fn is_model(name: &str) -> bool {
    AllowedModels::LENGTH.contains(&name.chars().count())
        && !name.contains(|c: char| c.is_control() || c.is_whitespace())
}
