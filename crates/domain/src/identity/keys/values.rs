use std::ops::RangeInclusive;

use serde::{Deserialize, Serialize};

use super::error::ApiKeyError;

/// The name of a key, 1 to 100 characters.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct KeyName(String);

impl KeyName {
    /// Length of a name in characters.
    pub const LENGTH: RangeInclusive<usize> = 1..=100;

    /// Trims and validates a raw name.
    ///
    /// # Errors
    /// [`ApiKeyError::NameFormat`] when it is empty, too long or has control characters.
    pub fn parse(raw: &str) -> Result<Self, ApiKeyError> {
        let name = raw.trim();
        if Self::LENGTH.contains(&name.chars().count()) && !name.chars().any(char::is_control) {
            Ok(Self(name.to_owned()))
        } else {
            Err(ApiKeyError::NameFormat)
        }
    }

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A scope of a key, by the name of a permission. A scope without such a permission allows nothing.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct KeyScope(String);

impl KeyScope {
    /// The scope with that name.
    #[must_use]
    pub fn named(name: &str) -> Self {
        Self(name.to_owned())
    }

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::borrow::Borrow<str> for KeyScope {
    fn borrow(&self) -> &str {
        &self.0
    }
}
